"""Fine-tuning runs, what they said and left behind; learners' own examples."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables of runs."""
    _table("runs", "learner", "learners", *_run(), sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")))
    op.create_index(op.f("ix_runs_learner"), "runs", ["learner"])
    op.create_index(op.f("ix_runs_state"), "runs", ["state"])
    _table(
        "run_events",
        "run",
        "runs",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("run", "number", name=op.f("pk_run_events")),
    )
    _table(
        "run_files",
        "run",
        "runs",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run", "name", name=op.f("pk_run_files")),
    )
    _datasets()


def _run() -> tuple[sa.Column[Any], ...]:
    moment = sa.DateTime(timezone=True)
    return (
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("learner", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("dataset", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("created", moment, nullable=False),
        sa.Column("started", moment, nullable=True),
        sa.Column("finished", moment, nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("restarts", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=True),
    )


def _datasets() -> None:
    _table(
        "datasets",
        "learner",
        "learners",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("learner", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
    )
    op.create_index(op.f("ix_datasets_learner"), "datasets", ["learner"])


def _table(name: str, owner: str, owners: str, *parts: Any) -> None:
    """A table whose rows go when their ``owner`` does."""
    key = sa.ForeignKeyConstraint(
        [owner], [f"{owners}.id"], name=op.f(f"fk_{name}_{owner}_{owners}"), ondelete="CASCADE"
    )
    op.create_table(name, *parts, key, sqlite_autoincrement=owner == "learner")
