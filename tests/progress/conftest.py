"""Stores for the tests: a SQLite file and a database on a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from progress.database import Database, migrate
from progress.identity import Identity
from tests.progress import postgres


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    with postgres.running() as running:
        yield running


BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'course.sqlite'}"
    server: postgres.Server = request.getfixturevalue("server")
    return server.new()


@pytest.fixture
def url(empty_url: str) -> str:
    """The address of a database that is up to date."""
    migrate(empty_url)
    return empty_url


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'course.sqlite'}"
    migrate(url)
    return url


@pytest.fixture
def anna() -> Identity:
    return Identity("anna", "Анна", False)


@pytest.fixture
def boris() -> Identity:
    return Identity("boris", "Борис", False)


@pytest.fixture
def teacher() -> Identity:
    return Identity("teacher", "Вера Павловна", True)
