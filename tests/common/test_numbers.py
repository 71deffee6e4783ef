"""Numbers look as a Russian reader expects, and what people type is read back."""

from __future__ import annotations

import doctest

import pytest

from common import numbers
from common.numbers import MINUS, NBSP


def test_the_examples_in_the_module_hold() -> None:
    assert doctest.testmod(numbers).attempted > 0
    assert doctest.testmod(numbers).failed == 0


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (numbers.show(41_943_040), "41 943 040"),
        (numbers.show(0.00047, "percent", 3), "0,047 %"),
        (numbers.show(13_631_488, "bytes"), "13,6 МБ"),
        (numbers.show(13_631_488, "bytes-binary"), "13,0 МиБ"),
        (numbers.show(999, "bytes"), "999 Б"),
        (numbers.show(1.5, "раза", 1), "1,5 раза"),
        (numbers.show(-3), f"{MINUS}3"),
        (numbers.decimal(float("nan")), "не число"),
        (numbers.significant(0.0920449), "0,09204"),
        (numbers.significant(-41_943_040.0), f"{MINUS}41 943 040"),
        (numbers.significant(0.5), "0,5"),
        (numbers.significant(0.99996, 4), "1"),
        (numbers.significant(1.5e-8), "1,5·10⁻⁸"),
        (numbers.significant(0.0), "0"),
        (numbers.duration(65), "1 мин 5 с"),
        (numbers.plural(21, "попытка", "попытки", "попыток"), "21 попытка"),
        (numbers.plural(12, "попытка", "попытки", "попыток"), "12 попыток"),
        (numbers.plural(3, "попытка", "попытки", "попыток"), "3 попытки"),
    ],
)
def test_one_function_writes_every_kind(shown: str, wanted: str) -> None:
    assert shown.replace(NBSP, " ") == wanted


def test_digits_and_unit_are_never_torn_apart() -> None:
    assert " " not in numbers.show(41_943_040, "bytes") + numbers.show(41_943_040) + numbers.percent(0.5)


@pytest.mark.parametrize("text", ["41 943 040", "41943040", f"41{NBSP}943{NBSP}040"])
def test_what_a_person_types_is_read(text: str) -> None:
    assert numbers.parse(text) == 41_943_040


@pytest.mark.parametrize("text", ["", "много", "inf", "nan", "1,2,3"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        numbers.parse(text)
