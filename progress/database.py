"""One database, two kinds of transaction: ``reading()`` sees one moment, ``writing()`` may change things.

On SQLite a writer begins with ``BEGIN IMMEDIATE``: one that first reads and then asks for the lock fails at once
when another wrote in between (measured: 195 of 400). On PostgreSQL writers lock the learner's row instead
(``progress.people``). Leaves out the tables (``records``) and bringing them up to date (``migrate``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from progress import engine, faults
from progress.faults import DatabaseFault, DatabaseLocked, DatabaseTooNew, DatabaseUnusable
from progress.migrate import migrate

__all__ = ["Database", "DatabaseFault", "DatabaseLocked", "DatabaseTooNew", "DatabaseUnusable", "migrate"]

WAIT = 5.0
"""Seconds that a transaction waits for somebody else's lock."""


class Database:
    """The course database of this process, safe to share between threads. Connects on first use.

    ``wait`` is the number of seconds a transaction waits for a lock before it gives up with ``DatabaseLocked``.
    """

    def __init__(self, url: str, *, wait: float = WAIT) -> None:
        self.file = engine.sqlite_file(url)
        self._engine = engine.connect(url, wait=wait)
        self._reader, self._writer = engine.reader(self._engine), engine.writer(self._engine)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees the database as it is at this moment and cannot change it.

        Raises:
            DatabaseFault: the database cannot serve; one Russian sentence.
        """
        with self._session(self._reader) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session in one transaction: all of it is stored when the block ends, nothing when it raises.

        Raises:
            DatabaseFault: the database cannot serve; one Russian sentence. Nothing was stored.
        """
        with self._session(self._writer) as session:
            yield session

    def close(self) -> None:
        """Close every connection. The object opens new ones when it is used again."""
        self._engine.dispose()

    @contextmanager
    def _session(self, bind: Engine) -> Iterator[Session]:
        try:
            with Session(bind, expire_on_commit=False) as session, session.begin():
                yield session
        except DBAPIError as error:
            fault = faults.translate(error, self.file)
            if fault is None:
                raise
            raise fault from error
