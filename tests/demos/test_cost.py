"""Cost against arithmetic done by hand, and what must hold of any prices."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demos import registry
from demos.cost.cost import HOURS_IN_MONTH
from demos.params import ParamsError

HAND: dict[str, Any] = {"speed": 1000.0, "cards": 2, "hour": 3.0, "examples": 1000, "tokens": 360, "epochs": 10.0}


def cost(**arguments: Any) -> Any:
    return registry.call("cost", arguments)


def test_training_by_hand() -> None:
    result = cost(**HAND)
    assert result.trained_tokens == 3_600_000
    assert result.wall_hours == pytest.approx(1.0)  # 3.6 M tokens, a thousand a second
    assert result.hours == pytest.approx(2.0)
    assert result.training == pytest.approx(6.0)


def test_speed_from_the_card() -> None:
    result = cost(architecture="llama-2-7b", method="full", checkpointing=False, card="a100", mfu=0.5)
    weights = 6_738_415_616 - 32000 * 4096 - 65 * 4096  # embeddings and normalisations multiply nothing
    assert result.operations == 6 * weights
    assert result.speed == pytest.approx(312e12 * 0.5 / (6 * weights))


def test_break_even_by_hand() -> None:
    month = {"always_on": True, "hour": 1.0, "months": 10, "speed": 1000.0, "examples": 1, "tokens": 1}
    result = cost(**month, prompt=1000, answer=1000, api_input=1.0, api_output=3.0, requests=0)
    assert result.api_each == pytest.approx(0.004)
    assert result.even == pytest.approx(HOURS_IN_MONTH / 0.004, rel=1e-6)  # training costs next to nothing
    paid = {"always_on": False, "serving": 1000.0, "hour": 3.6, "months": 2, "prompt": 500, "answer": 500}
    result = cost(**{**HAND, **paid}, api_input=2.0, api_output=4.0)
    assert result.own_each == pytest.approx(0.001)  # a second of a card that costs 3.6 an hour
    assert result.even == pytest.approx(2 * 3.6 / 2 / (0.003 - 0.001))


prices = st.floats(0.01, 100.0)


@settings(max_examples=60, deadline=None)
@given(hour=prices, api=prices, serving=st.floats(10.0, 1e5), months=st.integers(1, 36), on=st.booleans())
def test_at_the_break_even_both_cost_the_same(hour: float, api: float, serving: float, months: int, on: bool) -> None:
    common = {"hour": hour, "api_input": api, "api_output": api, "serving": serving, "months": months, "always_on": on}
    even = cost(**common).even
    if math.isfinite(even) and 10 < even < 1e11:
        at = cost(**common, requests=round(even))
        assert at.total_own == pytest.approx(at.total_api, rel=0.1 if even < 1000 else 0.01)
        assert cost(**common, requests=round(even) // 2).total_own > cost(**common, requests=round(even) // 2).total_api


@settings(max_examples=30, deadline=None)
@given(factor=st.floats(1.1, 10.0))
def test_money_follows_the_prices(factor: float) -> None:
    usual, dearer = cost(), cost(hour=1.5 * factor)
    assert dearer.training == pytest.approx(factor * usual.training)
    assert dearer.total_api == usual.total_api
    assert cost(epochs=3.0 * factor).training == pytest.approx(factor * usual.training, rel=1e-3)
    assert cost(cards=7).training == pytest.approx(usual.training)  # more cards, the same hours of cards


def test_one_card_answers_only_so_much() -> None:
    usual = cost()
    busy = cost(requests=round(usual.capacity * 2.5))
    assert busy.servers == 3
    assert busy.month_own == pytest.approx(3 * usual.month_own)


def test_the_example_prices_say_so_until_they_are_changed() -> None:
    assert cost().example
    assert not cost(hour=2.0, priced="2026-11-20").example


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("priced", "вчера", "дата"),
        ("priced", "2026-13-40", "дата"),
        ("currency", "<b>", "знак"),
        ("hour", float("nan"), "Цена часа"),
        ("mfu", 0.0, "MFU"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(field: str, value: object, words: str) -> None:
    with pytest.raises(ParamsError, match=words):
        cost(**{field: value})
