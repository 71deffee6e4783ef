"""nbgrader's ``autograde``: a graded cell for each check, in the kernel in which the submission ran."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import ClassVar

from benchmarks.rivals.notebooks import cell, checks, notebook, tests
from benchmarks.rivals.rival import Rival

_CONFIG = "c = get_config()\nc.CourseDirectory.course_id = 'bench'\n"
_CHECK = "from benchmarks import local\nlocal.run({check!r}, {tests!r}, globals())"


class Nbgrader(Rival):
    """See above."""

    name: ClassVar[str] = "nbgrader"
    title: ClassVar[str] = "nbgrader autograde"

    def prepare(self, source: str) -> None:
        """Make the assignment known to its gradebook."""
        (self.work / "nbgrader_config.py").write_text(_CONFIG)
        self._write("source", source)
        self.call("nbgrader", "generate_assignment", "checks")
        self.submit(source)

    def submit(self, source: str) -> None:
        self._write("submitted/learner", source)

    def grade(self) -> None:
        self.call("nbgrader", "autograde", "checks", "--student", "learner", "--force")

    def passed(self) -> int:
        with contextlib.closing(sqlite3.connect(self.work / "gradebook.db")) as book:
            return round(book.execute("select sum(auto_score) from grade").fetchone()[0] or 0)

    def _write(self, where: str, source: str) -> None:
        path, given = self.work / where / "checks" / "checks.ipynb", tests(self.exercise)
        path.parent.mkdir(parents=True, exist_ok=True)
        first = cell("solution", source, grade=False, solution=True, locked=False)
        rest = (
            cell(
                f"check-{number}",
                _CHECK.format(check=check, tests=given),
                grade=True,
                solution=False,
                locked=True,
                points=1,
            )
            for number, check in enumerate(checks(self.exercise))
        )
        path.write_text(notebook([first, *rest]), encoding="utf-8")
