"""From enqueueing a submission to its stored verdict, with a worker as the course runs it, against a cold start."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import settings
from benchmarks.table import show
from graders.protocol import Outcome
from jobs.prepare import prepare
from jobs.queue import Queue
from progress import submissions
from progress.database import Database
from progress.identity import LOCAL
from settings import ROOT, Settings

RUNS, WARM_UP, LIMIT, AT_LEAST = 15, 2, 0.5, 10.0
EXERCISE = "lora-linear"


@contextmanager
def worker(chosen: Settings) -> Iterator[None]:
    """A worker on its own data, as the supervisor starts it."""
    environment = {**os.environ, **chosen.environment(), "PYTHONPATH": str(ROOT)}
    with (chosen.data_dir / "worker.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "jobs.worker"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            yield
        finally:
            child.terminate()
            child.wait()


def once(database: Database, queue: Queue, source: bytes) -> float:
    """Seconds from just before the row is written until the verdict can be read."""
    started = time.perf_counter()
    number = submissions.submit(database, LOCAL, EXERCISE, source).id
    queue.grade(number)
    while (found := submissions.get(database, LOCAL, number)).state != "done":
        time.sleep(0.005)
    if found.outcome is not Outcome.PASSED:
        raise RuntimeError(f"the solution of {EXERCISE} was not accepted: {found.outcome}")
    return time.perf_counter() - started


def cold(solution: Path) -> float:
    """Seconds for the same grading by a process that starts with nothing loaded."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "cli", "grade", EXERCISE, str(solution)]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def main() -> int:
    """Print the table; 1 when a bound does not hold."""
    solution = ROOT / "exercises" / EXERCISE / "solution.py"
    with tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as folder:
        chosen = settings.load({}, data_dir=Path(folder))
        prepare(chosen)
        database = Database(chosen.database)
        queue = Queue(chosen, database)
        with worker(chosen):
            source = solution.read_bytes()
            spans = [once(database, queue, source + b"\n# %d\n" % run) for run in range(WARM_UP + RUNS)]
    median, worst, alone = statistics.median(spans[WARM_UP:]), max(spans[WARM_UP:]), cold(solution)
    rows = [
        ["submit to stored verdict, median", f"{median:.2f} s", f"<= {LIMIT} s"],
        ["worst", f"{worst:.2f} s", ""],
        ["a cold process", f"{alone:.2f} s", ""],
        ["ratio", f"{alone / median:.0f}x", f">= {AT_LEAST:.0f}x"],
    ]
    show(f"Verdict on {EXERCISE}, {RUNS} submissions one after another", ["what", "measured", "bound"], rows)
    return 0 if median <= LIMIT and alone / median >= AT_LEAST else 1


if __name__ == "__main__":
    raise SystemExit(main())
