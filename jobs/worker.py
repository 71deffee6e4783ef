"""``python -m jobs.worker``: takes jobs from the queue, grades and trains, with everything warm.

It may be killed at any moment: what it was doing is taken up again by itself when it comes back under the same name,
or by another worker after a while. Leaves out what a job does (``jobs.grading``, ``jobs.training``).
"""

from __future__ import annotations

import dataclasses
import fcntl
import logging
import os
import platform
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import sqlalchemy as sa
from dbos import DBOS, WorkflowStatus

import settings
from graders.host.engine import Engine
from jobs import grading, process, queue, training
from jobs.tuning import Tuner
from progress import turns, workers
from progress.database import Database, DatabaseFault
from settings import Settings

POLLING = 0.1
"""Seconds between two looks into the queue. At 0.05 an idle worker used 12 % of a core, for 25 ms sooner verdicts."""
TICK, BEAT, SWEEP = 0.5, 5.0, 20.0
HANDS = max(1, (os.cpu_count() or 1) // 2)
"""Jobs of a kind that one worker does at a time: half the cores, for each grading keeps a judge and a sandbox busy."""
LATER = 15.0
"""Seconds after which a worker that is warm for grading gets ready for runs as well."""
DEAD_STATES = {"ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"}
log = logging.getLogger("course.worker")
_asked_to_stop = threading.Event()


class AlreadyRunning(RuntimeError):
    """A worker of this name lives on this machine; the message is a Russian sentence."""


def default_name() -> str:
    """A name that this machine's worker has at every start."""
    return re.sub(r"[^a-zA-Z0-9_.-]", "-", platform.node()) or "worker"


def serve(chosen: Settings, name: str) -> int:
    """Work until SIGTERM, Ctrl-C, or until the supervisor that started this process is gone; the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    obey_signals()
    try:
        with only_one(chosen, name), Engine(chosen.exercises_dir) as engine:
            tuner = Tuner(chosen.data_dir / "run" / f"tuning-{name}")
            Worker(chosen, name, grading.Bench(Database(chosen.database), engine, tuner)).run()
    except (DatabaseFault, AlreadyRunning) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


class Worker:
    """One worker process: its queues, its signs of life, and its care for jobs that others left behind."""

    def __init__(self, chosen: Settings, name: str, bench: grading.Bench) -> None:
        self._name, self._bench = name, bench
        self._isolation: dict[str, Any] | None = None
        self._queue = queue.Queue(chosen, bench.database)
        bench.pass_on = self._queue.enqueue
        DBOS(
            config={
                "name": queue.APPLICATION,
                "system_database_engine": self._queue.engine,
                "system_database_url": chosen.queue_database,
                "executor_id": name,
                "application_version": queue.VERSION,
                "serializer": queue.SERIALIZER,
                "log_level": "WARNING",
            }
        )

    def run(self) -> None:
        """Work until interrupted. Raises nothing for a database that is away for a while."""
        grading.bind(self._bench)
        try:
            DBOS.launch()
            for kind in (queue.GRADE, queue.TRIAL):
                DBOS.register_queue(kind, worker_concurrency=HANDS, polling_interval_sec=POLLING)
            if self._bench.tuner is not None:
                DBOS.register_queue(queue.RUN, worker_concurrency=1, polling_interval_sec=POLLING)
            # In a thread of its own: the answer takes as long as the engine needs to warm up.
            threading.Thread(target=self._warm_up, daemon=True).start()
            log.info("worker %s is ready", self._name)
            self._watch()
        except KeyboardInterrupt:
            log.info("worker %s stops", self._name)
        finally:
            self._bench.stopping.set()
            self._forget()
            if self._bench.tuner is not None:
                self._bench.tuner.close()

    def _watch(self) -> None:
        beat = sweep = 0.0
        while not process.orphaned() and not _asked_to_stop.is_set():
            now = time.monotonic()
            try:
                if now >= beat:
                    beat = now + BEAT
                    workers.heartbeat(self._bench.database, self._name, self._isolation)
                if now >= sweep:
                    sweep = now + SWEEP
                    self._sweep()
            except (DatabaseFault, sa.exc.SQLAlchemyError) as error:
                log.warning("the database is away: %s", error)
            _asked_to_stop.wait(TICK)

    def _warm_up(self) -> None:
        """Grading first; then keep the parent of runs warm, so that a click does not wait for it.

        Not at once: whoever has just started a course wants its pages. A run asked for before does not wait for this.
        """
        self._look_at_walls()
        self._bench.stopping.wait(LATER)
        while self._bench.tuner is not None and not self._bench.stopping.wait(TICK):
            self._bench.tuner.ready(TICK)

    def _look_at_walls(self) -> None:
        """Ask the engine which walls stand, again and again until they do: an operator may be mending the machine."""
        while not self._bench.stopping.is_set():
            found = dataclasses.asdict(self._bench.grader.isolation())
            self._isolation = found
            if found.get("ready"):
                return
            self._bench.stopping.wait(SWEEP)

    def _sweep(self) -> None:
        """Take over the jobs of silent workers, and find a job for every row that has none."""
        for name in workers.silent(self._bench.database):
            if name != self._name:
                # Internal to DBOS, whose own service calls it; a row is moved only while it still is the silent
                # worker's, so several that sweep at once do no harm.
                recovered = DBOS._recover_pending_workflows([name])
                log.warning("worker %s is silent; took over %d jobs", name, len(recovered))
                workers.forget(self._bench.database, name)
        for kind, table in queue.TABLES.items():
            self._reconcile(kind, turns.due(self._bench.database, table))

    def _reconcile(self, kind: str, numbers: tuple[int, ...]) -> None:
        jobs = {job.workflow_id: job for job in self._jobs(kind, numbers)}
        for number in numbers:
            job = jobs.get(queue.job_id(kind, number))
            if job is None:
                self._queue.enqueue(kind, number)
            elif job.status in DEAD_STATES:
                self._give_up(kind, number)
                self._queue.enqueue(kind, number)
            elif job.status == "SUCCESS" and self._still_open(kind, number):
                log.warning("%s has ended without an answer; once more", job.workflow_id)
                self._queue.client.delete_workflow(job.workflow_id)
                self._queue.enqueue(kind, number)

    def _give_up(self, kind: str, number: int) -> None:
        if kind == queue.RUN:
            training.give_up(self._bench.database, number)
        else:
            grading.give_up(self._bench.database, kind, number)

    def _jobs(self, kind: str, numbers: tuple[int, ...]) -> list[WorkflowStatus]:
        names = [queue.job_id(kind, number) for number in numbers]
        if not names:
            return []
        return self._queue.client.list_workflows(workflow_ids=names, load_input=False, load_output=False)

    def _still_open(self, kind: str, number: int) -> bool:
        """The rows were read before the jobs: one may have got its answer in between."""
        return number in turns.due(self._bench.database, queue.TABLES[kind])

    def _forget(self) -> None:
        try:
            workers.forget(self._bench.database, self._name)
        except DatabaseFault as error:
            log.warning("could not sign off: %s", error)


@contextmanager
def only_one(chosen: Settings, name: str) -> Iterator[None]:
    """Hold the lock of this worker's name; the kernel lets go of it however the process ends."""
    folder = chosen.data_dir / "run"
    folder.mkdir(parents=True, exist_ok=True)
    with Path(folder / f"worker-{name}.lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"Проверяющий процесс «{name}» уже работает: дайте второму другое имя, "
                "например ./course worker --name второй-на-этой-машине."
            ) from None
        yield


def obey_signals() -> None:
    """SIGTERM and Ctrl-C end the worker: at once by KeyboardInterrupt, and within a tick if that is lost."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _asked_to_stop.set()  # an exception may be lost: one raised inside a finalizer is only printed
    raise KeyboardInterrupt


def main(chosen: Settings | None = None, name: str = "") -> NoReturn:
    """The worker of this machine; ends the process. The databases have been prepared (``jobs.prepare``)."""
    status = serve(chosen or settings.current(), name or default_name())
    logging.shutdown()
    # Threads of DBOS may be in the middle of a job; the job is taken up again, so nothing waits for them.
    os._exit(status)


if __name__ == "__main__":
    main()
