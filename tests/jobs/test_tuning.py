"""A run in the worker, whatever its process does: nothing is lost, nothing goes on unseen, the learner is told."""

from __future__ import annotations

import contextlib
import importlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from demos.finetuning import events
from demos.finetuning.spec import RunSpec
from demos.params import ParamsError
from jobs import grading, queue, sentences, training, tuning_process
from jobs.tuning import Tuner
from progress import run_files, runs, turns
from progress.database import Database, migrate
from progress.identity import Identity
from progress.records import RunRow
from progress.submissions import Missing
from tests.jobs import quick_tuning
from tests.jobs.slow_worker import Grader

pytestmark = pytest.mark.slow
ANNA = Identity("anna", "Анна", instructor=False)
WITHIN = 60.0


@dataclass
class Bench:
    """A worker's hands without its queue."""

    folder: Path
    database: Database
    bench: grading.Bench
    threads: list[threading.Thread] = field(default_factory=list)

    def ask(self, do: str) -> int:
        return runs.create(self.database, ANNA, {"do": do}).id

    def do(self, number: int) -> str:
        return training.Tuning(self.bench, runs.start(self.database, number)).run()

    def beside(self, number: int) -> list[BaseException]:
        """The same while the test looks on; what it raised."""
        raised: list[BaseException] = []

        def target() -> None:
            try:
                self.do(number)
            except BaseException as error:  # noqa: BLE001
                raised.append(error)

        self.threads.append(threading.Thread(target=target))
        self.threads[-1].start()
        return raised

    def said(self, number: int, kind: str = "") -> list[dict[str, Any]]:
        return [event for event in runs.events_since(self.database, number) if kind in {"", event["kind"]}]

    def pids(self, number: int) -> list[int]:
        return [int(event["title"]) for event in self.said(number, "stage") if event["name"] == "child"]

    def child(self, number: int) -> psutil.Process:
        wait_until(lambda: self.pids(number))
        return psutil.Process(self.pids(number)[-1])

    def join(self) -> None:
        for thread in self.threads:
            thread.join(WITHIN)
            assert not thread.is_alive()


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + WITHIN
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def gone(process: psutil.Process) -> bool:
    """Also when nobody has asked how it ended: a container's first process may never."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(scope="module")
def tuner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tuner]:
    made = Tuner(tmp_path_factory.mktemp("tuner") / "run", nice=3, module="tests.jobs.quick_tuning")
    wait_until(lambda: made.ready(0.1))
    yield made
    made.close()


@pytest.fixture
def bench(tmp_path: Path, tuner: Tuner) -> Iterator[Bench]:
    wait_until(lambda: tuner.ready(0.1))
    migrate(f"sqlite:///{tmp_path / 'course.sqlite'}")
    database = Database(f"sqlite:///{tmp_path / 'course.sqlite'}", wait=0.2)
    made = Bench(tmp_path, database, grading.Bench(database, Grader(tmp_path / "diary"), tuner))
    yield made
    made.bench.stopping.set()
    made.join()
    database.close()


def test_what_a_run_says_and_leaves_is_stored(bench: Bench, tuner: Tuner) -> None:
    number = bench.ask("well")
    assert bench.do(number) == "finished"
    assert [event["step"] for event in bench.said(number, "step")] == list(range(20))
    assert run_files.contents(bench.database, number) == {"adapter/small": b"small"}
    summary = runs.run(bench.database, number).summary
    assert summary["finished"] == {"kind": "finished", "steps": 3}
    assert summary["step"] == {"kind": "step", "step": 19, "loss": 0.5}
    assert list(tuner.folder.iterdir()) == [], "nothing stays on the disk"


def test_a_run_gives_way_and_its_session_does_too(bench: Bench) -> None:
    number = bench.ask("sleep")
    bench.beside(number)
    child = bench.child(number)
    wait_until(lambda: child.nice() == 3)
    assert os.getsid(child.pid) == child.pid
    group = Path(f"/proc/{child.pid}/autogroup")
    if group.exists():
        assert group.read_text().endswith("nice 3\n")
    runs.request_cancel(bench.database, ANNA, number)


def test_a_cancelled_run_is_gone_within_two_seconds_with_what_it_started(bench: Bench) -> None:
    number = bench.ask("stray")
    bench.beside(number)
    child = bench.child(number)
    wait_until(child.children)
    family = [child, *child.children()]
    started = time.monotonic()
    for _ in range(2):
        runs.request_cancel(bench.database, ANNA, number)
    wait_until(lambda: runs.run(bench.database, number).state == "done")
    assert time.monotonic() - started < 2
    assert runs.run(bench.database, number).outcome == "cancelled"
    assert bench.said(number)[-1]["text"] == sentences.CANCELLED
    wait_until(lambda: all(gone(process) for process in family))


def test_a_killed_run_begins_anew_and_says_so(bench: Bench) -> None:
    number = bench.ask("crash once")
    assert bench.do(number) == "finished"
    kinds = [event["kind"] for event in bench.said(number)]
    assert kinds == ["stage", "alarm", "stage", *["step"] * 20, "finished"]
    (alarm,) = bench.said(number, "alarm")
    assert (alarm["code"], alarm["text"]) == (events.RESTARTED, sentences.RESTARTED)
    assert runs.run(bench.database, number).restarts == 1


def test_a_run_that_is_killed_again_and_again_is_given_up(bench: Bench) -> None:
    number = bench.ask("crash")
    assert bench.do(number) == "failed"
    assert len(bench.said(number, "alarm")) == training.RESTARTS
    last = bench.said(number)[-1]
    assert (last["kind"], last["code"], last["text"]) == ("failed", "fault", sentences.GIVEN_UP)


def test_the_parent_of_runs_may_die_too(bench: Bench) -> None:
    number = bench.ask("sleep")
    bench.beside(number)
    child = bench.child(number)
    psutil.Process(child.ppid()).kill()
    wait_until(lambda: bench.said(number, "alarm"))
    wait_until(lambda: gone(child))
    wait_until(lambda: len(bench.pids(number)) == 2)
    runs.request_cancel(bench.database, ANNA, number)


def test_too_long_a_run_is_ended(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "DEADLINE", 1.0)
    number = bench.ask("sleep")
    assert bench.do(number) == "failed"
    assert bench.said(number)[-1]["text"] == sentences.DEADLINE
    wait_until(lambda: not psutil.pid_exists(bench.pids(number)[0]))


def test_too_large_a_file_is_left_out_and_said(bench: Bench) -> None:
    number = bench.ask("large")
    assert bench.do(number) == "finished"
    assert list(run_files.sizes(bench.database, number)) == ["adapter/small"]
    assert bench.said(number, "alarm")[0]["text"] == sentences.NOT_KEPT


def test_a_worker_that_ends_takes_its_run_along_and_leaves_it_open(bench: Bench) -> None:
    number = bench.ask("sleep")
    raised = bench.beside(number)
    child = bench.child(number)
    bench.bench.stopping.set()
    bench.join()
    assert isinstance(raised[0], grading.Stopping)
    wait_until(lambda: gone(child))
    assert runs.run(bench.database, number).state == "running"


def test_a_database_that_is_locked_meanwhile_costs_no_event(bench: Bench) -> None:
    number = bench.ask("well")
    bench.beside(number)
    wait_until(lambda: bench.said(number, "step"))
    with contextlib.closing(sqlite3.connect(bench.folder / "course.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(0.5)
        other.rollback()
    bench.join()
    assert [event["step"] for event in bench.said(number, "step")] == list(range(20))


def test_a_run_that_is_removed_meanwhile_stops(bench: Bench) -> None:
    number = bench.ask("sleep")
    raised = bench.beside(number)
    child = bench.child(number)
    with bench.database.writing() as session:
        session.delete(session.get_one(RunRow, number))
    bench.join()
    assert isinstance(raised[0], Missing)
    wait_until(lambda: gone(child))


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ParamsError("Ранг больше матрицы."), "refused", "Ранг больше матрицы."),
        (MemoryError(), "memory", sentences.MEMORY),
        (RuntimeError("can't allocate memory: you tried"), "memory", sentences.MEMORY),
        (ZeroDivisionError("x"), "fault", sentences.FAULT),
    ],
)
def test_whatever_goes_wrong_is_the_last_event(
    error: Exception, code: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object, **__: object) -> Iterator[events.Event]:
        yield events.Stage("load", "Загружаем", 0.0)
        raise error

    monkeypatch.setattr(importlib, "import_module", lambda _name: SimpleNamespace(run=run))
    *_, last = tuning_process.told({"spec": RunSpec().to_json(), "own": None, "folder": "/nowhere"})
    assert isinstance(last, events.Failed)
    assert (last.code, last.text) == (code, text)


def test_the_expected_wait_of_a_run_shrinks_while_the_one_before_goes_on() -> None:
    rows = tuple(turns.Waiting(number, learner) for number, learner in enumerate("abca", start=1))
    line = queue.Line(rows, frozenset({1}), spent=10.0)
    places = [line.place(number, 40.0, 1) for number in (1, 2, 3, 4)]
    assert [place.position for place in places if place] == [0, 1, 2, 3]
    assert [place.wait_seconds for place in places if place] == [0.0, 30.0, 70.0, 110.0]
    assert [place.expected_seconds for place in places if place] == [30.0, 70.0, 110.0, 150.0]


def test_a_recorded_run_is_shown_while_ones_own_has_to_wait() -> None:
    spec = RunSpec(seed=7)
    recorded = {spec.fingerprint: [quick_tuning.STEP]}.get
    assert queue.replay(queue.Place(2, 80.0, 40.0), spec, recorded) == [quick_tuning.STEP]
    assert queue.replay(queue.Place(2, 80.0, 40.0), RunSpec(seed=8), recorded) is None
    assert queue.replay(queue.Place(0, 40.0), spec, recorded) is None, "it has begun"
    assert queue.replay(queue.Place(1, 42.0, 2.0), spec, recorded) is None, "it begins before anybody looks"
    assert queue.replay(None, spec, recorded) is None
