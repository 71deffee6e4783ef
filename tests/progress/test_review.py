"""What comes back and when: mistakes soon, what was known for sure late, each as the library itself schedules it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Card, Rating, Scheduler

from progress import review
from progress.learning import Answer

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def answer(number: int, right: bool, days: float, confidence: str = "think", question: str = "q") -> Answer:
    return Answer("lora-math", question, number, {}, right, confidence, "", False, NOW + timedelta(days=days))


def test_a_question_that_was_known_at_once_is_no_card() -> None:
    assert review.cards([answer(1, True, 0), answer(1, True, 0, "sure", "other")]) == ()


@pytest.mark.parametrize("first", [answer(1, False, 0, "sure"), answer(1, True, 0, "guess")])
def test_a_mistake_or_a_lucky_guess_comes_back_the_next_days(first: Answer) -> None:
    (card,) = review.cards([first])
    assert not card.waits(NOW)
    assert timedelta(hours=20) <= card.due - NOW <= timedelta(days=2)


def test_what_is_remembered_stays_away_longer_each_time_and_a_slip_brings_it_back() -> None:
    series, spans = [answer(1, False, 0)], []
    for number in range(2, 6):
        (card,) = review.cards(series)
        spans.append(card.due - card.last)
        series.append(Answer("lora-math", "q", number, {}, True, "think", "", False, card.due))
    assert spans == sorted(spans)
    assert spans[-1] > timedelta(days=7)
    (known,) = review.cards(series)
    slipped = Answer("lora-math", "q", 6, {}, False, "think", "", False, known.due)
    (after,) = review.cards([*series, slipped])
    assert after.due - after.last < spans[-1]


def test_the_days_are_those_of_the_library() -> None:
    scheduler = Scheduler(desired_retention=0.9, learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    card = Card(card_id=7, due=NOW)
    for rating, days in ((Rating.Again, 0), (Rating.Good, 1), (Rating.Easy, 5)):
        card, _ = scheduler.review_card(card, rating, NOW + timedelta(days=days))
    (ours,) = review.cards([answer(2, True, 1), answer(1, False, 0), answer(3, True, 5, "sure")])
    assert ours.due == card.due
    assert ours.stability == card.stability


def test_a_term_is_a_card_from_its_first_recall_and_the_soonest_stands_first() -> None:
    term = review.TERM + "rank"
    found = review.cards([answer(1, True, 0, "sure", term), answer(1, False, 0)])
    assert [card.question for card in found] == ["q", term]
