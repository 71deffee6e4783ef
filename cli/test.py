"""``./course test``: style, types, import rules, content, then the tests; pytest comes last and so has the last line.

With arguments of pytest only pytest runs. Leaves out installing (the launcher ``course`` does that).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from common import numbers
from settings import ROOT, Settings


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that must succeed: its name for the reader and the command."""

    name: str
    command: tuple[str, ...]


PYTHON = sys.executable
QUICK = (
    Step("стиль (ruff)", (PYTHON, "-m", "ruff", "check")),
    Step("оформление (ruff format)", (PYTHON, "-m", "ruff", "format", "--check")),
    Step(
        "правила импорта (import-linter)",
        (PYTHON, "-P", "-c", "from importlinter.cli import lint_imports_command as m; m()"),
    ),
    Step("уроки (./course check)", (PYTHON, "-P", "-m", "cli", "check")),
)
FULL = (*QUICK, Step("типы (mypy)", (PYTHON, "-m", "mypy")))
"""Numbers of lessons are computed anew by tests/lessons/test_content.py, beside other tests."""
TESTS = (PYTHON, "-m", "pytest")
TOGETHER = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
"""Two test processes: a third was no faster on two cores (1079 s, two 1046 s) and made tests of deadlines fail.
tests/conftest.py says who takes what."""


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "test",
        help="все проверки и тесты; --quick — меньше минуты",
        description="Стиль, типы, правила импорта, уроки и тесты. Прочие ключи уходят в pytest, тогда идёт только он.",
    )
    parser.add_argument("--quick", action="store_true", help="без медленных тестов и проверки типов")
    parser.add_argument("pytest", nargs="*", metavar="…", help="ключи и пути для pytest")


def split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words of the command line that are ours, and those that pytest gets untouched and in their order.

    argparse cannot do it: it would refuse pytest's options or tear them from their values.
    """
    ours = {"--quick", "-h", "--help"}
    return [words[0], *(word for word in words[1:] if word in ours)], [word for word in words[1:] if word not in ours]


def run(arguments: argparse.Namespace, _settings: Settings) -> int:
    """Run every step, even after a failure; the status is not 0 when any failed."""
    selection = ["-m", "not slow"] if arguments.quick else []
    if arguments.pytest:
        return _call((*TESTS, *selection, *arguments.pytest))
    failed = [step.name for step in (QUICK if arguments.quick else FULL) if not _passes(step)]
    if failed:
        print(f"\nНе прошло до тестов: {', '.join(failed)}. Дальше — тесты.", flush=True)
    print("\n— тесты (pytest)", flush=True)
    tests = _call((*TESTS, *TOGETHER, *selection))
    return int(bool(failed)) or tests


def _passes(step: Step) -> bool:
    print(f"— {step.name}", flush=True)
    started = time.perf_counter()
    status = _call(step.command)
    verdict = "в порядке" if status == 0 else "НЕ ПРОШЛО"
    print(f"  {verdict}, {numbers.duration(time.perf_counter() - started)}", flush=True)
    return status == 0


def _call(command: tuple[str, ...]) -> int:
    # Settings of the person who runs the tests must not reach them, and the hundreds of processes that they start
    # must not compile the course anew each.
    ours = ("COURSE_", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}  # several test processes: more threads only spin
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
