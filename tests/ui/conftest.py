"""The course under AppTest: the real content, a database of its own for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import settings
from jobs import compute
from progress.database import migrate

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
