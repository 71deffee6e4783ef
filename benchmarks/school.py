"""A class that sends solutions to real workers: the rows, the queue, ``./course worker``, the verdicts read back.

Leaves out the pages: what they do for a click is what ``School.send`` does. SQLite, in a folder of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import settings
from graders.protocol import Outcome
from jobs.prepare import prepare
from jobs.queue import Queue
from progress import submissions, workers
from progress.database import Database
from progress.identity import Identity
from settings import ROOT, Settings

PATIENCE, WARMING = 60.0, 120.0
LOOK = 0.002


class School:
    """Sends ``solution`` to the course of ``chosen`` as its pages do, and waits for verdicts."""

    def __init__(self, chosen: Settings, solution: Path) -> None:
        self._chosen, self._started = chosen, ExitStack()
        self.database = self._started.enter_context(_closing(Database(chosen.database)))
        self.queue = Queue(chosen, self.database)
        self._exercise, self._source = solution.parent.name, solution.read_bytes()
        self._sent = 0

    def hire(self, name: str) -> None:
        """Start one more worker, ended by ``close``; returns when it is warm.

        Raises:
            RuntimeError: it is not warm in time, or cannot grade here.
        """
        self._started.enter_context(_worker(self._chosen, name))
        deadline = time.monotonic() + WARMING
        while name not in (found := workers.isolation(self.database)):
            if time.monotonic() > deadline:
                raise RuntimeError(f"worker {name} is not warm after {WARMING} s")
            time.sleep(0.1)
        if not found[name].get("ready"):
            raise RuntimeError(f"worker {name} cannot grade: {found[name].get('problem')}")

    def send(self) -> tuple[Identity, int]:
        """A new learner sends the solution; who, and the submission's number."""
        self._sent += 1
        learner = Identity(f"learner-{self._sent}", f"Ученик {self._sent}", instructor=False)
        sent = submissions.submit(self.database, learner, self._exercise, self._source)
        if not self.queue.grade(sent.id):
            raise RuntimeError("the queue did not take the submission")
        return learner, sent.id

    def wait(self, learner: Identity, number: int) -> None:
        """Return when the verdict is stored.

        Raises:
            RuntimeError: the solution has not passed, or nobody answers.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            outcome = submissions.get(self.database, learner, number).outcome
            if outcome is not None:
                require(outcome)
                return
            time.sleep(LOOK)
        raise RuntimeError(f"no verdict in {PATIENCE} s")

    def crowd(self, many: int) -> float:
        """So many learners send at once; seconds until the last verdict."""
        started = time.perf_counter()
        for sent in [self.send() for _ in range(many)]:
            self.wait(*sent)
        return time.perf_counter() - started

    def close(self) -> None:
        """End the workers and give the connections back."""
        self.queue.close()
        self._started.close()


def require(outcome: Outcome) -> None:
    """Raise unless the solution has passed: a quick wrong verdict is no verdict."""
    if outcome is not Outcome.PASSED:
        raise RuntimeError(f"the solution got {outcome}")


@contextmanager
def school(exercise: Path) -> Iterator[School]:
    """A course without pages and workers yet, for the exercise in that folder."""
    with tempfile.TemporaryDirectory(prefix="course-bench-", ignore_cleanup_errors=True) as folder:
        own = {"COURSE_DATA_DIR": folder, "COURSE_DATABASE_URL": "", "COURSE_EXERCISES_DIR": str(exercise.parent)}
        chosen = settings.load({**os.environ, **own})
        prepare(chosen)
        opened = School(chosen, exercise / "solution.py")
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def _closing(database: Database) -> Iterator[Database]:
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _worker(chosen: Settings, name: str) -> Iterator[None]:
    environment = {**os.environ, **chosen.environment(), "PYTHONPATH": str(ROOT)}
    with (chosen.data_dir / f"{name}.log").open("wb") as log:
        command = [sys.executable, "-P", "-m", "cli", "worker", "--name", name]
        child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
