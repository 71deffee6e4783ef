"""The course under AppTest: the real content, a database of its own for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import settings
from demos import registry
from jobs import compute
from progress.database import Database, migrate
from ui import adapters, guesses
from ui.demos import frame

MAIN = settings.ROOT / "ui" / "main.py"


@pytest.fixture
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[settings.Settings]:
    """Settings whose data directory is the test's own, with a migrated database.

    Nobody computes there: what needs the compute process says at once that it is away.
    """
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(compute, "PATIENCE", 0.2)
    settings.current.cache_clear()
    migrate(settings.current().database)
    yield settings.current()
    settings.current.cache_clear()


@pytest.fixture
def database(own_data: settings.Settings) -> Database:
    """The database of the test's own course."""
    return Database(own_data.database)


@pytest.fixture
def guessed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every guess was skipped: demos are shown at once, and computed anew for the next test."""
    monkeypatch.setattr(guesses, "recall", lambda _: guesses.Guess(None, fresh=False))
    yield
    frame.computed.cache_clear()


@pytest.fixture
def adapters_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the compute process would do with adapters is done in this one: no process to start, the same demos."""
    monkeypatch.setattr(compute, "call", registry.call)
    adapters.opened.cache_clear()
    adapters._called.cache_clear()


@pytest.fixture
def visit(own_data: settings.Settings) -> Callable[..., AppTest]:
    """``visit("lesson", id="lora-math")``: a new tab at that address, run once."""

    def at(page: str = "home", **query: str) -> AppTest:
        tab = AppTest.from_file(str(MAIN), default_timeout=60)
        tab.run()
        if page != "home":
            tab.switch_page(f"pages/{page}.py")
        for name, value in query.items():
            tab.query_params[name] = value
        return tab.run()

    return at
