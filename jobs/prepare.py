"""``python -m jobs.prepare``: brings both databases up to date and adds or leaves the invented class.

A process of its own, so that the supervisor stays small. Ends with status 1 and one Russian sentence when it cannot.
"""

from __future__ import annotations

import logging
import sys

import sqlalchemy as sa

import settings
from jobs import queue
from progress import database, faults
from progress.engine import sqlite_file
from settings import Settings


def prepare(chosen: Settings) -> None:
    """Make or update the course's tables and the queue's.

    Raises:
        progress.database.DatabaseFault: a database cannot serve; one Russian sentence.
    """
    from dbos import DBOS

    database.migrate(chosen.database)
    logging.getLogger("dbos").setLevel(logging.WARNING)
    try:
        DBOS.migrate(chosen.queue_database)
        engine = queue.connect(chosen)
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                # Kept in the file: readers and the writer do not wait for each other.
                connection.execute(sa.text("PRAGMA journal_mode=WAL"))
        engine.dispose()
    except sa.exc.DBAPIError as error:
        fault = faults.translate(error, sqlite_file(chosen.queue_database))
        if fault is None:
            raise
        raise fault from error


def main() -> int:
    """Prepare for the settings of the environment."""
    chosen = settings.current()
    try:
        prepare(chosen)
    except database.DatabaseFault as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
