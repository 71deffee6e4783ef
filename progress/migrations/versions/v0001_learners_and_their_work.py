"""Learners and their work."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    _people()
    _lessons()
    _exercises()
    _work()


def _people() -> None:
    op.create_table(
        "learners",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("instructor", sa.Boolean(), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        _moment("created"),
        _key("learners", "id"),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(), nullable=False),
        _moment("started"),
        _moment("seen"),
        _key("workers", "id"),
    )


def _lessons() -> None:
    _owned("ticks", _text("lesson"), _text("item"), _moment("at"), _key("ticks", "learner", "lesson", "item"))
    _owned(
        "answers",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("lesson"),
        _text("question"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("response", sa.JSON(), nullable=False),
        sa.Column("right", sa.Boolean(), nullable=False),
        _text("confidence"),
        _text("misconception"),
        sa.Column("hinted", sa.Boolean(), nullable=False),
        _moment("at"),
        _key("answers", "id"),
        _once("answers", "learner", "lesson", "question", "number"),
    )
    op.create_index(op.f("ix_answers_lesson"), "answers", ["lesson"])
    _owned(
        "visits",
        _text("lesson"),
        _text("block"),
        _moment("first"),
        _moment("last"),
        _key("visits", "learner", "lesson", "block"),
    )


def _exercises() -> None:
    _owned(
        "drafts",
        _text("exercise"),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        _moment("at"),
        _key("drafts", "learner", "exercise"),
    )
    _owned(
        "hints",
        _text("exercise"),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        _moment("at"),
        _key("hints", "learner", "exercise", "number"),
    )


def _work() -> None:
    _owned(
        "submissions",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("exercise"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        _text("filename"),
        _moment("created"),
        _text("state"),
        _moment("started", nullable=True),
        _moment("finished", nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("verdict", sa.JSON(), nullable=True),
        _key("submissions", "id"),
        _once("submissions", "learner", "exercise", "number"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_submissions_state"), "submissions", ["state"])
    _owned(
        "trials",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("exercise"),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("call", sa.LargeBinary(), nullable=False),
        _moment("created"),
        _text("state"),
        sa.Column("result", sa.JSON(), nullable=True),
        _key("trials", "id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_trials_learner"), "trials", ["learner"])
    op.create_index(op.f("ix_trials_state"), "trials", ["state"])


def _owned(table: str, *columns: Any, **options: Any) -> None:
    owner = sa.ForeignKeyConstraint(
        ["learner"], ["learners.id"], name=op.f(f"fk_{table}_learner_learners"), ondelete="CASCADE"
    )
    op.create_table(table, _text("learner"), *columns, owner, **options)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _once(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))
