"""Brings both databases up to date, the course's and the queue's, before anything uses them.

The queue's client never makes tables, so this comes before the app and the worker. Leaves out what is in the tables.
"""

from __future__ import annotations

import logging

import sqlalchemy as sa

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
