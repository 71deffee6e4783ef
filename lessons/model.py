"""The typed course: what content/ becomes once it is loaded. Frozen, without widgets.

Every text is Markdown with its facts already filled in. Ids are stable: progress is stored under them, so titles and
order may change. Leaves out reading files (``loader``), reporting faults (``faults``) and computing facts (``facts``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lessons.crossroads import Decision
from lessons.pieces import (
    Arrow,
    Block,
    CodeRef,
    DemoRef,
    Depth,
    ExerciseRef,
    FigureRef,
    MineRef,
    MineView,
    Part,
    PartName,
    Piece,
    Prose,
    QuizRef,
    RunRef,
)

__all__ = [
    "Artefact", "Course", "Lesson", "Fact", "Term", "Phase", "Guess", "Bar", "Myth", "FrequentError", "ChecklistItem",
    "Option", "WrongNumber", "Question", "Map", "NextStep", "Misconception", "Claim", "QuestionKind", "Arrow", "Block",
    "CodeRef", "DemoRef", "Depth", "ExerciseRef", "FigureRef", "MineRef", "MineView", "Part", "PartName", "Piece",
    "Prose", "QuizRef", "RunRef",
]  # fmt: skip

Artefact = Literal["", "code", "config", "traceback", "log", "histogram", "curve", "tensor", "table"]
"""What a question puts before the learner; empty when only words."""
QuestionKind = Literal["single", "several", "number", "order", "match", "spot", "predict"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A number that prose may show: computed by a demo or taken from a named work."""

    id: str
    value: float
    text: str  # formatted for prose, with its unit
    derivation: str  # the formula or the way it was obtained, Markdown
    source: str = ""  # work, place, year; empty when computed
    function: str = ""  # name in demos.registry; empty when sourced


@dataclass(frozen=True, slots=True)
class Term:
    """A term, with a metaphor that says where it breaks, or an example."""

    id: str
    name: str
    english: str
    definition: str
    metaphor: str = ""
    breaks: str = ""  # where the metaphor stops being true
    example: str = ""
    near: tuple[str, ...] = ()  # names of other terms, of any lesson


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of the progressive diagram."""

    id: str
    title: str
    figure: Path  # an SVG file
    alt: str
    text: str


@dataclass(frozen=True, slots=True)
class Guess:
    """One thing a learner may guess before the truth is told."""

    text: str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a picture: its length is a fact. ``mark`` sets off the one that settles the matter."""

    label: str
    fact: str  # id
    mark: bool = False


@dataclass(frozen=True, slots=True)
class Myth:
    """A wrong belief: guess first, then the truth with a number and a picture (bars of facts, or a drawing)."""

    id: str
    claim: str
    truth: str
    number: str = ""  # the live number that settles it, already formatted
    number_label: str = ""
    misconception: str = ""
    question: str = "Правда или миф?"
    guesses: tuple[Guess, ...] = ()
    bars: tuple[Bar, ...] = ()
    figure: Path | None = None  # an SVG file
    alt: str = ""


@dataclass(frozen=True, slots=True)
class FrequentError:
    """Symptom → cause → fix. ``shows`` is what the learner reads on the screen.

    ``provoke`` is Python that a test runs with the pinned libraries: ``shows`` must come out. Where that needs a GPU
    or a hub, ``source`` names a public thread instead.
    """

    id: str
    symptom: str
    cause: str
    fix: str
    code: str = ""  # the mended lines
    shows: str = ""
    provoke: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """«Я понимаю …»: claimed by a tick, proven by two tasks of different kinds, at least one of them produced."""

    id: str
    text: str
    block: str  # where to read it again
    proofs: tuple[str, ...]  # "quiz:<question id>" or "exercise:<slug>" or "exercise:<slug>/<check id>"


@dataclass(frozen=True, slots=True)
class Option:
    """An answer to choose. ``order``: options in the right order; ``match``: ``pair`` is the right partner."""

    text: str
    right: bool = False
    why: str = ""
    misconception: str = ""
    pair: str = ""


@dataclass(frozen=True, slots=True)
class WrongNumber:
    """A number that a known wrong formula gives, so that the answer can say what was mixed up."""

    value: float
    why: str
    misconception: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A quiz question of one of seven kinds. ``number`` has no options; options of ``spot`` are lines of ``code``."""

    id: str
    kind: QuestionKind
    text: str
    concept: str
    block: str
    explanation: str  # shown after every answer
    options: tuple[Option, ...] = ()
    code: str = ""
    answer: float | None = None
    tolerance: float = 0.0  # relative
    unit: str = ""
    wrong_numbers: tuple[WrongNumber, ...] = ()
    artefact: Artefact = ""
    figure: Path | None = None  # an SVG file
    alt: str = ""
    recall: bool = False  # asks to remember, not to think

    @property
    def produced(self) -> bool:
        """Whether the answer is produced (a number, an order, a match) rather than recognised."""
        return self.kind in {"number", "order", "match"}


@dataclass(frozen=True, slots=True)
class Map:
    """The lesson in four parts: 3 s, 20 s, 5 s, 10 s."""

    anchor: str
    mechanism: str
    breakthrough: str
    use: str


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do after the lesson; ``lesson`` is an id or empty."""

    text: str
    lesson: str = ""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson as the pages show it."""

    id: str
    number: str  # "2": shown before the title
    title: str
    summary: str
    goal: str
    outcomes: tuple[str, ...]
    prerequisites: tuple[str, ...]  # lesson ids, or plain words when no lesson teaches it yet
    map: Map
    anchor: str
    bridge: str
    terms: tuple[Term, ...]
    phases: tuple[Phase, ...]
    myths: tuple[Myth, ...]
    errors: tuple[FrequentError, ...]
    checklist: tuple[ChecklistItem, ...]
    questions: tuple[Question, ...]
    next: tuple[NextStep, ...]
    blocks: tuple[Block, ...]
    folder: Path

    @property
    def core_minutes(self) -> int:
        """Minutes of the core path."""
        return sum(block.minutes for block in self.blocks if block.depth == "core")

    def block(self, block_id: str) -> Block | None:
        """The block of that id, or None."""
        return next((block for block in self.blocks if block.id == block_id), None)

    def part(self, name: PartName) -> str:
        """The id of the block where a part stands; empty when the lesson lacks it."""
        return next((block.id for block in self.blocks if any(piece == Part(name) for piece in block.pieces)), "")

    def question(self, question_id: str) -> Question | None:
        """The question of that id, or None."""
        return next((question for question in self.questions if question.id == question_id), None)


@dataclass(frozen=True, slots=True)
class Misconception:
    """A known wrong idea, the sentence that answers it, the block that mends it, and the question that closes it."""

    id: str
    title: str
    sentence: str
    lesson: str = ""
    block: str = ""
    closes: str = ""  # "lesson id/question id": another question, whose right answer shows that the idea is gone


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of a source document with our verdict: for instructors only, learners have not seen those documents."""

    source: str
    place: str
    says: str
    verdict: Literal["верно", "неточно", "неверно", "устарело", "не проверить"]
    truth: str
    derivation: str
    taught: str = ""  # "lesson id#block" where the course deals with it


@dataclass(frozen=True, slots=True)
class Course:
    """Everything in content/."""

    title: str
    lead: str
    lessons: tuple[Lesson, ...]
    planned: tuple[str, ...]  # titles of lessons still to come, for the map
    facts: Mapping[str, Fact]
    misconceptions: Mapping[str, Misconception]
    claims: tuple[Claim, ...]
    decision: Decision | None = None
    plan: tuple[str, ...] = ()  # the way through the course, week by week

    def lesson(self, lesson_id: str) -> Lesson | None:
        """The lesson of that id, or None."""
        return next((lesson for lesson in self.lessons if lesson.id == lesson_id), None)
