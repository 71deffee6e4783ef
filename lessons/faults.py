"""What is wrong with the content: where, and in one Russian sentence for its author.

A fault names the file (relative to the folder that holds ``content/``), the line and the key, so that an editor can
jump there. Leaves out finding faults: the modules that read do that.

>>> from pathlib import Path
>>> str(Fault(Path("content/02-lora/lesson.toml"), 14, "prereqs", "неизвестный ключ"))
'content/02-lora/lesson.toml:14 `prereqs`: неизвестный ключ'
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault of the content. Sorts by file, then line."""

    path: Path
    line: int  # 1-based
    key: str  # dotted, without indexes; empty when the whole file or line is meant
    message: str  # Russian, without a full stop

    def __str__(self) -> str:
        key = f" `{self.key}`" if self.key else ""
        return f"{self.path.as_posix()}:{self.line}{key}: {self.message}"


class ContentError(ValueError):
    """The content has faults: all of them, sorted."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class Collector:
    """Gathers the faults of all files in one run, and which files are too broken to be shown.

    A fault that ``breaks`` keeps its lesson out of the course; others (a figure typed by hand, too few questions) are
    reported, and the lesson is shown, so that an author sees work in progress.
    """

    def __init__(self) -> None:
        self._faults: set[Fault] = set()
        self._broken: set[Path] = set()

    def add(self, fault: Fault, *, breaks: bool = True) -> None:
        """Keep a fault; the same fault twice is one."""
        self._faults.add(fault)
        if breaks:
            self._broken.add(fault.path)

    def spoil(self, path: Path) -> None:
        """Mark a file as broken by a fault that another file answers for."""
        self._broken.add(path)

    def broken(self, folder: Path) -> bool:
        """Whether a file in ``folder`` (relative, as faults name it) cannot be shown."""
        return any(path.is_relative_to(folder) for path in self._broken)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All faults so far, sorted."""
        return tuple(sorted(self._faults))


def closest(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant; empty when none is close."""
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)), "")


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown ``name``: the closest known one, or all when none is close."""
    names = sorted(known)
    if close := closest(name, names):
        return f"; ближайший известный — `{close}`"
    return f"; известны: {', '.join(f'`{one}`' for one in names[:12])}" if names else ""
