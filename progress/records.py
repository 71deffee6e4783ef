"""The tables. Everything hangs on a learner, so removing one removes all that is theirs.

What people typed is kept as bytes (UTF-8): PostgreSQL's text refuses NUL, and a learner's file may hold anything.
Leaves out what the rows mean (``learning``, ``submissions``, ``trials``, ``runs``, ``datasets``, ``workers``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, LargeBinary, MetaData, TypeDecorator, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Names of constraints, so that a migration can drop one on either database."""


class Moment(TypeDecorator[datetime]):
    """A point in time, aware and in UTC on both databases (SQLite forgets the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse a naive time: nobody can say later what it meant."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"naive time {value!r}")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give SQLite's times their zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: Moment, dict[str, Any]: JSON(none_as_null=True), bytes: LargeBinary}  # noqa: RUF012


def _owner(*, primary: bool = False, index: bool = False) -> Mapped[str]:
    return mapped_column(ForeignKey("learners.id", ondelete="CASCADE"), primary_key=primary, index=index)


class LearnerRow(Base):
    """Anyone who has done anything. ``sample``: invented, see ``progress.sample``."""

    __tablename__ = "learners"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    instructor: Mapped[bool]
    sample: Mapped[bool]
    created: Mapped[datetime]


class TickRow(Base):
    """«Я понимаю»: the learner's own word about an item. Removing the tick removes the row."""

    __tablename__ = "ticks"

    learner: Mapped[str] = _owner(primary=True)
    lesson: Mapped[str] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class AnswerRow(Base):
    """One answer to one question. All are kept; ``number`` counts a learner's answers to a question from 1."""

    __tablename__ = "answers"
    __table_args__ = (UniqueConstraint("learner", "lesson", "question", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    learner: Mapped[str] = _owner()
    lesson: Mapped[str] = mapped_column(index=True)
    question: Mapped[str]
    number: Mapped[int]
    response: Mapped[dict[str, Any]]
    right: Mapped[bool]
    confidence: Mapped[str]
    misconception: Mapped[str]
    hinted: Mapped[bool]
    at: Mapped[datetime]


class VisitRow(Base):
    """A block that the learner has opened; the latest one is where they are."""

    __tablename__ = "visits"

    learner: Mapped[str] = _owner(primary=True)
    lesson: Mapped[str] = mapped_column(primary_key=True)
    block: Mapped[str] = mapped_column(primary_key=True)
    first: Mapped[datetime]
    last: Mapped[datetime]


class DraftRow(Base):
    """The text in the editor, as of the last key."""

    __tablename__ = "drafts"

    learner: Mapped[str] = _owner(primary=True)
    exercise: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[bytes]
    at: Mapped[datetime]


class HintRow(Base):
    """A hint of an exercise that the learner has opened."""

    __tablename__ = "hints"

    learner: Mapped[str] = _owner(primary=True)
    exercise: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]


class SubmissionRow(Base):
    """A file sent for grading. Ids are never used again: the queue names its jobs after them."""

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("learner", "exercise", "number"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    learner: Mapped[str] = _owner()
    exercise: Mapped[str]
    number: Mapped[int]  # from 1 for each learner and exercise
    source: Mapped[bytes]
    filename: Mapped[str]
    created: Mapped[datetime]
    state: Mapped[str] = mapped_column(index=True)  # queued | running | done
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    outcome: Mapped[str | None]
    verdict: Mapped[dict[str, Any] | None]


class TrialRow(Base):
    """One press of «Запустить». Only a learner's last few are kept."""

    __tablename__ = "trials"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    learner: Mapped[str] = _owner(index=True)
    exercise: Mapped[str]
    source: Mapped[bytes]
    call: Mapped[bytes]
    created: Mapped[datetime]
    state: Mapped[str] = mapped_column(index=True)  # queued | running | done
    result: Mapped[dict[str, Any] | None]


class WorkerRow(Base):
    """A worker process, when it was last seen, and the walls around what it grades as it described them."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    started: Mapped[datetime]
    seen: Mapped[datetime]
    isolation: Mapped[dict[str, Any] | None]


class RunRow(Base):
    """One fine-tuning run asked for. What it is and what it says is JSON that only others can read."""

    __tablename__ = "runs"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    learner: Mapped[str] = _owner(index=True)
    title: Mapped[str]
    spec: Mapped[dict[str, Any]]
    dataset: Mapped[int | None]  # one of theirs, which may be gone by now
    state: Mapped[str] = mapped_column(index=True)  # queued | running | done
    outcome: Mapped[str | None]  # finished | failed | cancelled
    created: Mapped[datetime]
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    cancel_requested: Mapped[bool]
    restarts: Mapped[int]
    events: Mapped[int]  # how many are stored
    summary: Mapped[dict[str, Any] | None]  # for lists, which read no events


class RunEventRow(Base):
    """What a run said, in order."""

    __tablename__ = "run_events"

    run: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # from 1
    event: Mapped[dict[str, Any]]


class RunFileRow(Base):
    """A file that a run left behind: a part of the adapter or of the whole model."""

    __tablename__ = "run_files"

    run: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]  # bytes
    content: Mapped[bytes]


class DatasetRow(Base):
    """Examples of a learner's own, as uploaded."""

    __tablename__ = "datasets"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    learner: Mapped[str] = _owner(index=True)
    name: Mapped[str]
    content: Mapped[bytes]
    created: Mapped[datetime]
    summary: Mapped[dict[str, Any]]
