"""The learner's row: made at their first deed, locked while one of theirs is being stored. Leaves out accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from progress.identity import Identity
from progress.records import LearnerRow


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def enter(session: Session, actor: Identity) -> LearnerRow:
    """The actor's row, made or renamed where needed, locked until the transaction ends.

    The lock puts one learner's writes in order on PostgreSQL, as ``BEGIN IMMEDIATE`` does for all on SQLite.
    """
    row = session.get(LearnerRow, actor.id, with_for_update=True)
    if row is None:
        _insert(session, actor)
        row = session.get_one(LearnerRow, actor.id, with_for_update=True)
    row.name, row.instructor = actor.name, actor.instructor
    return row


def _insert(session: Session, actor: Identity) -> None:
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    table = LearnerRow.__table__
    assert isinstance(table, Table)  # noqa: S101 (narrows a type)
    values = {"id": actor.id, "name": actor.name, "instructor": actor.instructor, "sample": False, "created": now()}
    session.execute(dialect.insert(table).values(values).on_conflict_do_nothing())
