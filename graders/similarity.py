"""Which submissions of an exercise are alike, for an instructor: pairs with a score, in a process that can be killed.

Learners' text is parsed there and nowhere else; one that is built to break the parser is left out and named. A score
is a reason to talk, no proof: short exercises have few right answers. Leaves out how the score comes about
(``graders.fingerprints``), decoding files (``graders.submission``) and whose they are.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from graders import aside

ALIKE = 0.6
"""Scores from here on are shown. Independent right answers of lora-params reach 0.17, of a shorter exercise 0.37;
answers with renamed and moved code, or one mistake apart, 0.85 and more."""
LEAST = 20
"""Runs of its own that a submission needs to be compared: a line or two are alike by nature."""
SHORT = 100
"""With fewer runs of its own in a typical submission an exercise is so short that right answers resemble each other."""
SECONDS, SECONDS_EACH, MEGABYTES = 20.0, 2.0, 1024
"""Limits for a class, and for one submission of a class in which one of them met a limit."""
REPORT, NO_PYTHON = "graders.fingerprints:report", "("
log = logging.getLogger("course.similarity")


class CannotCompare(RuntimeError):
    """The comparison failed; the message is one Russian sentence."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts by their numbers, and the share of the smaller one that the other has too."""

    left: int
    right: int
    score: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """``pairs``: the most alike first. ``unread``: no Python, or endless. ``short``: likeness is normal here."""

    pairs: tuple[Pair, ...] = ()
    unread: tuple[int, ...] = ()
    short: bool = False


def compare(starter: str, texts: Sequence[str]) -> Comparison:
    """Compare every two of ``texts``; what they share with ``starter`` does not count.

    Raises:
        CannotCompare: there are too many of them, or the fault is ours.
    """
    try:
        try:
            found = _report(starter, texts)
        except aside.TooHard:
            found = _report(starter, [text if _is_bearable(text) else NO_PYTHON for text in texts])
    except aside.TooHard as error:
        raise CannotCompare("Решений слишком много, чтобы сравнить их за один раз.") from error
    except aside.Broken as error:
        log.exception("comparison failed")
        raise CannotCompare("Сравнить решения не удалось — ошибка наша, она записана в журнал.") from error
    pairs = sorted((Pair(*pair) for pair in found["scores"]), key=lambda pair: (-pair.score, pair.left, pair.right))
    own = [size for size in found["sizes"] if size >= LEAST]
    unread = tuple(number for number, size in enumerate(found["sizes"]) if size < 0)
    return Comparison(tuple(pairs), unread, bool(own) and median(own) < SHORT)


def _report(starter: str, texts: Sequence[str], seconds: float = SECONDS) -> dict[str, list[Any]]:
    payload = {"starter": starter, "texts": list(texts), "alike": ALIKE, "least": LEAST}
    found: dict[str, list[Any]] = aside.run(REPORT, payload, seconds=seconds, megabytes=MEGABYTES)
    return found


def _is_bearable(text: str) -> bool:
    """Whether this text alone can be read within the limits."""
    try:
        _report("", [text], SECONDS_EACH)
    except aside.TooHard:
        return False
    return True
