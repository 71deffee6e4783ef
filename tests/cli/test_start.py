"""``./course start`` on real processes: one sentence for each obstacle, and nothing stays behind however it ends."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

import settings
from benchmarks.running import Running, free_port, running_course
from cli import start
from graders.protocol import Outcome
from jobs.prepare import prepare
from jobs.queue import Queue
from progress import submissions
from progress.database import Database
from progress.identity import LOCAL
from settings import ROOT

pytestmark = pytest.mark.slow
WITHIN = 60.0
SOLUTION = (ROOT / "exercises" / "lora-params" / "solution.py").read_bytes()


def wait_until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WITHIN
    while not true():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COURSE_")}
    return subprocess.run(
        [sys.executable, "-m", "cli", "start", *words],
        cwd=ROOT,
        env={**clean, "COURSE_DATA_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a start that was refused."""
    assert done.returncode in {1, 2}, done
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture(scope="module")
def course() -> Iterator[Running]:
    with running_course() as running:
        yield running


def test_the_address_is_printed_in_russian(course: Running) -> None:
    log = course.data_dir / "start.log"
    wait_until(lambda: course.url in log.read_text(), "the address")
    assert f"Донастройка открыта: {course.url}" in log.read_text()


def test_it_listens_on_loopback_only(course: Running) -> None:
    listening = [
        connection.laddr
        for process in course.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert [tuple(address) for address in listening] == [("127.0.0.1", course.port)]


def test_a_second_start_on_the_same_data_names_the_first(course: Running) -> None:
    sentence = refusal(run(course.data_dir, "--port", str(free_port())))
    assert "уже запущен" in sentence
    assert course.url in sentence


def test_a_taken_port_is_named_with_a_free_one(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        sentence = refusal(run(tmp_path, "--port", str(port)))
    assert f"Порт {port} занят" in sentence
    assert "./course start --port" in sentence
    assert str(port) not in sentence.partition("--port")[2]


@pytest.mark.parametrize("part", ["app.py", "jobs.worker", "jobs.compute_process"])
def test_a_killed_process_is_started_again(course: Running, part: str) -> None:
    wait_until(lambda: _find(course, part), part)
    old = course.find(part)
    family = [old, *old.children(recursive=True)]
    old.kill()
    psutil.wait_procs(family, timeout=15)
    wait_until(lambda: (new := _find(course, part)) is not None and new.pid != old.pid, f"another {part}")
    assert not any(process.is_running() for process in family)
    wait_until(lambda: _ready(course), "the app to be ready")


def test_a_submission_is_graded_though_the_worker_is_killed_meanwhile(course: Running) -> None:
    chosen = settings.load({}, data_dir=course.data_dir)
    database = Database(chosen.database)
    queue = Queue(chosen, database)
    numbers = []
    for index in range(2):
        source = SOLUTION + f"\n# {index}\n".encode()
        numbers.append(submissions.submit(database, LOCAL, "lora-params", source).id)
        assert queue.grade(numbers[-1])
    wait_until(lambda: submissions.get(database, LOCAL, numbers[0]).state != "queued", "grading to begin")
    wait_until(lambda: _find(course, "jobs.worker"), "the worker")
    course.find("jobs.worker").kill()
    wait_until(lambda: all(submissions.get(database, LOCAL, n).state == "done" for n in numbers), "the verdicts")
    found = submissions.attempts(database, LOCAL, "lora-params")
    assert [(one.outcome, one.counted) for one in found] == [(Outcome.PASSED, True)] * 2
    queue.close()
    database.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_behind(number: signal.Signals) -> None:
    with running_course() as course:
        wait_until(lambda: len(course.processes()) >= 6, "all processes and zygotes")
        family = course.processes()
        course.supervisor.send_signal(number)
        # Helpers that are still importing look for their parent when they are done.
        _, alive = psutil.wait_procs(family, timeout=WITHIN)
        assert alive == []
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", course.port))
        if number == signal.SIGINT:
            assert "Курс остановлен." in (course.data_dir / "start.log").read_text()
            assert not (course.data_dir / "run" / "compute.sock").exists()


@pytest.mark.parametrize(
    ("words", "environment", "part"),
    [
        (["--host", "0.0.0.0"], {}, "127.0.0.1"),  # noqa: S104 - that is refused
        (["--port", "70000"], {}, "1–65535"),
        (["--port", "восемь"], {}, "--port"),
        ([], {"COURSE_PORT": "x"}, "COURSE_PORT"),
        ([], {"COURSE_MODE": "class"}, "COURSE_MODE"),
        ([], {"COURSE_DATA_DIR": "/proc/course"}, "COURSE_DATA_DIR"),
        ([], {"COURSE_DATA_DIR": "/dev/null"}, "COURSE_DATA_DIR"),
    ],
)
def test_bad_settings_are_one_sentence(
    tmp_path: Path, words: list[str], environment: dict[str, str], part: str
) -> None:
    assert part in refusal(run(tmp_path, *words, **environment))


def test_a_database_of_a_newer_course_is_one_sentence_and_stays_as_it_is(tmp_path: Path) -> None:
    prepare(settings.load({}, data_dir=tmp_path))
    with closing(sqlite3.connect(tmp_path / "course.sqlite")) as rows:
        rows.execute("update alembic_version set version_num = 'from-the-future'")
        rows.commit()
    assert "более новой версией" in refusal(run(tmp_path, "--port", str(free_port())))
    with closing(sqlite3.connect(tmp_path / "course.sqlite")) as rows:
        assert rows.execute("select version_num from alembic_version").fetchall() == [("from-the-future",)]


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "course.sqlite").write_bytes(b"not a database at all" * 100)
    assert "резервной копии" in refusal(run(tmp_path, "--port", str(free_port())))


@pytest.mark.parametrize(
    ("code", "part"),
    [
        (errno.ENOSPC, "Нет места"),
        (errno.EACCES, "Нет права"),
        (errno.EROFS, "Нет права"),
        (errno.EIO, "не запустился"),
    ],
)
def test_every_fault_of_the_disk_has_a_sentence(code: int, part: str) -> None:
    assert part in start.explain(OSError(code, os.strerror(code)), Path("/data"))


def test_the_invented_class_is_there_with_demo_and_only_once(tmp_path: Path) -> None:
    from cli.prepare import invent_class

    chosen = settings.load({}, data_dir=tmp_path)
    prepare(chosen)
    assert invent_class(chosen) > 5
    assert invent_class(chosen) == 0


def _find(course: Running, part: str) -> psutil.Process | None:
    try:
        return course.find(part)
    except (LookupError, psutil.NoSuchProcess):
        return None


def _ready(course: Running) -> bool:
    try:
        course.get("/ready")
    except OSError:
        return False
    return True
