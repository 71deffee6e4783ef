"""How Alembic runs the steps: on the connection and in the transaction that ``progress.migrate`` opened."""

from __future__ import annotations

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from progress.records import Base, Moment


def render(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """A step names no class of ours: it must mean the same when that class has changed."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Moment) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite can alter a table only by making it anew
    render_item=render,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
