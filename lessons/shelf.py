"""What a lesson may refer to: demos, exercises, facts, misconceptions, other lessons. Gathered before any is built.

Leaves out the lessons' own parts: those are looked up where they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lessons.facts import Ledger
from lessons.faults import nearest
from settings import ROOT


@dataclass(frozen=True, slots=True)
class Known:
    """What the rest of the project offers to lessons; whoever loads the course says it, so nothing is imported."""

    demos: Mapping[str, frozenset[str]]  # name → its fields
    exercises: frozenset[str]  # slugs
    checks: Mapping[str, frozenset[str]]  # slug → ids of its checks
    root: Path = ROOT  # where files quoted by ``::: code`` are found
    preset: Callable[[str, Mapping[str, Any]], object] | None = None  # raises ValueError for values a demo refuses
    runs: Mapping[str, frozenset[str]] = field(default_factory=dict)  # preset of a run → fields that may be set
    run_preset: Callable[[str, Mapping[str, Any]], object] | None = None  # likewise for a run


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything that may be referred to from any lesson."""

    known: Known
    ledger: Ledger
    outlines: Mapping[str, tuple[str, ...]]  # lesson id → ids of its blocks
    misconceptions: frozenset[str] = field(default_factory=frozenset)

    def missing_lesson(self, lesson: str, block: str = "") -> str:
        """A sentence when there is no such lesson or block; empty when there is."""
        if lesson not in self.outlines:
            return f"нет урока «{lesson}»{nearest(lesson, self.outlines)}"
        if block and block not in self.outlines[lesson]:
            return f"в уроке «{lesson}» нет блока «{block}»{nearest(block, self.outlines[lesson])}"
        return ""

    def missing_misconception(self, name: str) -> str:
        """A sentence when misconceptions.toml lacks ``name``; empty when it has it, or when no name is given."""
        if not name or name in self.misconceptions:
            return ""
        return f"нет заблуждения «{name}» в misconceptions.toml{nearest(name, self.misconceptions)}"

    def missing_exercise(self, slug: str, check: str = "") -> str:
        """A sentence when there is no such exercise or check; empty when there is."""
        if slug not in self.known.exercises:
            return f"нет упражнения «{slug}»{nearest(slug, self.known.exercises)}"
        checks = self.known.checks.get(slug, frozenset())
        if check and check not in checks:
            return f"в упражнении «{slug}» нет проверки «{check}»{nearest(check, checks)}"
        return ""
