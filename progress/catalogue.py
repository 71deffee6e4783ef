"""What reports and the sample class need to know of the course: plain data that callers make from theirs.

``progress`` and ``lessons`` are strangers; ``ui`` and ``cli`` know both and convert. Leaves out all prose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graders.protocol import Verdict

CODE = "code"
"""The kind of a task whose answer is a program."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A task that is linked to a checklist item.

    ``task`` is ``quiz:<question id>``, ``exercise:<slug>`` or ``exercise:<slug>/<check id>``; ``kind`` is the
    question's kind or ``code``; ``produced`` says that the answer is made (a number, code, an order), not recognised.
    """

    task: str
    kind: str
    produced: bool

    @classmethod
    def by_code(cls, task: str) -> Proof:
        """A task of an exercise: always produced."""
        return cls(task, CODE, True)


@dataclass(frozen=True, slots=True)
class ItemEntry:
    """A checklist item with the tasks that prove it."""

    id: str
    text: str
    proofs: tuple[Proof, ...]
    block: str = ""


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """A wrong response that people give, and the misconception it shows."""

    response: Mapping[str, Any]
    misconception: str = ""


@dataclass(frozen=True, slots=True)
class QuestionEntry:
    """A question with a right response and wrong ones, in the form in which answers are stored."""

    id: str
    kind: str
    right: Mapping[str, Any]
    wrong: tuple[WrongAnswer, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class LessonEntry:
    """A lesson: its blocks in order, its checklist, its questions."""

    id: str
    title: str
    blocks: tuple[str, ...] = ()
    items: tuple[ItemEntry, ...] = ()
    questions: tuple[QuestionEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckEntry:
    """A check of an exercise."""

    id: str
    title: str
    concept: str
    points: float
    hint: str = ""
    misconception: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A program that somebody might send. ``verdict`` is what grading says of it, where the caller has graded it."""

    source: str
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class ExerciseEntry:
    """An exercise. ``solution`` and ``mistakes`` are needed by the sample class only."""

    slug: str
    title: str
    lesson: str = ""
    checks: tuple[CheckEntry, ...] = ()
    solution: Example | None = None
    mistakes: tuple[Example, ...] = ()

    @property
    def points(self) -> float:
        """Points that can be earned."""
        return sum(check.points for check in self.checks)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The whole course."""

    lessons: tuple[LessonEntry, ...] = ()
    exercises: tuple[ExerciseEntry, ...] = ()
    misconceptions: Mapping[str, str] = field(default_factory=dict)  # id -> title
