"""The decision wizard as pages get it: questions in the order of the way, verdicts, cases. Leaves out reading it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer at a crossroad: ``to`` is the id of the next question or of a verdict, ``because`` a reason for it."""

    text: str
    to: str
    because: str


@dataclass(frozen=True, slots=True)
class Crossroad:
    """A question of the decision wizard."""

    id: str
    text: str
    answers: tuple[Answer, ...]
    help: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """What a verdict decides against, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a way ends: what to do, what to try first, why not the others."""

    id: str
    title: str
    text: str
    first: str  # the first step, to be done today
    rejected: tuple[Rejected, ...]
    lesson: str = ""  # "lesson id#block"


@dataclass(frozen=True, slots=True)
class WrongVerdict:
    """A verdict that people choose for a case, and what it would cost."""

    verdict: str
    why: str


@dataclass(frozen=True, slots=True)
class Case:
    """A situation to judge."""

    id: str
    text: str
    right: str  # id of a verdict
    why: str
    wrong: tuple[WrongVerdict, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The wizard: questions in the order of the way, verdicts, graded cases."""

    questions: tuple[Crossroad, ...]
    verdicts: tuple[Verdict, ...]
    cases: tuple[Case, ...]
