"""The server: its routes, its socket, what its process never loads, and the links and words that every page needs."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import textwrap
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

import settings
from common import palette
from progress.database import migrate
from ui import links, routes, trouble

HEAVY = ("torch", "transformers", "peft", "trl", "bitsandbytes", "pandas")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(port: int, path: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of the server."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """``python app.py`` on a free port, as the launcher starts it, from a folder that is not the checkout.

    Nobody opens a page of it in a browser before ``test_a_first_visitor_with_a_deep_link_gets_the_whole_page``.
    """
    port = free_port()
    migrate(f"sqlite:///{data / 'course.sqlite'}")
    environment = os.environ | {"COURSE_DATA_DIR": str(data), "COURSE_PORT": str(port)}
    with (data / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(settings.ROOT / "app.py")], env=environment, cwd=data, stdout=log, stderr=log
        )
    try:
        wait_for(port, process, data / "log")
        yield port, process
    finally:
        process.terminate()
        process.wait(20)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if fetch(port, "/health")[0] == 200:
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(log.read_text())


@pytest.mark.slow
def test_the_server_listens_where_settings_say_and_nowhere_else(server: tuple[int, subprocess.Popen[bytes]]) -> None:
    port, process = server
    found = psutil.Process(process.pid).net_connections("inet")
    listening = [each.laddr for each in found if each.status == psutil.CONN_LISTEN]
    assert [(place.ip, place.port) for place in listening] == [("127.0.0.1", port)]


@pytest.mark.slow
def test_the_server_answers_pages_health_and_readiness(server: tuple[int, subprocess.Popen[bytes]]) -> None:
    port, _ = server
    assert fetch(port, "/health") == (200, '{"status":"ok"}')
    status, body = fetch(port, "/ready")
    assert (status, json.loads(body)) == (200, {"database": True, "worker": False, "compute": False})
    assert fetch(port, "/lesson?id=lora-math")[0] == 200


@pytest.mark.slow
def test_a_first_visitor_with_a_deep_link_gets_the_whole_page(server: tuple[int, subprocess.Popen[bytes]]) -> None:
    """Streamlit takes ui/pages for a menu of its own until st.navigation has run once: warm.up says that it is none."""
    script = """
        import sys
        from playwright.sync_api import sync_playwright
        from benchmarks.browser import launch, settle
        with sync_playwright() as playwright, launch(playwright) as browser:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{sys.argv[1]}/lesson?id=lora-math&block=alpha")
            settle(page)
            page.wait_for_selector("h2")
            page.wait_for_selector("html[lang=ru]", state="attached")
            print(page.title(), "|", page.get_attribute("html", "lang"), "|", page.inner_text("header"))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(server[0])]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=settings.ROOT, check=False)
    assert "Сила поправки: α и r" in seen.stdout, seen.stderr
    assert "| ru |" in seen.stdout
    assert "Мой прогресс" in seen.stdout


def test_readiness_fails_with_the_database(own_data: settings.Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (own_data.data_dir / "course.sqlite").write_bytes(b"not a database at all" * 100)
    from starlette.applications import Starlette

    answer = TestClient(Starlette(routes=routes.ROUTES)).get("/ready")
    assert (answer.status_code, answer.json()["database"]) == (503, False)


PAGES = tuple(sorted(page.stem for page in (settings.ROOT / "ui" / "pages").glob("*.py")))


@pytest.mark.slow
def test_no_page_loads_torch(tmp_path: Path) -> None:
    script = f"""
        import sys
        from streamlit.testing.v1 import AppTest
        from progress.database import migrate
        import settings
        migrate(settings.current().database)
        from jobs import compute
        compute.PATIENCE = 0.01  # nobody computes here: heavy demos say so
        tab = AppTest.from_file({str(settings.ROOT / "ui" / "main.py")!r}, default_timeout=60).run()
        for page in {PAGES}:
            tab.switch_page(f"pages/{{page}}.py").run()
            assert not tab.exception, (page, tab.exception)
        from ui import demos, session
        from progress import learning
        from progress.learning import AnswerIn
        for name in demos.LOOKS:
            skipped = AnswerIn("demos", name, {{"option": None}}, right=False, confidence="guess")
            learning.answer(session.database(), session.actor(), skipped)
        for lesson in session.course().lessons:
            tab = AppTest.from_file({str(settings.ROOT / "ui" / "main.py")!r}, default_timeout=60).run()
            tab.switch_page("pages/lesson.py")
            for block in [block.id for block in lesson.blocks]:
                tab.query_params["id"], tab.query_params["block"] = lesson.id, block
                tab.run()
                assert not tab.exception, (lesson.id, block, tab.exception)
        for name in demos.LOOKS:
            tab = AppTest.from_file({str(settings.ROOT / "ui" / "main.py")!r}, default_timeout=60).run()
            tab.switch_page("pages/demo.py")
            tab.query_params["name"] = name
            tab.run()
            assert not tab.exception, (name, tab.exception)
            assert not any("Сначала угадайте" in text.value for text in tab.markdown), name
        loaded = [name for name in {HEAVY} if name in sys.modules]
        print("loaded:", loaded)
    """
    environment = os.environ | {"COURSE_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(
        command, env=environment, cwd=settings.ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert "loaded: []" in done.stdout, done.stdout + done.stderr[-3000:]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_for_a_newcomer(visit: Callable[..., AppTest], page: str) -> None:
    assert not visit(page).exception


def test_claims_are_searched_and_filtered(visit: Callable[..., AppTest]) -> None:
    tab = visit("claims")
    everything = len(tab.markdown)
    tab.button_group("claims-verdict").set_value(["верно"]).run()
    assert not tab.exception
    assert 0 < len(tab.markdown) < everything
    assert not any("-badge[неверно]" in element.value for element in tab.markdown)


def test_the_theme_has_the_palette_s_accent() -> None:
    theme = tomllib.loads((settings.ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    assert theme["primaryColor"] == theme["light"]["primaryColor"] == palette.ACCENT
    colours = {value for name, value in vars(palette).items() if name.isupper() and isinstance(value, str)}
    assert set(theme["chartCategoricalColors"]) <= colours


def test_links_name_pages_that_exist() -> None:
    for name in (
        links.HOME,
        links.LESSON,
        links.EXERCISE,
        links.PROGRESS,
        links.INSTRUCTOR,
        links.LEARNER,
        links.CLAIMS,
    ):
        assert (settings.ROOT / "ui" / name).is_file(), name


def test_a_failing_page_says_one_sentence() -> None:
    def broken(kind: str) -> None:
        from progress.database import DatabaseLocked
        from ui import trouble

        trouble.say(DatabaseLocked("База занята.") if kind == "locked" else KeyError("x"))

    locked = AppTest.from_function(broken, args=("locked",)).run()
    assert locked.error[0].value == "База занята."
    other = AppTest.from_function(broken, args=("other",)).run()
    assert other.error[0].value == trouble.OURS


@pytest.mark.slow
def test_a_locked_database_is_told_in_words_and_not_in_a_traceback(
    server: tuple[int, subprocess.Popen[bytes]], data: Path
) -> None:
    script = """
        import sqlite3, sys
        from playwright.sync_api import sync_playwright
        from benchmarks.browser import launch, settle
        with sync_playwright() as playwright, launch(playwright) as browser:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{sys.argv[1]}/lesson?id=lora-math&block=checklist")
            settle(page)
            page.wait_for_selector("[class*=st-key-item-]")
            holder = sqlite3.connect(sys.argv[2], isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            page.locator("[class*=st-key-item-] [data-testid=stCheckbox] label").first.click()
            print(page.wait_for_selector("[data-testid=stAlert]", timeout=60_000).inner_text())
            print("exceptions:", page.locator("[data-testid=stException]").count())
            holder.close()
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(server[0]), str(data / "course.sqlite")]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=180, cwd=settings.ROOT, check=False)
    assert "ничего не потеряно" in seen.stdout, seen.stdout + seen.stderr
    assert "exceptions: 0" in seen.stdout
