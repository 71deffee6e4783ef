"""What can go wrong with the database, as one Russian sentence each for whoever starts or uses the course.

Turns a driver's error into one of them. Leaves out faults of our own code (those stay as they are) and never
repeats an address, which may hold a password.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import DBAPIError

SQLITE_LOCKED = {5, 6}  # BUSY, LOCKED
SQLITE_READONLY, SQLITE_CORRUPT, SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_NOTADB = 8, 11, 13, 14, 26
SQLITE_IO = 10

POSTGRES_LOCKED = {"55P03", "40P01", "40001"}  # lock_timeout, deadlock, serialization
POSTGRES_FULL, POSTGRES_READONLY = {"53100"}, {"25006", "42501"}
POSTGRES_AWAY = {"57P01", "57P02", "57P03", "53300", "28P01", "28000", "3D000"}


class DatabaseFault(Exception):
    """The database cannot serve; the message is one Russian sentence."""


class DatabaseLocked(DatabaseFault):
    """Somebody else holds the lock for longer than we wait. Nothing was written; trying again may help."""


class DatabaseTooNew(DatabaseFault):
    """A newer version of the course has migrated this database."""


class DatabaseUnusable(DatabaseFault):
    """No write access, no space, not a database, server away."""


LOCKED = "База данных занята другим процессом: ничего не потеряно, повторите через несколько секунд."
AWAY = "Сервер PostgreSQL не отвечает: проверьте, что он запущен, и адрес в COURSE_DATABASE_URL."


def translate(error: DBAPIError, file: Path | None) -> DatabaseFault | None:
    """The fault behind a driver's error, or None when it is a fault of our code. ``file`` is SQLite's."""
    return _of_postgres(error) if file is None else _of_sqlite(error, file)


def no_access(file: Path) -> DatabaseUnusable:
    """The database's file or its folder cannot be written."""
    return DatabaseUnusable(f"Нет права записи в базу данных {file}: проверьте права на файл и на его папку.")


def disk_full(file: Path) -> DatabaseUnusable:
    """No space is left beside the database."""
    return DatabaseUnusable(f"На диске с базой данных {file} кончилось место: освободите его и повторите.")


def _of_sqlite(error: DBAPIError, file: Path) -> DatabaseFault | None:
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code in SQLITE_LOCKED:
        return DatabaseLocked(LOCKED)
    if code == SQLITE_FULL:
        return disk_full(file)
    if code in {SQLITE_READONLY, SQLITE_CANTOPEN}:
        return no_access(file)
    if code in {SQLITE_CORRUPT, SQLITE_NOTADB}:
        return DatabaseUnusable(f"Файл {file} повреждён или не похож на базу курса: верните его из резервной копии.")
    if code == SQLITE_IO:
        return DatabaseUnusable(f"Диск с базой данных {file} не читается или не пишется: проверьте его и повторите.")
    return None


def _of_postgres(error: DBAPIError) -> DatabaseFault | None:
    state = getattr(error.orig, "sqlstate", None)
    if state in POSTGRES_LOCKED:
        return DatabaseLocked(LOCKED)
    if state in POSTGRES_FULL:
        return DatabaseUnusable("На диске сервера PostgreSQL кончилось место: освободите его и повторите.")
    if state in POSTGRES_READONLY:
        return DatabaseUnusable("У пользователя PostgreSQL нет права записи в базу курса: выдайте его и повторите.")
    if state in POSTGRES_AWAY or error.connection_invalidated or (state is None and _is_operational(error)):
        return DatabaseUnusable(AWAY)
    return None


def _is_operational(error: DBAPIError) -> bool:
    return type(error.orig).__name__ in {"OperationalError", "ConnectionTimeout", "InterfaceError"}
