"""The language rules: which figures and words are faults, and what is left alone."""

from __future__ import annotations

import pytest

from lessons import prose


def figures(text: str) -> list[str]:
    return [remark.snippet for remark in prose.bare_figures(text)]


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("всего 0,05 % весов", "0,05 %"),
        ("всего 5% весов", "5%"),
        ("займёт 13,6 МБ", "13,6 МБ"),
        ("займёт 14.5\u00a0ГБ", "14.5\u00a0ГБ"),
        ("это 12 ГиБ", "12 ГиБ"),
        ("учим 41 943 040 параметров", "41 943 040 параметров"),
        ("вырастет в 8 раз", "8 раз"),
        ("в 2 раза больше", "2 раза"),
        ("примерно 7 млрд", "7 млрд"),
        ("за 3 минуты", "3 минуты"),
        ("экономия 20×", "20×"),
        ("**16 GB**", "16 GB"),
        ("от 3 до 5 %", "5 %"),
        ("стоит 300 ₽", "300 ₽"),
    ],
)
def test_a_figure_with_a_unit_is_noticed(text: str, figure: str) -> None:
    assert figures(text) == [figure]


@pytest.mark.parametrize(
    "text",
    [
        "слой 4096 × 4096 при ранге 16",
        "модель Mistral-7B и Llama-3.1-8B",
        "4-битный формат NF4",
        "учим {{ fact a.b }} параметров, это {{ fact c }}",
        "в коде `x = 5 % 2` и `13 МБ`",
        "```\nзаймёт 5 ГБ\n```",
        "формула $16 \\cdot 7\\ \\text{ГБ}$ и $$r = 8 \\%$$",
        "урок 2, раздел 3, шаги 1 и 2",
        "матрица 8 × {{ fact n }}",
        "в 2021 году, arXiv:2106.09685",
        "2 часть урока",
    ],
)
def test_what_is_no_figure_is_left_alone(text: str) -> None:
    assert figures(text) == []


def test_the_words_that_the_course_does_not_use_are_these() -> None:
    """design.md, §9: quantization, «intellectual» rank, fine-tuning and merge have Russian names here."""
    said = "Квантизация, интеллектуальный ранг, файнтюн и файн-тюнинг, мердж, смёрджить. Градиентный чекпоинтинг."
    found = {remark.snippet.lower(): remark.message for remark in prose.avoided_words(said)}
    assert list(found) == [
        "квантизация",
        "интеллектуальный ранг",
        "файнтюн",
        "файн-тюнинг",
        "мердж",
        "смёрджить",
        "градиентный чекпоинтинг",
    ]
    assert "квантование" in found["квантизация"]
    assert "внутренний ранг" in found["интеллектуальный ранг"]


def test_the_words_that_the_course_uses_are_let_through() -> None:
    said = "Дообучение, квантование, внутренний ранг, слияние, `merge`, код `# файнтюн`, чекпоинтинг активаций."
    assert list(prose.avoided_words(said)) == []


def test_only_facts_stand_in_double_braces() -> None:
    assert list(prose.strange_braces("{{ fact a.b-c }} и $\\mathbf{{x}}$ и `{{ messages }}`")) == []
    (remark,) = prose.strange_braces("смотрите {{ code demos/x.py:f }} здесь")
    assert remark.message == "не понять «{{ code demos/x.py:f }}»; бывает только {{ fact ID }}"


def test_dollars_in_prose_are_not_mistaken_for_maths() -> None:
    assert figures("цена $5 и ещё 3 ГБ за $7") == ["3 ГБ"]


def test_links_keep_their_block() -> None:
    text = "[а](lesson:lora-math#counting), [б](exercise:lora-linear), [в](https://example.org)"
    assert prose.resolve_links(text) == (
        "[а](lesson?id=lora-math&block=counting), [б](exercise?id=lora-linear), [в](https://example.org)"
    )
