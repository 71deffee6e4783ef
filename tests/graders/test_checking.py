"""Comparisons say in what way an answer is wrong, and are not taken in by its kind."""

from __future__ import annotations

import math
from typing import Any

import pytest

from graders.host.checking import Mistake, check, close, equal_shape, number, show

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
    assert said(close, want + 1e-3, want).sentence == "Числа не те: ответ"


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
    assert said(number, 5, 4).sentence == "Число не то: ответ"
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
