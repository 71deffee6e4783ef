"""Many writers at once, a lock held, a disk full, a folder closed: all is stored, or one sentence says why not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from progress import learning, people, submissions
from progress.database import Database, DatabaseFault, DatabaseLocked, DatabaseUnusable, migrate
from progress.identity import Identity
from progress.learning import AnswerIn
from progress.records import TickRow, WorkerRow
from tests.progress import postgres

THREADS, ROUNDS = 8, 25


def test_eight_threads_read_then_write_and_none_fails(db: Database, anna: Identity) -> None:
    def work(thread: int) -> None:
        for number in range(ROUNDS):
            learning.answer(db, anna, AnswerIn("lora", "q", {"n": [thread, number]}, True))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    assert [one.number for one in learning.answers(db, anna, "lora")] == list(range(1, THREADS * ROUNDS + 1))


def test_a_double_click_from_two_tabs_is_one_submission(
    db: Database, anna: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "DOUBLE_CLICK", timedelta(minutes=5))  # a loaded machine may be slow
    with ThreadPoolExecutor(THREADS) as pool:
        sent = set(pool.map(lambda _: submissions.submit(db, anna, "a", b"x = 1").id, range(THREADS)))
    assert len(sent) == 1


def test_a_class_that_comes_at_once_is_let_in(db: Database) -> None:
    def enter(number: int) -> None:
        learning.visit(db, Identity(f"learner-{number % 4}", "Новенький", False), "lora", f"block-{number}")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(enter, range(32)))
    assert len(learning.visited(db, Identity("learner-1", "", False), "lora")) == 8


def test_readers_do_not_wait_for_a_writer(db: Database, anna: Identity) -> None:
    learning.tick(db, anna, "lora", "old", True)
    with db.writing() as session:
        session.add(TickRow(learner="anna", lesson="lora", item="new", at=people.now()))
        session.flush()
        assert learning.ticks(db, anna, "lora") == {"old"}
    assert learning.ticks(db, anna, "lora") == {"old", "new"}


def test_a_lock_held_too_long_is_told_and_nothing_is_half_stored(url: str, anna: Identity) -> None:
    patient, hasty = Database(url, wait=30), Database(url, wait=0.3)
    learning.tick(patient, anna, "lora", "a", True)
    with patient.writing() as session:
        people.enter(session, anna)
        began = time.monotonic()
        with pytest.raises(DatabaseLocked, match="ничего не потеряно"):
            learning.tick(hasty, anna, "lora", "b", True)
        assert 0.25 < time.monotonic() - began < 20, "waited as long as a patient one"
    learning.tick(hasty, anna, "lora", "c", True)
    assert learning.ticks(hasty, anna, "lora") == {"a", "c"}
    patient.close()
    hasty.close()


def test_a_block_that_raises_stores_nothing(db: Database, anna: Identity) -> None:
    learning.tick(db, anna, "lora", "a", True)
    with pytest.raises(ZeroDivisionError), db.writing() as session:  # noqa: PT012
        session.add(TickRow(learner="anna", lesson="lora", item="b", at=people.now()))
        session.flush()
        raise ZeroDivisionError
    assert learning.ticks(db, anna, "lora") == {"a"}


def test_reading_cannot_write(db: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)readonly|read-only|права записи"), db.reading() as session:  # noqa: PT012
        session.add(WorkerRow(id="w", started=people.now(), seen=people.now()))
        session.flush()
    with db.writing() as session:
        assert session.get(WorkerRow, "w") is None


def test_a_fault_of_our_own_code_stays_what_it_is(db: Database) -> None:
    with pytest.raises(IntegrityError), db.writing() as session:
        session.add(TickRow(learner="nobody", lesson="lora", item="b", at=people.now()))


def test_a_full_disk_is_told_and_the_rest_survives(sqlite_url: str, anna: Identity) -> None:
    db = Database(sqlite_url)
    learning.tick(db, anna, "lora", "a", True)
    with db.writing() as session:
        pages = session.scalar(text("PRAGMA page_count"))
        session.execute(text(f"PRAGMA max_page_count = {pages}"))  # SQLite's own way to run out of space
    with pytest.raises(DatabaseUnusable, match="кончилось место"):
        submissions.submit(db, anna, "a", b"x" * 200_000)
    assert learning.ticks(db, anna, "lora") == {"a"}
    assert submissions.attempts(db, anna, "a") == ()
    db.close()


def test_a_file_that_is_no_database_is_told_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "course.sqlite"
    file.write_text("это не база\n" * 1000)
    with pytest.raises(DatabaseUnusable, match=r"course\.sqlite повреждён"):
        migrate(f"sqlite:///{file}")
    assert file.read_text().startswith("это не база")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(DatabaseUnusable, match="Нет права записи"):
        migrate(f"sqlite:///{tmp_path / 'data' / 'course.sqlite'}")


READ_ONLY = """
import sys
from progress import learning
from progress.database import Database, DatabaseUnusable, migrate
from progress.identity import Identity
for act in (migrate, lambda url: learning.tick(Database(url), Identity("anna", "Анна", False), "lora", "a", True)):
    try:
        act(sys.argv[1])
    except DatabaseUnusable as fault:
        print(fault)
"""


@pytest.mark.slow
@pytest.mark.parametrize("made", [True, False], ids=["a database in it", "an empty folder"])
def test_a_folder_without_write_access_is_told(tmp_path: Path, made: bool) -> None:
    url = f"sqlite:///{tmp_path / 'course.sqlite'}"
    if made:
        migrate(url)
        (tmp_path / "course.sqlite").chmod(0o444)
    tmp_path.chmod(0o555)
    root_may_write_everywhere = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    command = [*root_may_write_everywhere, sys.executable, "-c", READ_ONLY, url]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    tmp_path.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Нет права записи в базу данных") == 2, done.stdout


@pytest.mark.slow
def test_a_server_that_went_away_is_told_without_its_password(server: postgres.Server) -> None:
    url = "postgresql://postgres:secret@/course?host=/nonexistent"
    for act in (lambda: migrate(url), lambda: learning.ticks(Database(url), Identity("a", "А", False), "lora")):
        with pytest.raises(DatabaseUnusable, match="не отвечает") as caught:
            act()
        assert "secret" not in str(caught.value)


@pytest.mark.slow
def test_a_server_that_was_restarted_is_found_again(server: postgres.Server, anna: Identity) -> None:
    url = server.new()
    migrate(url)
    db = Database(url)
    learning.tick(db, anna, "lora", "a", True)
    engine = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:  # what a restart does to every connection in the pool
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": url.split("/")[3].split("?")[0]},
        )
    engine.dispose()
    assert learning.ticks(db, anna, "lora") == {"a"}
    db.close()


def test_faults_share_one_parent() -> None:
    assert issubclass(DatabaseLocked, DatabaseFault)
    assert issubclass(DatabaseUnusable, DatabaseFault)
