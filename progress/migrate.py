"""Brings a database to the version of this code, under a lock: replicas start together.

Leaves out the steps themselves (``progress/migrations``).
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from progress import engine, faults
from progress.faults import DatabaseLocked, DatabaseTooNew

MIGRATIONS = Path(__file__).parent / "migrations"
ADVISORY_LOCK = 0x446F6E61  # any number that only this course takes
WAIT = 60.0
"""Seconds to wait for another process that migrates."""


def migrate(url: str, *, wait: float = WAIT) -> None:
    """Make or update the tables. Waits for another process that does the same, then finds nothing left to do.

    Raises:
        DatabaseTooNew: a newer version of the course has been here; the database is left as it is.
        DatabaseLocked: somebody holds the lock for longer than ``wait`` seconds.
        DatabaseUnusable: no write access, no space, not a database, server away.
    """
    file = engine.sqlite_file(url)
    made = engine.writer(engine.connect(url, wait=wait))
    try:
        with _alone(file, wait), made.connect() as connection:
            _upgrade(connection)
    except DBAPIError as error:
        fault = faults.translate(error, file)
        if fault is None:
            raise
        raise fault from error
    finally:
        made.dispose()


def config(connection: Connection) -> Config:
    """Alembic's configuration, without an ini file, for a connection that is open."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    made.set_main_option("file_template", "v%%(rev)s_%%(slug)s")
    made.attributes["connection"] = connection
    return made


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        _prepare_sqlite(connection)
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        _refuse_newer(connection)
        command.upgrade(config(connection), "head")


def _prepare_sqlite(connection: Connection) -> None:
    """Before the transaction, for both pragmas do nothing inside one.

    WAL is a lasting property of the file. Foreign keys are off meanwhile: to alter a table there means to drop and
    refill it, which would delete every row that points to it.
    """
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = OFF")
    cursor.close()


def _refuse_newer(connection: Connection) -> None:
    current = MigrationContext.configure(connection).get_current_heads()
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if not set(current) <= known:
        raise DatabaseTooNew(
            "База данных создана более новой версией курса: обновите курс (git pull) "
            "или укажите другую папку в COURSE_DATA_DIR."
        )


@contextmanager
def _alone(file: Path | None, wait: float) -> Iterator[None]:
    """Hold the lock file beside a SQLite database. PostgreSQL has a lock of its own."""
    if file is None:
        yield
        return
    with _lock_file(file) as handle:
        _lock(handle.fileno(), wait)
        yield


def _lock_file(file: Path) -> IO[str]:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return Path(f"{file}.lock").open("a")
    except OSError as error:
        raise (faults.disk_full(file) if error.errno == errno.ENOSPC else faults.no_access(file)) from error


def _lock(handle: int, wait: float) -> None:
    import fcntl  # not on Windows, where the course does not start

    deadline = time.monotonic() + wait
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise DatabaseLocked(faults.LOCKED) from None
            time.sleep(0.05)
