"""The queue as the app sees it: puts gradings, trials and runs in, says who is before whom. Imports no torch.

Only numbers of rows travel through it, as JSON; the rows are written before (``progress.submissions``). Learners take
turns: of each only the oldest row without an answer is enqueued, and the next one when that is done, at the end of the
line. DBOS's own partitions would draw the next learner by lot, and nobody could be told a place. An enqueueing that
fails or is lost loses nothing: the worker looks for rows without a job. Leaves out the work (``jobs.grading``,
``jobs.training``).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient, DBOSPortableJSONSerializer

from demos.finetuning import events
from demos.finetuning.spec import RunSpec
from jobs import sentences
from progress import runs, turns, workers
from progress.database import Database, DatabaseFault
from progress.identity import Identity
from progress.records import RunRow, SubmissionRow, TrialRow
from settings import Settings

APPLICATION, VERSION = "donastroika", "1"
"""Name and version under which jobs are stored. The version stays, so that an update strands no waiting job."""
GRADE, TRIAL, RUN = "grade", "trial", "run"
TABLES: Mapping[str, turns.Table] = {GRADE: SubmissionRow, TRIAL: TrialRow, RUN: RunRow}
SERIALIZER = DBOSPortableJSONSerializer()
"""JSON, never pickle: what stands in the queue's tables is data."""

WAITING, RUNNING = "ENQUEUED", "PENDING"
TYPICAL_SECONDS: Mapping[str, float] = {GRADE: 1.0, RUN: 45.0}
"""What is expected before anything was measured here."""
LONG_WAIT = 5.0
"""Seconds of expected wait from which a recorded run is shown meanwhile: nobody looks at an empty chart for longer."""
WAIT = 10.0
"""Seconds to wait for another's lock."""
_FRESH, _REMEMBERED = 0.5, 15.0
log = logging.getLogger("course.queue")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: ``position`` 0 is being worked on, 1 is next; seconds until its answer and its beginning."""

    position: int
    expected_seconds: float
    wait_seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Line:
    """Everything without an answer, in its order; ``running``: what is worked on, for ``spent`` seconds in all."""

    rows: tuple[turns.Waiting, ...] = ()
    running: frozenset[int] = frozenset()
    spent: float = 0.0

    def place(self, number: int, typical: float, hands: int) -> Place | None:
        """Where a row stands when one takes ``typical`` seconds and ``hands`` are worked on at a time."""
        if number in self.running:
            return Place(0, max(0.0, typical - self.spent / len(self.running)))
        before: list[turns.Waiting] = []
        for row in self.rows:
            if row.id == number:
                own = sum(earlier.learner == row.learner for earlier in before)  # never side by side
                waiting = sum(earlier.id not in self.running for earlier in before)
                work = typical * len(before) - min(self.spent, typical * len(self.running))
                wait = max(typical * own, work / hands)
                return Place(waiting + 1, typical + wait, wait)
            before.append(row)
        return None


def replay(
    place: Place | None, spec: RunSpec, recorded: Callable[[str], Sequence[Mapping[str, Any]] | None]
) -> Sequence[Mapping[str, Any]] | None:
    """The events of a recorded run of the same ``spec``, to be shown (marked «запись») until one's own begins.

    None when it has begun or soon will, or when none was ``recorded`` under the spec's fingerprint.
    """
    if place is None or place.wait_seconds < LONG_WAIT:
        return None
    return recorded(spec.fingerprint)


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
        self._lines: dict[str, tuple[float, Line]] = {}
        self._typical: dict[str, tuple[float, float]] = {}

    def grade(self, submission_id: int) -> bool:
        """See to it that whoever sent this has a job; False when the queue cannot be reached now.

        The job is for their submission whose turn it is. Each is enqueued once, however often this is called.
        """
        return self.enqueue(GRADE, submission_id)

    def trial(self, trial_id: int) -> bool:
        """Likewise for a trial. Trials have a queue of their own and do not wait behind gradings."""
        return self.enqueue(TRIAL, trial_id)

    def run(self, run_id: int) -> bool:
        """Likewise for a fine-tuning run, of which each worker does one at a time; also after a cancelled one."""
        return self.enqueue(RUN, run_id)

    def cancel(self, actor: Identity, run_id: int) -> runs.Run:
        """End a run, or ask the worker to, and let the learner's next one take its place. Twice is once.

        Raises:
            Missing, Forbidden, DatabaseFault: one Russian sentence.
        """
        said = events.to_json(events.Failed("cancelled", sentences.CANCELLED_WAITING, 0.0))
        ended = runs.request_cancel(self.database, actor, run_id, said)
        self.run(run_id)
        return ended

    def place(self, submission_id: int) -> Place | None:
        """Where the submission stands, or None when it has its verdict, or the queue cannot be read."""
        return self._place(GRADE, submission_id)

    def run_place(self, run_id: int) -> Place | None:
        """Where the run stands, or None when it is over, or the queue cannot be read."""
        return self._place(RUN, run_id)

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
        """The same by the ``kind`` of job; also what the worker does when ``number`` has its answer."""
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

    def _place(self, kind: str, number: int) -> Place | None:
        try:
            return self._read_line(kind).place(number, self._typical_seconds(kind), self._hands(kind))
        except (sa.exc.SQLAlchemyError, DatabaseFault) as error:
            log.warning("cannot see the place of %s %d: %s", kind, number, error)
            return None

    def _read_line(self, kind: str) -> Line:
        """Who waits; read at most twice a second, however many pages poll."""
        with self._lock:
            read_at, line = self._lines.get(kind, (-_FRESH, Line()))
            if time.monotonic() - read_at > _FRESH:
                line = self._look_at_line(kind)
                self._lines[kind] = (time.monotonic(), line)
            return line

    def _look_at_line(self, kind: str) -> Line:
        jobs = self.client.list_workflows(
            queue_name=kind, status=[WAITING, RUNNING], load_input=False, load_output=False
        )
        rows = turns.waiting(self.database, TABLES[kind])
        names = {job_id(kind, row.id): row.id for row in rows}
        running = [job for job in jobs if job.status == RUNNING and job.workflow_id in names]
        queued = [job for job in jobs if job.status == WAITING and job.workflow_id in names]
        places = {names[job.workflow_id]: place for place, job in enumerate((*running, *queued))}
        spent = sum(max(0.0, time.time() - (job.dequeued_at or time.time() * 1000) / 1000) for job in running)
        return Line(
            turns.line(rows, places),
            frozenset(names[job.workflow_id] for job in running),
            spent if kind == RUN else 0.0,  # a grading is over before this means anything
        )

    def _typical_seconds(self, kind: str) -> float:
        with self._lock:
            read_at, seconds = self._typical.get(kind, (-_REMEMBERED, TYPICAL_SECONDS[kind]))
            if time.monotonic() - read_at > _REMEMBERED:
                spans = runs.durations(self.database) if kind == RUN else self._spans(kind)
                seconds = sum(spans) / len(spans) if spans else TYPICAL_SECONDS[kind]
                self._typical[kind] = (time.monotonic(), seconds)
            return seconds

    def _spans(self, kind: str) -> list[float]:
        done = self.client.list_workflows(
            queue_name=kind, status="SUCCESS", sort_desc=True, limit=20, load_input=False, load_output=False
        )
        return [(job.completed_at - job.dequeued_at) / 1000 for job in done if job.completed_at and job.dequeued_at]

    def _hands(self, kind: str) -> int:
        queue = self.client.retrieve_queue(kind)
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
