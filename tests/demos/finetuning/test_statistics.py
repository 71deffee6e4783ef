"""Intervals and tests: against published values, and for sense at the ends."""

import pytest

from demos.finetuning.statistics import mcnemar, wilson


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [(0, 200, 0.0, 0.01885), (200, 200, 0.98115, 1.0), (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)],
)
def test_wilson(right: int, of: int, low: float, high: float) -> None:  # the last two: Newcombe 1998, table I
    score = wilson(right, of)
    assert score.share == (right / of if of else 0)
    assert (score.right, score.of) == (right, of)
    assert score.low == pytest.approx(low, abs=5e-5)
    assert score.high == pytest.approx(high, abs=5e-5)


def test_nothing_asked_says_nothing() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


@pytest.mark.parametrize(("gained", "lost", "p"), [(0, 0, 1.0), (5, 5, 1.0), (9, 1, 0.021484375), (0, 6, 0.03125)])
def test_mcnemar_is_the_two_sided_binomial(gained: int, lost: int, p: float) -> None:
    assert mcnemar(gained, lost) == pytest.approx(p)
    assert mcnemar(lost, gained) == mcnemar(gained, lost)


def test_mcnemar_of_many() -> None:
    assert 0 < mcnemar(190, 0) < 1e-50
