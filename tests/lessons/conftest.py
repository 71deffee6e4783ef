"""A course of one tiny lesson, copied to a folder of its own: tests break it one line at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lessons import facts
from lessons.faults import Collector, Fault
from lessons.loader import Known, load, load_leniently
from lessons.model import Course

TINY = Path(__file__).parent / "tiny"


@dataclass(frozen=True)
class Pieces:
    pieces: int
    share: float
    added: int


def call(name: str, arguments: Mapping[str, Any]) -> Pieces:
    """The only demo of the tiny course."""
    if name != "halves.cut":
        raise ValueError(f"Нет демонстрации «{name}».")
    times = int(arguments["times"])
    if times < 0:
        raise ValueError("Разрезов не бывает меньше нуля.")
    return Pieces(2**times, 1 / 2**times, 2 * times)


@dataclass
class Site:
    """The tiny course on disk."""

    root: Path

    @property
    def content(self) -> Path:
        return self.root / "content"

    @property
    def known(self) -> Known:
        return Known(
            demos={"halves.cut": frozenset({"times"})},
            exercises=frozenset({"cut-it"}),
            checks={"cut-it": frozenset({"equal"})},
            root=self.root,
            preset=call,
        )

    def lock(self) -> None:
        for sheet in facts.read_sheets(self.content, Collector()):
            entries, _ = facts.compute(sheet.specs.values(), call)
            facts.write_lock(sheet.folder, facts.Lock(entries, {"python": "3"}))

    def write(self, name: str, text: str) -> Path:
        file = self.content / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def read(self, name: str) -> str:
        return (self.content / name).read_text(encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> int:
        """Replace ``old``, which must be there, and return the line where it stood."""
        text = self.read(name)
        assert old in text, f"{name} has no {old!r}"
        self.write(name, text.replace(old, new, 1))
        return text[: text.index(old)].count("\n") + 1

    def load(self) -> Course:
        return load(self.content, self.known)

    def leniently(self) -> tuple[Course, tuple[Fault, ...]]:
        return load_leniently(self.content, self.known)

    def faults(self) -> tuple[Fault, ...]:
        return self.leniently()[1]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A sound course."""
    shutil.copytree(TINY, tmp_path, dirs_exist_ok=True)
    made = Site(tmp_path)
    made.lock()
    return made


@pytest.fixture
def compute() -> Callable[[str, Mapping[str, Any]], object]:
    """The callable that computes facts of the tiny course."""
    return call
