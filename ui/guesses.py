"""A learner's guesses about demos: made or skipped once, kept for good, never asked again.

Stored among the answers under a lesson of their own, so that they travel with the rest of a learner's work.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from progress import learning
from progress.database import DatabaseFault
from progress.learning import AnswerIn
from ui import session

log = logging.getLogger("course.app")

LESSON = "demos"
_KEPT, _FRESH = "guesses", "fresh-guesses"


@dataclass(frozen=True, slots=True)
class Guess:
    """``option`` is None for a skipped question; ``fresh`` ones were made in this tab and are still to be answered."""

    option: int | None
    fresh: bool


def recall(demo: str) -> Guess | None:
    """The guess about a demo; None while there is none."""
    kept = _all()
    if demo not in kept:
        return None
    return Guess(kept[demo], demo in session.recall(_FRESH, frozenset()))


def keep(demo: str, option: int | None) -> None:
    """Store a guess. A database that does not answer must not keep the demo shut: this tab remembers it then."""
    session.remember(_KEPT, {**_all(), demo: option})
    session.remember(_FRESH, session.recall(_FRESH, frozenset()) | {demo})
    given = AnswerIn(LESSON, demo, {"option": option}, right=False, confidence="guess")
    try:
        learning.answer(session.database(), session.actor(), given)
    except DatabaseFault as fault:
        log.warning("a guess was not stored: %s", fault)


def _all() -> dict[str, int | None]:
    """Every guess of this learner, read once a tab."""
    kept: dict[str, int | None] | None = session.recall(_KEPT, None)
    if kept is None:
        stored = learning.answers(session.database(), session.actor(), LESSON)
        kept = {answer.question: answer.response.get("option") for answer in stored}
        session.remember(_KEPT, kept)
    return kept
