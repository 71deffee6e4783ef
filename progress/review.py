"""Spaced repetition: which questions and terms are due, from the answers that are stored anyway. Pure.

A card has no row of its own: FSRS (py-fsrs, default weights) replays its answers. A question becomes a card by its
first wrong or guessed answer, a term by the first time its meaning was tried to be recalled; confidence is the rating.
Leaves out what a question says (``lessons``) and storing answers (``learning``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from fsrs import Card, Rating, Scheduler

from progress.learning import Answer

TERM = "term:"
"""How a term is recalled is stored as an answer under this prefix."""
RATINGS = {"guess": Rating.Hard, "think": Rating.Good, "sure": Rating.Easy}
"""A right answer's rating by its confidence; a wrong one is forgotten (Again), however confident."""
RETENTION = 0.9
"""A card comes back when the chance to remember it has fallen to this."""


@dataclass(frozen=True, slots=True)
class Due:
    """A card and what FSRS knows of it. Times are UTC."""

    lesson: str
    question: str  # a question's id, or TERM and a term's id
    due: datetime
    last: datetime
    stability: float  # days until the chance to remember falls to RETENTION
    answers: int

    def waits(self, now: datetime) -> bool:
        """Whether it is time."""
        return self.due <= now


@cache
def _scheduler() -> Scheduler:
    """Steps of minutes are left out: a course is not drilled within one evening. No chance: the same for everybody."""
    return Scheduler(desired_retention=RETENTION, learning_steps=(), relearning_steps=(), enable_fuzzing=False)


def cards(answers: Iterable[Answer]) -> tuple[Due, ...]:
    """Every card of one learner, soonest first."""
    given: dict[tuple[str, str], list[Answer]] = {}
    for answer in answers:
        given.setdefault((answer.lesson, answer.question), []).append(answer)
    found = (_card(sorted(series, key=lambda answer: answer.number)) for series in given.values())
    return tuple(sorted((card for card in found if card), key=lambda card: (card.due, card.lesson, card.question)))


def _card(series: Sequence[Answer]) -> Due | None:
    first = next((place for place, answer in enumerate(series) if _worth(answer)), None)
    if first is None:
        return None
    card, scheduler = Card(card_id=1, due=series[first].at), _scheduler()
    for answer in series[first:]:
        card, _ = scheduler.review_card(card, _rating(answer), answer.at)
    last = series[-1]
    return Due(last.lesson, last.question, card.due, last.at, card.stability or 0.0, len(series))


def _worth(answer: Answer) -> bool:
    return answer.question.startswith(TERM) or not answer.right or answer.confidence == "guess"


def _rating(answer: Answer) -> Rating:
    return RATINGS[answer.confidence] if answer.right else Rating.Again
