"""The queue as the app sees it: puts gradings and trials in, says who is before whom. Imports no torch.

Only numbers of rows travel through it, as JSON; the rows are written before (``progress.submissions``). An enqueueing
that fails or is lost loses nothing: the worker looks for rows without a job. Leaves out the work (``jobs.grading``).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient, DBOSPortableJSONSerializer, WorkflowStatus

from progress import workers
from progress.database import Database, DatabaseFault
from settings import Settings

APPLICATION, VERSION = "donastroika", "1"
"""Name and version under which jobs are stored. The version stays, so that an update strands no waiting job."""
GRADE, TRIAL = "grade", "trial"
SERIALIZER = DBOSPortableJSONSerializer()
"""JSON, never pickle: what stands in the queue's tables is data."""

WAITING, RUNNING = "ENQUEUED", "PENDING"
TYPICAL_SECONDS = 1.0
WAIT = 10.0
"""Seconds to wait for another's lock."""
_FRESH, _REMEMBERED = 0.5, 15.0
log = logging.getLogger("course.queue")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a submission stands: ``position`` 0 is being graded, 1 is next; seconds until its verdict."""

    position: int
    expected_seconds: float


class Queue:
    """One per process; may be used by many threads.

    ``database`` is the course's, where workers give signs of life; ``wait`` is how many seconds a call waits for
    another's lock.
    """

    def __init__(self, settings: Settings, database: Database | None = None, *, wait: float = WAIT) -> None:
        self.engine = connect(settings, wait)
        self.database = database or Database(settings.database)
        self.client = DBOSClient(
            system_database_engine=self.engine,
            serializer=SERIALIZER,
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )
        self._lock = threading.Lock()
        self._open: tuple[float, Sequence[WorkflowStatus]] = (0.0, ())
        self._typical: tuple[float, float] = (0.0, TYPICAL_SECONDS)

    def grade(self, submission_id: int) -> bool:
        """Enqueue a stored submission, once however often it is called; False when the queue cannot be reached now."""
        return self._enqueue(GRADE, submission_id)

    def trial(self, trial_id: int) -> bool:
        """Enqueue a stored trial, likewise. Trials have a queue of their own and do not wait behind gradings."""
        return self._enqueue(TRIAL, trial_id)

    def place(self, submission_id: int) -> Place | None:
        """Where the submission stands, or None when it has no job that waits or runs, or the queue cannot be read."""
        try:
            return self._place(submission_id)
        except (sa.exc.SQLAlchemyError, DatabaseFault) as error:
            log.warning("cannot see the place of submission %d: %s", submission_id, error)
            return None

    def _place(self, submission_id: int) -> Place | None:
        jobs = self._unfinished()
        running = [job for job in jobs if job.status == RUNNING]
        waiting = [job for job in jobs if job.status == WAITING]
        name = job_id(GRADE, submission_id)
        typical = self._typical_seconds()
        if any(job.workflow_id == name for job in running):
            return Place(0, typical)
        for index, job in enumerate(waiting, start=1):
            if job.workflow_id == name:
                return Place(index, typical * (1 + (index - 1 + len(running)) / self._hands()))
        return None

    def alive(self) -> bool:
        """Whether some worker gave a sign of life a moment ago."""
        try:
            return bool(workers.alive(self.database))
        except DatabaseFault as error:
            log.warning("cannot see whether workers live: %s", error)
            return False

    def close(self) -> None:
        """Give the connections back."""
        self.client.destroy()
        self.engine.dispose()

    def _enqueue(self, kind: str, number: int) -> bool:
        options: Any = {
            "workflow_name": kind,
            "queue_name": kind,
            "workflow_id": job_id(kind, number),
            "app_version": VERSION,
        }
        try:
            # In a transaction of ours: DBOS's own tries again without end while SQLite is locked.
            with self.engine.begin() as rows:
                self.client.enqueue_in_transaction(rows, options, number)
        except sa.exc.SQLAlchemyError as error:
            log.warning("%s %d is stored but not enqueued, the worker will find it: %s", kind, number, error)
            return False
        return True

    def _unfinished(self) -> Sequence[WorkflowStatus]:
        """Gradings that wait or run, oldest first; read at most twice a second, however many pages poll."""
        with self._lock:
            read_at, jobs = self._open
            if time.monotonic() - read_at > _FRESH:
                jobs = self.client.list_workflows(
                    queue_name=GRADE, status=[WAITING, RUNNING], load_input=False, load_output=False
                )
                self._open = (time.monotonic(), jobs)
            return jobs

    def _typical_seconds(self) -> float:
        with self._lock:
            read_at, seconds = self._typical
            if time.monotonic() - read_at > _REMEMBERED:
                done = self.client.list_workflows(
                    queue_name=GRADE, status="SUCCESS", sort_desc=True, limit=20, load_input=False, load_output=False
                )
                spans = [job.completed_at - job.dequeued_at for job in done if job.completed_at and job.dequeued_at]
                seconds = sum(spans) / len(spans) / 1000 if spans else TYPICAL_SECONDS
                self._typical = (time.monotonic(), seconds)
            return seconds

    def _hands(self) -> int:
        queue = self.client.retrieve_queue(GRADE)
        each = (queue.worker_concurrency if queue else None) or 1
        return each * max(1, len(workers.alive(self.database)))


def job_id(kind: str, number: int) -> str:
    """The job of a row: one and the same however often it is enqueued."""
    return f"{kind}-{number}"


def connect(settings: Settings, wait: float = WAIT) -> sa.Engine:
    """An engine for the queue's database; SQLite takes the write lock when a transaction begins, and waits for it."""
    engine = sa.create_engine(settings.queue_database, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", partial(_prepare_sqlite, wait))
    return engine


def _prepare_sqlite(wait: float, connection: Any, _record: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    connection.execute(f"PRAGMA busy_timeout={round(wait * 1000)}")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
