"""Comparisons say in what way an answer is wrong, and are not taken in by its kind."""

from __future__ import annotations

import math
from typing import Any

import pytest

from graders.host.checking import Mistake, check, close, equal_shape, indices, number, show

pytestmark = pytest.mark.slow


def said(compare: Any, *args: Any, **kwargs: Any) -> Mistake:
    with pytest.raises(Mistake) as caught:
        compare(*args, **kwargs)
    caught.value.sentence = caught.value.sentence.replace("\u00a0", " ")
    return caught.value


def test_rounding_is_forgiven_and_nothing_more() -> None:
    import torch

    want = torch.randn(4, 5)
    close(want + 1e-6, want)
    assert said(close, want + 1e-3, want).sentence == "Каждое число на 0,001 больше нужного: ответ"
    assert said(close, want + 1e-3 * torch.randn(4, 5), want).sentence == "Числа не те: ответ"


def test_the_way_in_which_a_tensor_is_wrong_is_named() -> None:
    import torch

    want = torch.randn(4, 4)
    cases = {
        "Ответ: в 2 раза меньше нужного": want / 2,
        "Ответ: в 5 раз больше нужного": want * 5,
        "Ответ: в 1,5 раза больше нужного": want * 1.5,
        "Ответ: знак противоположный нужному": -want,
        "Ответ: с другим знаком и в 3 раза больше нужного": want * -3,
        "Числа верные, но строки и столбцы переставлены: ответ": want.T,
        "Форма не та: ответ": want[:2],
        "Есть NaN или бесконечность: ответ": want / 0,
        "Тип чисел не тот: ответ": want.long(),
        "Нужен тензор, а это список: ответ": want.tolist(),
        "Нужен тензор, а это None (забыт return?): ответ": None,
    }
    for sentence, got in cases.items():
        assert said(close, got, want).sentence == sentence


def test_a_forgotten_factor_is_guessed_where_the_check_names_it() -> None:
    import torch

    want, factors = torch.randn(4, 4), {0.5: ("ALPHA_IGNORED", "похоже, забыт множитель α/r")}
    mistake = said(close, want / 2, want, what="поправка", factors=factors)
    assert mistake.sentence == "Поправка: в 2 раза меньше нужного: похоже, забыт множитель α/r"
    assert mistake.misconception == "ALPHA_IGNORED"
    assert said(close, want * 3, want, factors=factors).misconception == ""


def test_other_shapes_with_the_right_numbers() -> None:
    import torch

    want = torch.randn(5, 4, 3)
    cases = {
        "Числа верные, но оси переставлены: ответ": want.transpose(1, 2),
        "Числа верные, но есть лишняя ось размера 1: ответ": want[None],
        "Числа верные, но разложены по осям иначе: ответ": want.reshape(5, 12),
        "Не хватает последнего числа по оси 0: ответ": want[:-1],
        "Не хватает первого числа по оси 2: ответ": want[..., 1:],
        "Лишнее число в конце по оси 1: ответ": torch.cat([want, torch.zeros(5, 1, 3)], 1),
        "Лишнее число в начале по оси 1: ответ": torch.cat([torch.zeros(5, 1, 3), want], 1),
        "Размер по оси 0 на единицу меньше нужного: ответ": want[1:] + 1,
        "Форма не та: ответ": want[2:],
    }
    for sentence, got in cases.items():
        assert said(close, got, want).sentence == sentence
    assert "не хватает оси" in said(close, want[0], want[:1]).sentence
    assert said(close, torch.ones(2), torch.zeros(3)).sentence == "Размер на единицу меньше нужного: ответ"


def test_off_by_one_in_value_and_in_place() -> None:
    import torch

    want, whole = torch.randn(6), torch.tensor([4, 9, 2, 0])
    assert said(close, whole + 1, whole).sentence == "Каждое число на единицу больше нужного: ответ"
    assert said(close, want - 0.5, want).sentence == "Каждое число на 0,5 меньше нужного: ответ"
    assert said(close, torch.tensor(4.0), torch.tensor(5.0)).sentence == "Число на единицу меньше нужного: ответ"
    assert said(close, want.roll(1), want).sentence == "Числа верные, но сдвинуты на одно место вперёд: ответ"
    assert said(close, want.roll(-1), want).sentence == "Числа верные, но сдвинуты на одно место назад: ответ"
    assert said(close, want.flip(0), want).sentence == "Числа верные, но идут в обратном порядке: ответ"
    assert said(close, torch.tensor([9.0, 0, 0, 0]), torch.zeros(4)).sentence == "Числа не те: ответ"


def test_indices() -> None:
    import torch

    for right in ([3, 1, 2], (3, 1, 2), torch.tensor([3, 1, 2])):
        indices(right, [3, 1, 2])
    cases: dict[str, Any] = {
        "Каждое число на единицу больше нужного (счёт идёт с нуля?): ответ": [4, 2, 3],
        "Каждое число на единицу меньше нужного (счёт идёт с нуля?): ответ": torch.tensor([2, 0, 1]),
        "Числа верные, но порядок другой: ответ": [1, 2, 3],
        "Не хватает последнего числа: ответ": [3, 1],
        "Не хватает первого числа: ответ": (1, 2),
        "Лишнее число в конце: ответ": [3, 1, 2, 5],
        "Лишнее число в начале: ответ": [0, 3, 1, 2],
        "Чисел меньше, чем нужно: ответ": [7],
        "Чисел больше, чем нужно: ответ": [7] * 9,
        "Числа не те: ответ": [3, 1, 7],
        "Нужен список целых чисел, а это список: ответ": [3, 1, True],
        "Нужен список целых чисел, а это тензор: ответ": torch.tensor([3.0, 1, 2]),
        "Нужен список целых чисел, а это None (забыт return?): ответ": None,
    }
    for sentence, got in cases.items():
        assert said(indices, got, [3, 1, 2]).sentence == sentence


def test_kinds_of_numbers_are_not_mixed_up() -> None:
    import torch

    want = torch.randn(3, dtype=torch.complex64)
    close(want + 1e-7, want)
    assert said(close, want.real, want).sentence == "Тип чисел не тот: ответ"
    assert said(close, want, want.real).sentence == "Тип чисел не тот: ответ"
    assert said(close, want.conj(), want).sentence == "Числа не те: ответ"
    assert said(close, want * 2, want).sentence.replace("\u00a0", " ") == "Ответ: в 2 раза больше нужного"
    assert show(torch.tensor(1.5 - 2j)) == "1,5 − 2i"
    close(want.real.bfloat16(), want.real, rtol=0.01, atol=0.01)
    close(torch.tensor([1.0, 2.0]).to(torch.float8_e4m3fn), torch.tensor([1.0, 2.0]))


def test_a_long_tensor_is_shown_at_its_worst_place() -> None:
    import torch

    want = torch.zeros(5, 6)
    got = want.clone()
    got[3, 2] = 7.5
    mistake = said(close, got, want)
    assert (mistake.expected, mistake.got) == ("0 в месте [3, 2]", "7,5 в месте [3, 2]")


def test_known_mistakes_win_over_general_words() -> None:
    import torch

    want = torch.randn(3)
    mistake = said(close, want * 2, want, wrong=[(want * 2, "TWICE", "Поправка прибавлена дважды")])
    assert (mistake.misconception, mistake.sentence) == ("TWICE", "Поправка прибавлена дважды")
    mistake = said(number, 8, 4, wrong={8: ("BOTH", "Посчитаны обе")})
    assert (mistake.misconception, mistake.sentence) == ("BOTH", "Посчитаны обе")


def test_numbers() -> None:
    import torch

    number(4, 4)
    number(4.0, 4)
    number(torch.tensor(4), 4)
    number(4.01, 4, rtol=0.01)
    assert said(number, 8, 4).sentence == "Число не то: ответ, в 2 раза больше нужного"
    assert said(number, 5, 4).sentence == "Число не то: ответ, на единицу больше нужного"
    assert said(number, 3.0, 4).sentence == "Число не то: ответ, на единицу меньше нужного"
    assert said(number, -4, 4).sentence == "Число не то: ответ, знак противоположный нужному"
    assert said(number, 6.5, 4).sentence == "Число не то: ответ"
    assert said(number, 0, 4).sentence == "Число не то: ответ"
    for got in (True, "4", None, [4], math.nan, 2**60 + 1):
        said(number, got, 4)
    said(number, 2**60 + 1, 2**60)


def test_shapes() -> None:
    import torch

    equal_shape(torch.zeros(2, 3), (2, 3))
    assert said(equal_shape, torch.zeros(3, 2), torch.zeros(2, 3)).expected == "тензор 2 × 3"
    assert "None" in said(equal_shape, None, (2,)).sentence


def test_values_are_shown_as_a_reader_writes_them() -> None:
    import torch

    assert show(41_943_040).replace("\u00a0", " ") == "41 943 040"
    assert show(0.047) == "0,047"
    assert show(torch.tensor([[1.0, 2.5], [3.0, 4.0]])) == "[[1; 2,5]; [3; 4]]"
    assert show(torch.zeros(8, 8)) == "тензор 8 × 8, float32"


def test_a_check_needs_a_concept_and_points() -> None:
    with pytest.raises(ValueError, match="concept"):
        check(concept="", points=1)
