"""Which worker processes live: each says so every few seconds, and which walls stand around what it grades.

Leaves out what they do (``jobs``) and what the walls are (``graders.host``): here they are opaque JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from progress import people
from progress.database import Database
from progress.records import WorkerRow

SILENCE = timedelta(seconds=15)
"""A worker not heard of for this long is taken for dead."""


def heartbeat(db: Database, worker: str, isolation: Mapping[str, Any] | None = None) -> None:
    """The worker lives. ``isolation``: the walls around what it grades, once it knows them."""
    with db.writing() as session:
        row = session.get(WorkerRow, worker)
        if row is None:
            row = WorkerRow(id=worker, started=people.now())
            session.add(row)
        row.seen = people.now()
        if isolation is not None:
            row.isolation = dict(isolation)


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


def isolation(db: Database, now: datetime | None = None, *, after: timedelta = SILENCE) -> dict[str, dict[str, Any]]:
    """The walls of each worker that has been heard of lately and has described them."""
    with db.reading() as session:
        limit = (now or people.now()) - after
        living = session.scalars(select(WorkerRow).where(WorkerRow.seen >= limit).order_by(WorkerRow.id))
        return {row.id: row.isolation for row in living if row.isolation is not None}


def forget(db: Database, worker: str) -> None:
    """The worker has ended, or its work has been taken over."""
    with db.writing() as session:
        row = session.get(WorkerRow, worker)
        if row is not None:
            session.delete(row)
