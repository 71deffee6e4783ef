"""From the click that sends a solution to its stored verdict, beside other graders on the same ten checks.

Each in turn, in one run: our whole path (the row, the queue, a worker, the sandbox, the verdict read back), cold
``python -m pytest``, Otter-Grader and nbgrader (``benchmarks.rivals``; installed when first asked for). Only ours has a
sandbox; the others run the checks in the submission's process. The exercise is ``benchmarks/exercises/peft-adapter``,
whose solution uses peft itself: those of the course need only torch. Then one and two workers, a long row of
submissions (``benchmarks.soak``), and the sandbox alone (``benchmarks.walls``).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks import soak, table, walls
from benchmarks.rivals.environment import NotInstalled
from benchmarks.rivals.nbgrader import Nbgrader
from benchmarks.rivals.otter import Otter
from benchmarks.rivals.rival import Rival
from benchmarks.school import School, require, school
from graders import exercise
from graders.host.engine import Engine
from graders.protocol import Job
from settings import ROOT

FOLDER = ROOT / "benchmarks" / "exercises" / "peft-adapter"
CHECKS = len(exercise.load(FOLDER).checks)
RUNS, COLD_RUNS, RIVAL_RUNS, CROWD = 15, 3, 2, 30
LIMIT = 0.5
"""Seconds from submit to verdict, median."""
PATH, ENGINE, COLD = "submit to stored verdict", "  of it the engine, warm", "python -m pytest, cold"
AT_LEAST = {COLD: 10.0, Otter.title: 20.0}
"""How many times slower than our whole path the others have to be."""
NOTE = f"""  The same {CHECKS} functions for all; only ours runs the submission behind walls and apart from its checks.
  pytest: solution.py imported into its process. Otter: an exception-based test file, a case for each check.
  nbgrader: a graded cell for each check. Both as commands, with the Jupyter kernel that each of them starts.
  Before its first counted run each rival has failed a wrong solution; every counted run has passed all checks."""
Row = tuple[str, ...]


@dataclass(slots=True)
class Contestant:
    """One way of grading. ``act`` is measured, ``verify`` raises when the verdict is not the right one."""

    act: Callable[[], object]
    runs: int
    verify: Callable[[], object] = lambda: None
    times: list[float] = field(default_factory=list)

    def go(self) -> None:
        """One more counted run."""
        self.times.append(seconds(self.act))
        self.verify()


def main() -> int:
    """Print the tables; 1 when a bound is missed."""
    kept = [_compare(), _endure(), _enclose()]
    return 0 if all(kept) else 1


def _compare() -> bool:
    """All graders in turn, then a crowd before one worker and before two."""
    with school(FOLDER) as course, Engine(FOLDER.parent) as engine, tempfile.TemporaryDirectory() as work:
        rivals, missing = prepared(Path(work))
        warm = seconds(lambda: course.hire("first"))
        contestants = {
            PATH: Contestant(lambda: course.wait(*course.send()), RUNS),
            ENGINE: Contestant(lambda: grade(engine), RUNS),
            COLD: Contestant(plain_pytest, COLD_RUNS),
        }
        contestants |= {rival.title: Contestant(rival.grade, RIVAL_RUNS, partial(passed, rival)) for rival in rivals}
        for contestant in list(contestants.values())[:2]:
            contestant.act()  # the first one after a start is not counted
        take_turns(list(contestants.values()))
        rows, kept = compared({title: contestant.times for title, contestant in contestants.items()})
        rest = [*missing, ("a worker, from its start to warm", f"{warm:.2f} s", "", "", "", "")]
        _show(f"Grading {FOLDER.name}: {CHECKS} checks, in turn", (*_SPREAD, "times ours", "bound"), [*rows, *rest])
        print(NOTE)
        head = ("workers", "until the last verdict", "")
        _show(f"Throughput: {CROWD} learners send at once", head, throughput(course))
    return kept


def _endure() -> bool:
    with Engine(FOLDER.parent) as engine:
        rows, kept = soak.rows(engine, FOLDER)
    _show("A long row of submissions: nothing may grow", ("what", "before", "after", "change", "bound"), rows)
    print(soak.NOTE)
    return kept


def _enclose() -> bool:
    rows, kept = walls.rows()
    _show(f"The sandbox alone: fork, walls, first frame; {walls.FORKS} times each", (*_SPREAD, "bound"), rows)
    return kept


_SPREAD = ("what", "median", "p95", "best")


def prepared(work: Path) -> tuple[list[Rival], list[Row]]:
    """The rivals that work here, each of which has told the mistake from the solution; and rows for the others."""
    found: list[Rival] = []
    missing: list[Row] = []
    for kind in (Otter, Nbgrader):
        try:
            found.append(ready(kind(FOLDER, work / kind.name)))
        except NotInstalled as error:
            missing.append((kind.title, "not installed", "", "", "", str(error)))
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            missing.append((kind.title, "does not work", "", "", "", str(error).strip().splitlines()[-1][-100:]))
    return found, missing


def ready(rival: Rival) -> Rival:
    """The rival with the right solution laid down, once it has seen through the mistake: warm, as its next run is.

    Raises:
        RuntimeError: it let the mistake pass, or its checks have not run.
    """
    right, wrong = ((FOLDER / name).read_text(encoding="utf-8") for name in ("solution.py", "mistake.py"))
    rival.prepare(right)
    rival.submit(wrong)
    rival.grade()
    if not 0 < rival.passed() < CHECKS:
        raise RuntimeError(f"{rival.title}: a wrong solution passed {rival.passed()} of {CHECKS} checks")
    rival.submit(right)
    return rival


def passed(rival: Rival) -> None:
    """Raise unless the solution has passed every check: a quick wrong verdict is no verdict."""
    if rival.passed() != CHECKS:
        raise RuntimeError(f"{rival.title}: the solution passed {rival.passed()} of {CHECKS} checks")


def grade(engine: Engine) -> None:
    """One grading by our engine alone."""
    require(engine.grade(Job(FOLDER.name, (FOLDER / "solution.py").read_bytes())).outcome)


def take_turns(contestants: Sequence[Contestant]) -> None:
    """Everybody's first run, then everybody's second: what else the machine does meets all alike."""
    for number in range(max(contestant.runs for contestant in contestants)):
        for contestant in contestants:
            if number < contestant.runs:
                contestant.go()


def compared(times: Mapping[str, Sequence[float]]) -> tuple[list[Row], bool]:
    """The table's rows, and whether every bound is kept."""
    ours = statistics.median(times[PATH])
    rows: list[Row] = []
    kept = ours <= LIMIT
    for title, measured in times.items():
        ratio = statistics.median(measured) / ours
        least = AT_LEAST.get(title)
        kept = kept and (least is None or ratio >= least)
        bound = table.verdict(ratio, least, at_least=True) if least else ""
        bound = table.verdict(ours, LIMIT) if title == PATH else bound
        rows.append((title, *_spread(measured), f"{ratio:.1f}", bound))
    return rows, kept


def throughput(course: School) -> list[Row]:
    """A crowd before the worker that is there, and before two on the same queue."""
    rows: list[Row] = []
    for workers in (1, 2):
        if workers == 2:
            course.hire("second")
        took = course.crowd(CROWD)
        rows.append((str(workers), f"{took:.2f} s", f"{CROWD / took:.1f} per s"))
    return rows


def plain_pytest(folder: Path = FOLDER) -> None:
    """The checks of an exercise on its own solution under a fresh ``python -m pytest``, without a sandbox.

    Raises:
        RuntimeError: a check has not run or not passed.
    """
    task = exercise.load(folder)
    command = ["-m", "pytest", str(task.tests), "-p", "benchmarks.in_process", "-q", "-c", os.devnull]
    command += ["--rootdir", str(task.folder), "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # plugins that happen to be installed here are not its fault
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode or f"{len(task.checks)} passed" not in done.stdout:
        raise RuntimeError(f"plain pytest did not pass {len(task.checks)} checks:\n{done.stdout}{done.stderr}")


def seconds(action: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _spread(measured: Sequence[float]) -> tuple[str, str, str]:
    ordered = sorted(measured)
    late = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f"{statistics.median(ordered):.3f} s", f"{late:.3f} s", f"{ordered[0]:.3f} s"


def _show(title: str, head: Sequence[str], rows: Sequence[Row]) -> None:
    table.show(f"{title} ({table.machine()})", head, rows)
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
