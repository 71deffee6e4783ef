"""A SQLAlchemy engine with our habits, for SQLite and for PostgreSQL. Leaves out sessions (``database``)."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

WRITES = "course_writes"
"""The execution option of a connection that may write."""


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite address; None for PostgreSQL."""
    parsed = make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def connect(url: str, *, wait: float) -> Engine:
    """An engine whose transactions wait ``wait`` seconds for a lock. Opens no connection yet."""
    sqlite = sqlite_file(url) is not None
    serializer = partial(json.dumps, allow_nan=False)  # in ASCII: what learners print may not be valid Unicode
    engine = create_engine(url, json_serializer=serializer, pool_pre_ping=not sqlite)
    event.listen(engine, "connect", partial(_prepare_sqlite if sqlite else _prepare_postgres, round(wait * 1000)))
    if sqlite:
        event.listen(engine, "begin", _begin)
    return engine


def reader(engine: Engine) -> Engine:
    """The same connections, for transactions that see one moment and cannot write."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def writer(engine: Engine) -> Engine:
    """The same connections, for transactions that may write."""
    return engine.execution_options(**{WRITES: True})


def _prepare_sqlite(milliseconds: int, connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin in _begin
    connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")  # with WAL: a killed process loses nothing


def _prepare_postgres(milliseconds: int, connection: Any, _record: object) -> None:
    connection.execute(f"SET lock_timeout = {milliseconds}")
    connection.commit()


def _begin(connection: Connection) -> None:
    writes = bool(connection.get_execution_options().get(WRITES))
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
