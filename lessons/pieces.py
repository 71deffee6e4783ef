"""What a block of a lesson consists of: prose and directives, every reference resolved. Part of ``lessons.model``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Depth = Literal["core", "deep"]


@dataclass(frozen=True, slots=True)
class Arrow:
    """A remark on one line of quoted code."""

    line: int  # 1-based, within the quoted source
    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown."""

    text: str


@dataclass(frozen=True, slots=True)
class DemoRef:
    """A live demo by name, with preset fields; the locked ones cannot be changed."""

    name: str
    preset: Mapping[str, str]
    locked: frozenset[str]
    asks: bool = True  # its own question comes first


@dataclass(frozen=True, slots=True)
class RunRef:
    """A panel that really fine-tunes: a preset by name, with preset fields; the locked ones cannot be changed."""

    name: str
    preset: Mapping[str, str]
    locked: frozenset[str]


@dataclass(frozen=True, slots=True)
class QuizRef:
    """Questions in place. ``::: quiz`` without ids names here, once loaded, all that no other directive asks."""

    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FigureRef:
    """A drawing with its text alternative."""

    path: Path
    alt: str
    caption: str


@dataclass(frozen=True, slots=True)
class CodeRef:
    """Code quoted by reference from a file that runs, with arrows."""

    path: str
    name: str
    source: str
    first_line: int
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True, slots=True)
class ExerciseRef:
    """A link to an exercise with its title and points."""

    slug: str


MineView = Literal["open", "shrink", "merge", "route"]
"""What a lesson does with the learner's own adapter."""


@dataclass(frozen=True, slots=True)
class MineRef:
    """The adapter that the learner has trained, at work: the same one in every lesson."""

    view: MineView


PartName = Literal["map", "anchor", "terms", "phases", "myths", "errors", "checklist", "next"]


@dataclass(frozen=True, slots=True)
class Part:
    """Where a part that lesson.toml holds stands in the lesson's flow."""

    name: PartName


Piece = Prose | DemoRef | RunRef | MineRef | QuizRef | FigureRef | CodeRef | ExerciseRef | Part


@dataclass(frozen=True, slots=True)
class Block:
    """One page of a lesson: a heading, minutes, and pieces in order."""

    id: str
    title: str
    depth: Depth
    minutes: int
    pieces: tuple[Piece, ...]
