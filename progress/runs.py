"""Fine-tuning runs, from the click to the last event. Each call is one transaction.

A row comes first, then the job. What a run is (``spec``) and what it says (events) is JSON that only others read. Calls
with an actor are for pages, others for the worker and for whoever has the link: a run may be seen by all learners of
the course. Leaves out whose turn it is (``turns``), the work and the queue (``jobs``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from progress import pace, people, run_files
from progress.database import Database
from progress.identity import Forbidden, Identity, require_owner
from progress.records import DatasetRow, LearnerRow, RunEventRow, RunRow
from progress.submissions import Missing, Rejected

State = Literal["queued", "running", "done"]
Outcome = Literal["finished", "failed", "cancelled"]
Event = Mapping[str, Any]

MAX_WAITING = 3
"""Runs of one learner that may wait or go on at a time: the lesson's three curves."""
PER_HOUR = 20
HOUR = timedelta(hours=1)
DOUBLE_CLICK = timedelta(seconds=2)
MAX_TITLE = 120


@dataclass(frozen=True, slots=True)
class Run:
    """A run and whose it is. ``events`` are stored so far; ``restarts``: how often it began anew."""

    id: int
    learner: str
    learner_name: str
    title: str
    spec: Mapping[str, Any]
    dataset: int | None
    state: State
    outcome: Outcome | None
    created: datetime
    started: datetime | None
    finished: datetime | None
    cancel_requested: bool
    restarts: int
    events: int
    summary: Mapping[str, Any]


def create(
    db: Database, actor: Identity, spec: Mapping[str, Any], title: str = "", *, dataset: int | None = None
) -> Run:
    """Ask for a run, maybe on a ``dataset`` of one's own. The same twice within two seconds is a double click.

    Raises:
        Rejected: too many wait or came within an hour, or the dataset is gone; one Russian sentence.
    """
    with db.writing() as session:
        learner = people.enter(session, actor)
        row = RunRow(
            learner=actor.id,
            title=clean_title(title),
            spec=dict(spec),
            dataset=dataset,
            state="queued",
            created=people.now(),
            cancel_requested=False,
            restarts=0,
            events=0,
        )
        twin = _double_click(session, row)
        if twin is not None:
            return _to_run(twin, learner.name)
        _check_limits(session, row)
        session.add(row)
        session.flush()
        return _to_run(row, learner.name)


def run(db: Database, run_id: int) -> Run:
    """One run, anybody's: links to runs are shared.

    Raises:
        Missing: there is none of that id.
    """
    with db.reading() as session:
        row = _row(session, run_id)
        return _to_run(row, session.get_one(LearnerRow, row.learner).name)


def mine(db: Database, actor: Identity, *, most: int = 200) -> tuple[Run, ...]:
    """The actor's latest runs, newest first."""
    with db.reading() as session:
        wanted = select(RunRow).where(RunRow.learner == actor.id).order_by(RunRow.id.desc()).limit(most)
        return tuple(_to_run(row, actor.name) for row in session.scalars(wanted))


def events_since(db: Database, run_id: int, number: int = 0) -> tuple[dict[str, Any], ...]:
    """The events after the first ``number``, in order; there are none of a run that is not there."""
    with db.reading() as session:
        wanted = select(RunEventRow.event).where(RunEventRow.run == run_id, RunEventRow.number > number)
        return tuple(session.scalars(wanted.order_by(RunEventRow.number)))


def rename(db: Database, actor: Identity, run_id: int, title: str) -> None:
    """Give the run another title; an empty one is none.

    Raises:
        Missing: there is none of that id.
        Forbidden: it is somebody else's.
    """
    with db.writing() as session:
        _own(session, actor, run_id).title = clean_title(title)


def delete(db: Database, actor: Identity, run_id: int) -> None:
    """Remove a run that is over, with its events and files.

    Raises:
        Missing: there is none of that id.
        Forbidden: it is somebody else's.
        Rejected: it is not over.
    """
    with db.writing() as session:
        row = _own(session, actor, run_id)
        if row.state != "done":
            raise Rejected("Этот запуск ещё не закончен: сначала отмените его, потом удалите.")
        session.delete(row)


def request_cancel(db: Database, actor: Identity, run_id: int, said: Event | None = None) -> Run:
    """Ask for the end of a run; one that waits ends at once, with ``said`` as its last event. Twice is once.

    Raises:
        Missing: there is none of that id.
        Forbidden: it is somebody else's.
    """
    with db.writing() as session:
        row = _own(session, actor, run_id)
        if row.state == "queued":
            _end(session, row, "cancelled", [said] if said else [])
        row.cancel_requested = row.cancel_requested or row.outcome in {None, "cancelled"}
        return _to_run(row, session.get_one(LearnerRow, row.learner).name)


def cancel_requested(db: Database, run_id: int) -> bool:
    """Whether the run shall end; also when it is gone."""
    with db.reading() as session:
        return session.scalar(select(RunRow.cancel_requested).where(RunRow.id == run_id)) is not False


def start(db: Database, run_id: int) -> Run:
    """A worker begins. One that was running begins anew and counts a restart; one that is done stays done.

    Raises:
        Missing: there is none of that id.
    """
    with db.writing() as session:
        row = _row(session, run_id, lock=True)
        if row.state == "running":
            row.restarts += 1
        if row.state != "done":
            row.state, row.started = "running", people.now()
        return _to_run(row, session.get_one(LearnerRow, row.learner).name)


def append_events(db: Database, run_id: int, events: Sequence[Event], summary: Mapping[str, Any] | None = None) -> None:
    """Store what a running run said since the last time. Nothing is added to one that is done.

    Raises:
        Missing: there is none of that id.
    """
    with db.writing() as session:
        row = _row(session, run_id, lock=True)
        if row.state != "done":
            _append(session, row, events)
            row.summary = row.summary if summary is None else dict(summary)


def finish(
    db: Database,
    run_id: int,
    outcome: Outcome,
    events: Sequence[Event] = (),
    *,
    files: Mapping[str, bytes] | None = None,
    summary: Mapping[str, Any] | None = None,
) -> bool:
    """Store the end, with the last events and the ``files`` left behind; whether this was the end.

    Raises:
        Missing: there is none of that id.
        ValueError: files too many or too large.
    """
    with db.writing() as session:
        row = _row(session, run_id, lock=True)
        if row.state == "done":
            return False
        _end(session, row, outcome, events)
        row.summary = row.summary if summary is None else dict(summary)
        run_files.keep(session, row, files or {})
        return True


def durations(db: Database, *, most: int = 20) -> tuple[float, ...]:
    """How many seconds the latest runs took that came to their end, anybody's."""
    with db.reading() as session:
        wanted = select(RunRow.started, RunRow.finished).where(RunRow.outcome == "finished")
        rows = session.execute(wanted.order_by(RunRow.id.desc()).limit(most))
        return tuple((end - begin).total_seconds() for begin, end in rows if begin and end)


def clean_title(title: str) -> str:
    """A title in one line, of printable signs, not endless."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in title).split())[:MAX_TITLE]


def _check_limits(session: Session, row: RunRow) -> None:
    if row.dataset is not None:
        found = session.get(DatasetRow, row.dataset)
        if found is None or found.learner != row.learner:
            raise Rejected("Этих данных больше нет: загрузите файл ещё раз или выберите задачу курса.")
    owned = (RunRow.learner == row.learner,)
    if (session.scalar(select(func.count()).where(*owned, RunRow.state != "done")) or 0) >= MAX_WAITING:
        raise Rejected(f"У вас уже {MAX_WAITING} незаконченных запуска: дождитесь одного из них или отмените его.")
    seconds = pace.wait(session, RunRow.created, owned, PER_HOUR, HOUR)
    if seconds:
        raise Rejected(
            f"За час можно запустить не больше {PER_HOUR} обучений: подождите {math.ceil(seconds / 60)} мин "
            "и запустите снова."
        )


def _double_click(session: Session, row: RunRow) -> RunRow | None:
    wanted = select(RunRow).where(RunRow.learner == row.learner, RunRow.created > row.created - DOUBLE_CLICK)
    lately = session.scalars(wanted.order_by(RunRow.id.desc()))
    asked = (row.spec, row.title, row.dataset)
    return next((one for one in lately if (one.spec, one.title, one.dataset) == asked and one.state != "done"), None)


def _append(session: Session, row: RunRow, events: Sequence[Event]) -> None:
    session.add_all(
        RunEventRow(run=row.id, number=row.events + n, event=dict(e)) for n, e in enumerate(events, start=1)
    )
    row.events += len(events)


def _end(session: Session, row: RunRow, outcome: Outcome, events: Sequence[Event]) -> None:
    _append(session, row, events)
    row.state, row.outcome, row.finished = "done", outcome, people.now()


def _own(session: Session, actor: Identity, run_id: int) -> RunRow:
    row = _row(session, run_id, lock=True)
    try:
        require_owner(actor, row.learner)
    except Forbidden:
        raise Forbidden(
            "Это запуск другого учащегося: смотреть его можно, а менять — только автору и преподавателю."
        ) from None
    return row


def _row(session: Session, run_id: int, *, lock: bool = False) -> RunRow:
    row = session.get(RunRow, run_id, with_for_update=lock)
    if row is None:
        raise Missing(f"Запуска № {run_id} нет: возможно, его удалили или ссылка устарела.")
    return row


def _to_run(row: RunRow, learner_name: str) -> Run:
    return Run(
        id=row.id,
        learner=row.learner,
        learner_name=learner_name,
        title=row.title,
        spec=row.spec,
        dataset=row.dataset,
        state=cast("State", row.state),
        outcome=cast("Outcome | None", row.outcome),
        created=row.created,
        started=row.started,
        finished=row.finished,
        cancel_requested=row.cancel_requested,
        restarts=row.restarts,
        events=row.events,
        summary=row.summary or {},
    )
