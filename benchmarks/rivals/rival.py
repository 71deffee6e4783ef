"""What every rival grader does for the comparison: get ready once, grade a submission, say how many checks passed."""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from benchmarks.rivals import environment

PATIENCE = 300


class Rival(ABC):
    """One grader with an exercise, in a folder of its own. Making it installs it where it is missing.

    Raises:
        benchmarks.rivals.environment.NotInstalled: it cannot be had here.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, exercise: Path, work: Path) -> None:
        self.exercise, self.work = exercise, work
        self._python = environment.python_with(self.name)
        self.work.mkdir(parents=True)

    @abstractmethod
    def prepare(self, source: str) -> None:
        """Lay down the assignment with its right solution ``source``, once; and what grading needs."""

    @abstractmethod
    def submit(self, source: str) -> None:
        """Lay down what is graded next."""

    @abstractmethod
    def grade(self) -> None:
        """Grade it: all of this is measured.

        Raises:
            RuntimeError: the grader itself failed.
        """

    @abstractmethod
    def passed(self) -> int:
        """How many checks the latest submission passed."""

    def call(self, *arguments: str) -> None:
        """Run ``python -m`` the grader in its folder."""
        done = subprocess.run(
            [str(self._python), "-m", *arguments],
            cwd=self.work,
            env=environment.environment(self._python, self.work),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        if done.returncode:
            raise RuntimeError(f"{self.title}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
