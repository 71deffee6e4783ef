"""From the click that sends a solution to its stored verdict, beside plain ``python -m pytest`` on the same checks.

The whole path: the row, the queue, the worker of a running course, the sandbox, the verdict read back. Plain pytest
runs the very same check file with the solution imported into its own process (``benchmarks.in_process``): cold, as a
grader that starts a process for each submission is, and without a sandbox.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import settings
from benchmarks import table
from benchmarks.running import Running, running_course
from graders import exercise
from graders.host.engine import Engine
from graders.protocol import Job, Outcome
from jobs.queue import Queue
from progress import submissions
from progress.database import Database
from progress.identity import Identity
from settings import ROOT

EXERCISE = "lora-linear"
FOLDER = ROOT / "exercises" / EXERCISE
RUNS, COLD_RUNS, CROWD = 15, 5, 30
LIMIT, TIMES = 0.5, 10.0
"""Seconds from submit to verdict, median; how many times faster than plain pytest."""
PATIENCE = 60.0
LOOK = 0.002


@dataclass(slots=True)
class Times:
    """Seconds, run by run."""

    path: list[float] = field(default_factory=list)
    engine: list[float] = field(default_factory=list)
    pytest: list[float] = field(default_factory=list)


class School:
    """Sends solutions to a running course as its pages do, and waits for verdicts."""

    def __init__(self, course: Running) -> None:
        chosen = settings.load({**os.environ, "COURSE_DATA_DIR": str(course.data_dir)})
        self._database = Database(chosen.database)
        self._queue = Queue(chosen, self._database)
        self._source = (FOLDER / "solution.py").read_bytes()
        self._sent = 0

    def send(self) -> tuple[Identity, int]:
        """A new learner sends the solution; who, and the submission's number."""
        self._sent += 1
        learner = Identity(f"learner-{self._sent}", f"Ученик {self._sent}", instructor=False)
        sent = submissions.submit(self._database, learner, EXERCISE, self._source)
        if not self._queue.grade(sent.id):
            raise RuntimeError("the queue did not take the submission")
        return learner, sent.id

    def wait(self, learner: Identity, number: int) -> None:
        """Return when the verdict is stored.

        Raises:
            RuntimeError: the solution has not passed, or nobody answers.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            outcome = submissions.get(self._database, learner, number).outcome
            if outcome is not None:
                require(outcome)
                return
            time.sleep(LOOK)
        raise RuntimeError(f"no verdict in {PATIENCE} s")

    def close(self) -> None:
        """Give the connections back."""
        self._queue.close()
        self._database.close()


def main() -> int:
    """Print the table; 1 when a bound is missed."""
    times = Times()
    with running_course() as course, Engine(ROOT / "exercises") as engine:
        school = School(course)
        first = _seconds(lambda: school.wait(*school.send()))
        _grade(engine)
        for number in range(RUNS):
            times.path.append(_seconds(lambda: school.wait(*school.send())))
            times.engine.append(_seconds(lambda: _grade(engine)))
            if number < COLD_RUNS:
                times.pytest.append(_seconds(plain_pytest))
        crowd = _seconds(lambda: _send_and_wait(school, CROWD))
        school.close()
    return _report(times, first, crowd)


def plain_pytest(folder: Path = FOLDER) -> None:
    """The checks of an exercise on its own solution under a fresh ``python -m pytest``, without a sandbox.

    Raises:
        RuntimeError: a check has not run or not passed.
    """
    task = exercise.load(folder)
    command = ["-m", "pytest", str(task.tests), "-p", "benchmarks.in_process", "-q", "-c", os.devnull]
    command += ["--rootdir", str(task.folder), "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode or f"{len(task.checks)} passed" not in done.stdout:
        raise RuntimeError(f"plain pytest did not pass {len(task.checks)} checks:\n{done.stdout}{done.stderr}")


def require(outcome: Outcome) -> None:
    """Raise unless the solution has passed: a quick wrong verdict is no verdict."""
    if outcome is not Outcome.PASSED:
        raise RuntimeError(f"the solution of {EXERCISE} got {outcome}")


def _grade(engine: Engine) -> None:
    source = (FOLDER / "solution.py").read_bytes()
    require(engine.grade(Job(EXERCISE, source)).outcome)


def _send_and_wait(school: School, many: int) -> None:
    for sent in [school.send() for _ in range(many)]:
        school.wait(*sent)


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _report(times: Times, first: float, crowd: float) -> int:
    path, cold = statistics.median(times.path), statistics.median(times.pytest)
    checks = len(exercise.load(FOLDER).checks)
    rows = [
        ("submit to stored verdict", *_spread(times.path), table.verdict(path, LIMIT)),
        ("  of it the engine, warm", *_spread(times.engine), ""),
        ("python -m pytest, cold, no sandbox", *_spread(times.pytest), ""),
        ("  times slower than ours", f"{cold / path:.1f}", "", "", table.verdict(cold / path, TIMES, at_least=True)),
        ("the first one after a start", f"{first:.2f} s", "", "", ""),
        (f"{CROWD} sent at once", f"{crowd:.2f} s", f"{CROWD / crowd:.1f} per s", "", ""),
    ]
    table.show(
        f"Grading {EXERCISE}: {checks} checks, {RUNS} runs ({COLD_RUNS} cold ones), in turn ({table.machine()})",
        ("what", "median", "p95", "best", "bound"),
        rows,
    )
    return 0 if path <= LIMIT and cold / path >= TIMES else 1


def _spread(seconds: Sequence[float]) -> tuple[str, str, str]:
    ordered = sorted(seconds)
    late = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f"{statistics.median(ordered):.3f} s", f"{late:.3f} s", f"{ordered[0]:.3f} s"


if __name__ == "__main__":
    raise SystemExit(main())
