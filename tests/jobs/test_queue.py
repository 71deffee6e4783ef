"""Submissions through the queue and a worker: nothing is lost, nothing is graded twice, whoever is killed when."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import update

import settings
from graders.protocol import Outcome
from jobs import grading, process, queue
from jobs.prepare import prepare
from progress import people, submissions, trials, turns, workers
from progress.database import Database
from progress.identity import Identity
from progress.records import WorkerRow
from progress.submissions import Submission
from settings import ROOT, Settings
from tests.progress import postgres

pytestmark = pytest.mark.slow
ANNA = Identity("anna", "Анна", instructor=False)
BORIS = Identity("boris", "Борис", instructor=False)
TEACHER = Identity("teacher", "Вера Павловна", instructor=True)
WITHIN = 90.0


def wait_until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WITHIN
    while not true():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


@dataclass
class Course:
    """A data folder with its databases, and workers to start and to kill."""

    settings: Settings
    database: Database
    queue: queue.Queue
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def worker(self, name: str = "w", **environment: str) -> subprocess.Popen[bytes]:
        with (self.settings.data_dir / "worker.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.jobs.slow_worker", name],
                cwd=ROOT,
                env={**os.environ, **self.settings.environment(), "PYTHONPATH": str(ROOT), **environment},
                stdout=log,
                stderr=log,
            )
        self.started.append(child)
        return child

    def send(self, source: str, *, enqueue: bool = True, who: Identity = ANNA) -> int:
        number = submissions.submit(self.database, who, "lora-linear", source.encode()).id
        if enqueue:
            assert self.queue.grade(number)
        return number

    def get(self, number: int) -> Submission:
        return submissions.get(self.database, TEACHER, number)

    def wait_done(self, *numbers: int) -> None:
        wait_until(lambda: all(self.get(number).state == "done" for number in numbers), f"verdicts of {numbers}")

    def diary(self, start: str = "") -> list[str]:
        path = self.settings.data_dir / "diary"
        return [line for line in path.read_text().splitlines() if line.startswith(start)] if path.exists() else []


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with postgres.running() as running:
        yield running


ON_BOTH = pytest.mark.parametrize("course", ["sqlite", "postgresql"], indirect=True)
"""For what several machines share: a second one needs PostgreSQL."""


@pytest.fixture
def course(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Course]:
    shared = getattr(request, "param", "sqlite") == "postgresql"
    database_url = request.getfixturevalue("server").new() if shared else None
    chosen = settings.load({}, data_dir=tmp_path, database_url=database_url)
    prepare(chosen)
    database = Database(chosen.database)
    made = Course(chosen, database, queue.Queue(chosen, database))
    yield made
    for child in made.started:
        child.kill()
        child.wait()
    made.queue.close()
    database.close()


def test_a_submission_is_graded_and_the_verdict_stored(course: Course) -> None:
    course.worker()
    number = course.send("fine")
    course.wait_done(number)
    found = course.get(number)
    assert found.outcome is Outcome.PASSED
    assert found.verdict is not None
    assert found.verdict.points == 1
    assert found.counted


def test_enqueueing_again_grades_once(course: Course) -> None:
    number = course.send("fine")
    for _ in range(3):
        assert course.queue.grade(number)
    course.worker()
    course.wait_done(number)
    assert course.queue.grade(number)
    later = course.send("later")
    course.wait_done(later)
    assert len(course.diary("grade")) == 2


def test_only_json_numbers_travel_through_the_queue(course: Course) -> None:
    course.send("fine")
    with contextlib.closing(sqlite3.connect(course.settings.data_dir / "queue.sqlite")) as rows:
        ((stored,),) = rows.execute("select inputs from workflow_input").fetchall()
    assert json.loads(stored) == {"namedArgs": {}, "positionalArgs": [1]}


def test_a_worker_killed_while_grading_loses_nothing_and_charges_nothing(course: Course) -> None:
    first = course.worker()
    number = course.send("slow 2")
    wait_until(lambda: course.diary("grade"), "the grading to begin")
    assert course.get(number).state == "running"
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert course.get(number).state == "running"

    course.worker()
    course.wait_done(number)
    assert course.get(number).outcome is Outcome.PASSED
    attempts = submissions.attempts(course.database, ANNA, "lora-linear")
    assert [attempt.counted for attempt in attempts] == [True]
    assert len(course.diary("grade")) == 2


def test_rows_without_a_job_are_found_by_the_worker(course: Course) -> None:
    lost = course.send("fine", enqueue=False)
    trial = trials.create_trial(course.database, ANNA, "lora-linear", b"x = 1", "x")
    course.worker()
    course.wait_done(lost)
    late = course.send("later", enqueue=False)
    course.wait_done(late)
    wait_until(lambda: trials.trial(course.database, ANNA, trial).state == "done", "the trial")


def test_a_job_that_ended_without_an_answer_is_done_once_more(course: Course) -> None:
    course.worker()
    number = course.send("fine")
    course.wait_done(number)
    submission = course.get(number)
    with course.database.writing() as session:  # as if the course's database came back from an older copy
        row = session.get_one(submissions.SubmissionRow, submission.id)
        row.state, row.outcome, row.verdict = "queued", None, None
    course.wait_done(number)
    assert course.get(number).outcome is Outcome.PASSED


def test_a_failure_of_ours_is_tried_again_without_charging(course: Course) -> None:
    course.worker()
    flaky, broken = course.send("flaky"), course.send("infra")
    course.wait_done(flaky, broken)
    assert course.get(flaky).outcome is Outcome.PASSED
    assert course.get(broken).outcome is Outcome.INFRA_ERROR
    assert not course.get(broken).counted
    assert len([line for line in course.diary() if line.endswith("infra")]) == grading.RETRIES + 1


def test_a_submission_that_kills_workers_is_given_up_and_others_are_graded(course: Course) -> None:
    deadly, fine = course.send("deadly"), course.send("fine")
    deadline = time.monotonic() + WITHIN
    while course.get(deadly).state != "done" or course.get(fine).state != "done":
        assert time.monotonic() < deadline
        worker = course.worker()
        wait_until(
            lambda w=worker: (
                w.poll() is not None  # type: ignore[misc]
                or (course.get(deadly).state == "done" and course.get(fine).state == "done")
            ),
            "the worker to die or to finish",
        )
    assert course.get(deadly).outcome is Outcome.INFRA_ERROR
    assert not course.get(deadly).counted
    assert course.get(fine).outcome is Outcome.PASSED


def test_another_worker_takes_over_from_a_silent_one(course: Course) -> None:
    first = course.worker("first")
    number = course.send("slow 3")
    wait_until(lambda: course.diary("grade"), "the grading to begin")
    first.kill()
    first.wait()
    with course.database.writing() as session:  # instead of waiting for its silence to last
        session.execute(update(WorkerRow).values(seen=people.now() - timedelta(minutes=5)))
    course.worker("second")
    course.wait_done(number)
    assert course.get(number).outcome is Outcome.PASSED
    assert len({line.split()[1] for line in course.diary("grade")}) == 2


def others(many: int) -> list[Identity]:
    return [Identity(f"learner-{number}", f"Ученик {number}", instructor=False) for number in range(many)]


@ON_BOTH
def test_two_workers_share_the_work_and_one_takes_over_when_the_other_is_killed(course: Course) -> None:
    children = {str(course.worker(name).pid): name for name in ("first", "second")}
    wait_until(lambda: len(workers.alive(course.database)) == 2, "two workers")
    stuck = course.send("slow 6 stuck")
    wait_until(lambda: course.diary("grade"), "the grading to begin")
    shared = [course.send(f"slow 0.1 {who.id}", who=who) for who in others(4)]
    course.wait_done(*shared)
    assert course.get(stuck).state == "running", "the others did not wait for it"
    assert {line.split()[1] for line in course.diary("grade")} == set(children)

    began = course.diary("grade")[0].split()[1]
    os.kill(int(began), signal.SIGKILL)
    with course.database.writing() as session:  # instead of waiting for its silence to last
        silent = update(WorkerRow).where(WorkerRow.id == children[began])
        session.execute(silent.values(seen=people.now() - timedelta(hours=1)))
    course.wait_done(stuck)
    assert course.get(stuck).outcome is Outcome.PASSED
    assert [line.split()[1] for line in course.diary("end") if "stuck" in line] == list(set(children) - {began})


@ON_BOTH
def test_learners_take_turns(course: Course) -> None:
    mine = [course.send(f"slow 0.3 {number}") for number in range(5)]
    his, hers = (course.send("slow 0.3 only one", who=who) for who in others(2))
    order = [mine[0], his, hers, *mine[1:]]
    places = {number: course.queue.place(number) for number in order}
    assert [place.position for place in places.values() if place] == [1, 2, 3, 4, 5, 6, 7]
    seconds = {number: place.expected_seconds for number, place in places.items() if place}
    assert seconds[his] < seconds[mine[1]] < seconds[mine[4]]

    course.worker()
    course.wait_done(*order)
    finished = sorted(order, key=lambda number: course.get(number).finished or people.now())
    assert finished == order


def test_the_next_one_of_a_learner_follows_at_once_and_not_with_the_next_sweep(course: Course) -> None:
    course.worker(TEST_SWEEP="600")
    wait_until(course.queue.alive, "the worker")
    course.wait_done(course.send("the worker has swept"))
    course.wait_done(*(course.send(f"slow 0.1 {number}") for number in range(3)))
    calls = [trials.create_trial(course.database, ANNA, slug, b"x", "x") for slug in "abc"]
    assert all(course.queue.trial(number) for number in calls)
    wait_until(lambda: trials.trial(course.database, ANNA, calls[-1]).state == "done", "the last trial")


@ON_BOTH
def test_one_learner_has_one_grading_at_a_time_however_many_workers_there_are(course: Course) -> None:
    course.worker("first")
    course.worker("second")
    wait_until(lambda: len(workers.alive(course.database)) == 2, "two workers")
    course.wait_done(*(course.send(f"slow 0.4 {number}") for number in range(4)))
    events = [line.split()[0] for line in course.diary()]
    assert events == ["grade", "end"] * 4


def test_the_expected_wait_counts_hands_and_that_ones_own_are_not_graded_side_by_side() -> None:
    rows = tuple(turns.Waiting(number, learner) for number, learner in enumerate("abcdaa", start=1))
    line = queue.Line(rows, frozenset({1, 2}))
    assert line.place(1, 2.0, 2) == queue.Place(0, 2.0)
    assert line.place(3, 2.0, 2) == queue.Place(1, 4.0)
    assert line.place(4, 2.0, 2) == queue.Place(2, 5.0)
    assert line.place(6, 2.0, 2) == queue.Place(4, 7.0)
    assert line.place(6, 2.0, 100) == queue.Place(4, 6.0), "two of their own come before"
    assert line.place(7, 2.0, 2) is None


def test_a_trial_under_way_holds_up_the_same_learner_only(course: Course) -> None:
    course.worker()
    for call in ("first", "second"):
        number = trials.create_trial(course.database, ANNA, call, b"slow 1", "x")
        course.queue.trial(number)
    theirs = trials.create_trial(course.database, BORIS, "lora-linear", b"x", "x")
    course.queue.trial(theirs)
    wait_until(lambda: trials.trial(course.database, ANNA, number).state == "done", "the second trial")
    assert [line.split(maxsplit=2)[2] for line in course.diary("run")] == ["slow 1", "x", "slow 1"]


def test_a_second_worker_of_the_same_name_is_refused(course: Course) -> None:
    course.worker("same")
    wait_until(course.queue.alive, "the first worker")
    second = course.worker("same")
    assert second.wait(WITHIN) == 1
    assert "уже работает" in (course.settings.data_dir / "worker.log").read_text()


def test_a_trial_does_not_wait_behind_gradings(course: Course) -> None:
    waiting = [course.send(f"slow 3 {index}") for index in range(4)]
    course.worker()
    wait_until(lambda: course.diary("grade"), "the grading to begin")
    number = trials.create_trial(course.database, ANNA, "lora-linear", b"x = 1", "x + 1")
    started = time.monotonic()
    assert course.queue.trial(number)
    wait_until(lambda: trials.trial(course.database, ANNA, number).state == "done", "the trial")
    assert time.monotonic() - started < 3
    found = trials.trial(course.database, ANNA, number)
    assert found.result is not None
    assert found.result.value == "x + 1"
    assert course.get(waiting[-1]).state == "queued"


def test_the_place_in_the_queue_moves_up(course: Course) -> None:
    numbers = [course.send(f"slow 2 {index}") for index in range(3)]
    places = [course.queue.place(number) for number in numbers]
    assert [place.position for place in places if place] == [1, 2, 3]
    waits = [place.expected_seconds for place in places if place]
    assert waits == sorted(waits)
    assert waits[0] > 0
    assert course.queue.place(999) is None

    course.worker()
    wait_until(
        lambda: (place := course.queue.place(numbers[0])) is not None and place.position == 0, "the first to run"
    )
    course.wait_done(*numbers)
    wait_until(lambda: course.queue.place(numbers[-1]) is None, "the last to leave the queue")


def test_a_living_worker_is_seen_and_a_stopped_one_is_not(course: Course) -> None:
    assert not course.queue.alive()
    worker = course.worker()
    wait_until(course.queue.alive, "a sign of life")
    wait_until(lambda: workers.isolation(course.database), "its walls")
    assert workers.isolation(course.database)["w"]["layers"] == ["namespaces"]
    worker.send_signal(signal.SIGINT)
    assert worker.wait(WITHIN) == 0
    assert not course.queue.alive()
    assert workers.isolation(course.database) == {}


def test_an_interrupt_that_a_finalizer_swallows_ends_the_worker_too() -> None:
    program = """
import signal
from jobs import worker
class Finalized:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)
worker.obey_signals()
Finalized()
print("swallowed")
worker.Worker._watch(None)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=WITHIN)
    assert done.stdout == "swallowed\n"
    assert done.returncode == 0, done.stderr


def test_a_worker_whose_parent_died_ends(course: Course) -> None:
    parent = subprocess.Popen(["sleep", "0.1"])
    parent.wait()
    worker = course.worker(**{process.PARENT: str(parent.pid)})
    assert worker.wait(WITHIN) == 0


def test_a_queue_that_cannot_be_reached_is_said_and_nothing_raises(tmp_path: Path) -> None:
    chosen = settings.load({}, data_dir=tmp_path)
    unreachable = queue.Queue(settings.load({}, data_dir=tmp_path / "missing"), Database(chosen.database))
    assert unreachable.grade(1) is False
    unreachable.close()


def test_a_locked_queue_delays_nobody_for_long(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.closing(sqlite3.connect(course.settings.data_dir / "queue.sqlite")) as other:
        other.execute("BEGIN EXCLUSIVE")
        impatient = queue.Queue(course.settings, course.database, wait=0.2)
        number = course.send("fine", enqueue=False)
        started = time.monotonic()
        assert impatient.grade(number) is False
        assert time.monotonic() - started < 5
        impatient.close()


def test_no_worker_outlives_its_test(course: Course) -> None:
    worker = course.worker()
    wait_until(course.queue.alive, "a sign of life")
    family = psutil.Process(worker.pid).children(recursive=True)
    worker.kill()
    worker.wait()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
