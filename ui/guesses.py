"""A learner's guesses about demos: made or skipped once, kept for good, never asked again."""

from __future__ import annotations

from dataclasses import dataclass

from ui import answered, session

KIND, FIELD = "demos", "option"
_FRESH = "fresh-guesses"


@dataclass(frozen=True, slots=True)
class Guess:
    """``option`` is None for a skipped question; ``fresh`` ones were made in this tab and are still to be answered."""

    option: int | None
    fresh: bool


def recall(demo: str) -> Guess | None:
    """The guess about a demo; None while there is none."""
    kept = answered.recall(KIND, FIELD)
    if demo not in kept:
        return None
    return Guess(kept[demo], demo in session.recall(_FRESH, frozenset()))


def keep(demo: str, option: int | None) -> None:
    """Store a guess. Whether it was right is computed when it is answered."""
    session.remember(_FRESH, session.recall(_FRESH, frozenset()) | {demo})
    answered.keep(KIND, FIELD, demo, option, right=False, confidence="guess")
