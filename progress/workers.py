"""Which worker processes live: each says so every few seconds. Leaves out what they do (``jobs``)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from progress import people
from progress.database import Database
from progress.records import WorkerRow

SILENCE = timedelta(seconds=15)
"""A worker not heard of for this long is taken for dead."""


def heartbeat(db: Database, worker: str) -> None:
    """The worker lives."""
    with db.writing() as session:
        row = session.get(WorkerRow, worker)
        if row is None:
            row = WorkerRow(id=worker, started=people.now())
            session.add(row)
        row.seen = people.now()


def silent(db: Database, now: datetime | None = None, *, after: timedelta = SILENCE) -> tuple[str, ...]:
    """Ids of the workers that have not been heard of for ``after``."""
    with db.reading() as session:
        limit = (now or people.now()) - after
        return tuple(session.scalars(select(WorkerRow.id).where(WorkerRow.seen < limit).order_by(WorkerRow.id)))


def alive(db: Database, now: datetime | None = None, *, after: timedelta = SILENCE) -> tuple[str, ...]:
    """Ids of the workers that have been heard of lately."""
    with db.reading() as session:
        limit = (now or people.now()) - after
        return tuple(session.scalars(select(WorkerRow.id).where(WorkerRow.seen >= limit).order_by(WorkerRow.id)))


def forget(db: Database, worker: str) -> None:
    """The worker has ended, or its work has been taken over."""
    with db.writing() as session:
        row = session.get(WorkerRow, worker)
        if row is not None:
            session.delete(row)
