"""A worker with a grader that does what the submission's first word says, slowly; for tests of the queue.

Everything else is real: the databases, DBOS, the worker's care for lost jobs, and fine-tuning where a test wants it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from pathlib import Path

import settings
from graders.host.engine import Isolation
from graders.protocol import Check, Job, Outcome, Trial, Verdict
from jobs import grading, process, worker
from jobs.prepare import prepare
from jobs.tuning import Tuner
from progress.database import Database

SWEEP = float(os.environ.get("TEST_SWEEP", "0.5"))


class Grader:
    """Writes down every call, so that a test can count them."""

    def __init__(self, diary: Path) -> None:
        self._diary = diary

    def grade(self, job: Job) -> Verdict:
        self._note("grade", job)
        word = job.source.split()[0].decode()
        if word == "slow":
            time.sleep(float(job.source.split()[1]))
            self._note("end", job)
        if word == "deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "infra" or (word == "flaky" and self._times(job) < 3):
            return Verdict(job.exercise, Outcome.INFRA_ERROR, "наша ошибка")
        check = Check("t", "проверка", "c", points=1, earned=1, outcome=Outcome.PASSED)
        return Verdict(job.exercise, Outcome.PASSED, "принято", (check,))

    def run(self, job: Job, call: str) -> Trial:
        self._note("run", job)
        return Trial(Outcome.PASSED, value=call)

    def isolation(self) -> Isolation:
        return Isolation(ready=True, layers=("namespaces",))

    def _note(self, what: str, job: Job) -> None:
        with self._diary.open("a") as diary:
            diary.write(f"{what} {os.getpid()} {job.source.decode()}\n")

    def _times(self, job: Job) -> int:
        return self._diary.read_text().count(job.source.decode())


def tuner(folder: Path, name: str) -> Tuner | None:
    """Nearly as polite as in the course: a run at nice 10 would not get far beside other tests."""
    return Tuner(folder / "run" / f"tuning-{name}", nice=1) if os.environ.get("TEST_TUNING") else None


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    worker.SWEEP, worker.HANDS = SWEEP, 1
    grading.PAUSE = 0.05
    chosen = settings.current()
    process.die_with_parent()
    prepare(chosen)
    name = sys.argv[1]
    worker.obey_signals()
    try:
        with worker.only_one(chosen, name):
            grader = Grader(chosen.data_dir / "diary")
            bench = grading.Bench(Database(chosen.database), grader, tuner(chosen.data_dir, name))
            worker.Worker(chosen, name, bench).run()
    except worker.AlreadyRunning as error:
        sys.exit(str(error))
    os._exit(0)


if __name__ == "__main__":
    main()
