"""Examples that learners bring for their own fine-tuning: the file as uploaded, and what a reader said of it.

Leaves out reading the file (``demos.finetuning``): whoever adds one has read it before. ``summary`` is their JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from progress import people
from progress.database import Database
from progress.identity import Identity, require_owner
from progress.records import DatasetRow
from progress.submissions import Missing, Rejected, clean_name

MAX_BYTES = 2 * 2**20
MOST = 10
"""Files that one learner may keep."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A file of a learner's, without its bytes."""

    id: int
    learner: str
    name: str
    size: int  # bytes
    created: datetime
    summary: Mapping[str, Any]


def add(db: Database, actor: Identity, name: str, content: bytes, summary: Mapping[str, Any] | None = None) -> Dataset:
    """Keep a file. The same file again is the one that is kept already.

    Raises:
        Rejected: it is empty or too large, or too many are kept; one Russian sentence.
    """
    if not content.strip():
        raise Rejected("Файл пуст: добавьте в него примеры и загрузите ещё раз.")
    if len(content) > MAX_BYTES:
        raise Rejected(f"Файл больше {MAX_BYTES // 2**20} МиБ: оставьте часть примеров и загрузите ещё раз.")
    with db.writing() as session:
        people.enter(session, actor)
        named = (DatasetRow.learner == actor.id, DatasetRow.name == clean_name(name))
        same = session.scalars(select(DatasetRow).where(*named, DatasetRow.content == content)).first()
        if same is not None:
            return _to_dataset(same, len(content))
        if (session.scalar(select(func.count()).where(DatasetRow.learner == actor.id)) or 0) >= MOST:
            raise Rejected(f"Можно хранить не больше {MOST} своих файлов: удалите ненужный и загрузите снова.")
        row = DatasetRow(
            learner=actor.id,
            name=clean_name(name),
            content=content,
            created=people.now(),
            summary=dict(summary or {}),
        )
        session.add(row)
        session.flush()
        return _to_dataset(row, len(content))


def mine(db: Database, actor: Identity) -> tuple[Dataset, ...]:
    """The actor's files, oldest first."""
    with db.reading() as session:
        columns = (DatasetRow.id, DatasetRow.name, func.length(DatasetRow.content), DatasetRow.created)
        wanted = select(*columns, DatasetRow.summary).where(DatasetRow.learner == actor.id).order_by(DatasetRow.id)
        return tuple(Dataset(row[0], actor.id, *row[1:]) for row in session.execute(wanted))


def content(db: Database, dataset_id: int) -> tuple[bytes, str]:
    """The file and its name.

    Raises:
        Missing: there is none of that id.
    """
    with db.reading() as session:
        row = _row(session, dataset_id)
        return row.content, row.name


def get(db: Database, actor: Identity, dataset_id: int) -> Dataset:
    """One file: the actor's own, or anybody's for an instructor.

    Raises:
        Missing: there is none of that id.
        Forbidden: it is somebody else's.
    """
    with db.reading() as session:
        row = _row(session, dataset_id)
        require_owner(actor, row.learner)
        return _to_dataset(row, len(row.content))


def delete(db: Database, actor: Identity, dataset_id: int) -> None:
    """Remove a file. Runs that were made with it stay; a run that still waits for it will say that it is gone.

    Raises:
        Missing: there is none of that id.
        Forbidden: it is somebody else's.
    """
    with db.writing() as session:
        row = _row(session, dataset_id)
        require_owner(actor, row.learner)
        session.delete(row)


def _row(session: Session, dataset_id: int) -> DatasetRow:
    row = session.get(DatasetRow, dataset_id)
    if row is None:
        raise Missing("Этого файла с данными больше нет: загрузите его ещё раз.")
    return row


def _to_dataset(row: DatasetRow, size: int) -> Dataset:
    return Dataset(row.id, row.learner, row.name, size, row.created, row.summary)
