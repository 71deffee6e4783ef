"""A running course and a browser for each module, a visitor for each test. Without Chromium the tests fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from benchmarks.browser import launch
from benchmarks.running import Running, running_course
from progress.database import Database
from tests.browser.visitor import Visitor

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright, launch(playwright) as browser:
        yield browser


@pytest.fixture(scope="module")
def course() -> Iterator[Running]:
    with running_course() as running:
        yield running


@pytest.fixture(scope="module")
def database(course: Running) -> Iterator[Database]:
    """The database that the running course uses."""
    database = Database(f"sqlite:///{course.data_dir / 'course.sqlite'}")
    yield database
    database.close()


@pytest.fixture
def visit(chromium: Browser, course: Running, tmp_path: Path) -> Iterator[Callable[..., Visitor]]:
    """``visit("/lesson?id=…", viewport=PHONE)``: a new visitor at that address. A failed test leaves a picture."""
    visitors: list[Visitor] = []

    def at(address: str = "/", *, url: str = course.url, **options: Any) -> Visitor:
        context = chromium.new_context(**{"locale": "ru-RU", "viewport": DESKTOP, **options})
        visitor = Visitor(context.new_page(), url)
        visitors.append(visitor)
        visitor.open(address)
        return visitor

    yield at
    for number, visitor in enumerate(visitors):
        visitor.page.screenshot(path=tmp_path / f"last-{number}.png")
        visitor.page.context.close()
