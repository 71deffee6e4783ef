"""The queue as the app sees it: puts gradings and trials in, says who is before whom. Imports no torch.

Only numbers of rows travel through it, as JSON; the rows are written before (``progress.submissions``). Learners take
turns: of each only the oldest row without an answer is enqueued, and the next one when that is done, at the end of the
line. DBOS's own partitions would draw the next learner by lot, and nobody could be told a place. An enqueueing that
fails or is lost loses nothing: the worker looks for rows without a job. Leaves out the work (``jobs.grading``).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient, DBOSPortableJSONSerializer

from progress import turns, workers
from progress.database import Database, DatabaseFault
from progress.records import SubmissionRow, TrialRow
from settings import Settings

APPLICATION, VERSION = "donastroika", "1"
"""Name and version under which jobs are stored. The version stays, so that an update strands no waiting job."""
GRADE, TRIAL = "grade", "trial"
TABLES: Mapping[str, turns.Table] = {GRADE: SubmissionRow, TRIAL: TrialRow}
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


@dataclass(frozen=True, slots=True)
class Line:
    """Everything without a verdict, in the order of grading; ``running``: what is being graded now."""

    rows: tuple[turns.Waiting, ...] = ()
    running: frozenset[int] = frozenset()

    def place(self, submission_id: int, typical: float, hands: int) -> Place | None:
        """Where the submission stands when one takes ``typical`` seconds and ``hands`` are graded at a time."""
        if submission_id in self.running:
            return Place(0, typical)
        before: list[turns.Waiting] = []
        for row in self.rows:
            if row.id == submission_id:
                own = sum(earlier.learner == row.learner for earlier in before)  # never graded side by side
                waiting = sum(earlier.id not in self.running for earlier in before)
                return Place(waiting + 1, typical * (1 + max(own, len(before) / hands)))
            before.append(row)
        return None


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
        self._line: tuple[float, Line] = (0.0, Line())
        self._typical: tuple[float, float] = (0.0, TYPICAL_SECONDS)

    def grade(self, submission_id: int) -> bool:
        """See to it that whoever sent this has a job; False when the queue cannot be reached now.

        The job is for their submission whose turn it is. Each is enqueued once, however often this is called.
        """
        return self.enqueue(GRADE, submission_id)

    def trial(self, trial_id: int) -> bool:
        """Likewise for a trial. Trials have a queue of their own and do not wait behind gradings."""
        return self.enqueue(TRIAL, trial_id)

    def place(self, submission_id: int) -> Place | None:
        """Where the submission stands, or None when it has its verdict, or the queue cannot be read."""
        try:
            return self._read_line().place(submission_id, self._typical_seconds(), self._hands())
        except (sa.exc.SQLAlchemyError, DatabaseFault) as error:
            log.warning("cannot see the place of submission %d: %s", submission_id, error)
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

    def enqueue(self, kind: str, number: int) -> bool:
        """``grade`` or ``trial``, by the kind of job; also what the worker does when ``number`` has its answer."""
        try:
            due = turns.due_after(self.database, TABLES[kind], number)
            if due is not None:
                self._put(kind, due)
        except (sa.exc.SQLAlchemyError, DatabaseFault) as error:
            log.warning("%s %d is stored but not enqueued, the worker will find it: %s", kind, number, error)
            return False
        return True

    def _put(self, kind: str, number: int) -> None:
        options: Any = {
            "workflow_name": kind,
            "queue_name": kind,
            "workflow_id": job_id(kind, number),
            "app_version": VERSION,
        }
        # In a transaction of ours: DBOS's own tries again without end while SQLite is locked.
        with self.engine.begin() as rows:
            self.client.enqueue_in_transaction(rows, options, number)

    def _read_line(self) -> Line:
        """Who waits for a verdict; read at most twice a second, however many pages poll."""
        with self._lock:
            read_at, line = self._line
            if time.monotonic() - read_at > _FRESH:
                line = self._look_at_line()
                self._line = (time.monotonic(), line)
            return line

    def _look_at_line(self) -> Line:
        jobs = self.client.list_workflows(
            queue_name=GRADE, status=[WAITING, RUNNING], load_input=False, load_output=False
        )
        rows = turns.waiting(self.database, SubmissionRow)
        names = {job_id(GRADE, row.id): row.id for row in rows}
        running = [job.workflow_id for job in jobs if job.status == RUNNING]
        queued = [job.workflow_id for job in jobs if job.status == WAITING]
        known = [names[name] for name in (*running, *queued) if name in names]
        places = {number: place for place, number in enumerate(known)}
        return Line(turns.line(rows, places), frozenset(names[name] for name in running if name in names))

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
