"""Otter-Grader's ``otter run``: its command without a container. One test file, a test case for each check."""

from __future__ import annotations

import json
import zipfile
from typing import ClassVar

from benchmarks.rivals.notebooks import cell, checks, notebook, tests
from benchmarks.rivals.rival import Rival

_HEAD = """OK_FORMAT = False
from benchmarks import local
from otter.test_files import test_case
name = "checks"
"""
_CASE = """
@test_case(name={check!r}, points=1)
def {check}(env):
    local.run({check!r}, {tests!r}, env)
"""


class Otter(Rival):
    """See above."""

    name: ClassVar[str] = "otter"
    title: ClassVar[str] = "otter run, no container"

    def prepare(self, source: str) -> None:
        """Pack the test file as ``otter generate`` does, without the scripts for a container."""
        path = tests(self.exercise)
        cases = (_CASE.format(check=check, tests=path) for check in checks(self.exercise))
        with zipfile.ZipFile(self.work / "autograder.zip", "w") as file:
            file.writestr("tests/checks.py", _HEAD + "".join(cases))
            file.writestr("otter_config.json", "{}")
        self.submit(source)

    def submit(self, source: str) -> None:
        (self.work / "answer.ipynb").write_text(notebook([cell("solution", source)]), encoding="utf-8")

    def grade(self) -> None:
        (self.work / "results.json").unlink(missing_ok=True)
        self.call("otter", "run", "--no-logo", "-a", "autograder.zip", "-o", ".", "answer.ipynb")

    def passed(self) -> int:
        found = json.loads((self.work / "results.json").read_text(encoding="utf-8"))
        return int(sum(test.get("score", 0) for test in found["tests"]))
