"""Runs through the queue, a worker and the real libraries: live, cancelled, killed, refused, beside grading."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest

import settings
from demos.finetuning import events
from demos.finetuning.events import Finished, Started
from demos.finetuning.spec import RunSpec
from jobs import queue, sentences
from jobs.prepare import prepare
from progress import datasets, run_files, runs, submissions
from progress.database import Database
from progress.identity import Identity
from progress.runs import Run
from settings import ROOT, Settings
from tests.jobs.test_tuning import gone

pytestmark = pytest.mark.slow
ANNA = Identity("anna", "Анна", instructor=False)
BORIS = Identity("boris", "Борис", instructor=False)
SMALL = RunSpec(quantization="none", rank=4, steps=3, batch=4, held_out=4, evaluate_every=100)
LONG = RunSpec(quantization="none", rank=4, steps=2000, batch=4, held_out=4, evaluate_every=2000)
WITHIN = 300.0


def wait_until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WITHIN
    while not true():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


@dataclass
class Course:
    """A data folder and its one worker."""

    settings: Settings
    database: Database
    queue: queue.Queue
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        environment = {**os.environ, **self.settings.environment(), "PYTHONPATH": str(ROOT), "TEST_TUNING": "1"}
        with (self.settings.data_dir / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.jobs.slow_worker", "w"]
            self.workers.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))

    def ask(self, spec: RunSpec, who: Identity = ANNA, dataset: int | None = None) -> int:
        number = runs.create(self.database, who, spec.to_json(), dataset=dataset).id
        assert self.queue.run(number)
        return number

    def get(self, number: int) -> Run:
        return runs.run(self.database, number)

    def said(self, number: int, kind: str) -> list[dict[str, Any]]:
        return [event for event in runs.events_since(self.database, number) if event["kind"] == kind]

    def wait_for(self, number: int, kind: str) -> dict[str, Any]:
        wait_until(lambda: self.said(number, kind) or self.get(number).state == "done", f"{kind} of run {number}")
        return self.said(number, kind)[-1]

    def wait_done(self, number: int) -> Run:
        wait_until(lambda: self.get(number).state == "done", f"the end of run {number}")
        return self.get(number)

    def children(self) -> list[psutil.Process]:
        """The parent of runs, and the run under way."""
        return list(psutil.Process(self.workers[-1].pid).children(recursive=True))

    def cancel(self, number: int, who: Identity = ANNA) -> float:
        """Seconds until it is over."""
        began = time.monotonic()
        self.queue.cancel(who, number)
        self.wait_done(number)
        return time.monotonic() - began


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    chosen = settings.load({}, data_dir=tmp_path_factory.mktemp("training"))
    prepare(chosen)
    database = Database(chosen.database)
    made = Course(chosen, database, queue.Queue(chosen, database))
    made.start()
    yield made
    family = made.children()
    for worker in made.workers:
        worker.kill()
        worker.wait()
    wait_until(lambda: all(gone(process) for process in family), "the worker's processes to go with it")
    made.queue.close()
    database.close()


def test_a_run_is_seen_live_and_leaves_an_adapter(course: Course) -> None:
    number = course.ask(SMALL)
    course.wait_for(number, "started")
    assert course.get(number).state == "running"
    place = course.queue.run_place(number)
    assert place is None or place.position == 0
    found = course.wait_done(number)
    told = [events.from_json(event) for event in runs.events_since(course.database, number)]
    assert (found.outcome, found.events) == ("finished", len(told))
    assert [event.step for event in told if isinstance(event, events.Step)][-1] == SMALL.steps
    assert isinstance(told[-1], Finished)
    assert told[-1].before.of == SMALL.held_out
    kept = run_files.sizes(course.database, number)
    assert kept["adapter/adapter_model.safetensors"] == told[-1].file_bytes
    assert found.summary["finished"]["after"]["of"] == SMALL.held_out
    assert course.queue.run_place(number) is None


def test_the_first_event_comes_within_two_seconds_and_cancelling_takes_less(course: Course) -> None:
    began = time.monotonic()
    number = course.ask(LONG)
    wait_until(lambda: course.get(number).events, "the first event")
    assert time.monotonic() - began < 2
    waiting = course.ask(_seed(LONG, 1))
    assert course.cancel(waiting) < 1
    assert course.said(waiting, "failed")[0]["text"] == sentences.CANCELLED_WAITING
    course.wait_for(number, "stage")
    (_, child) = sorted(course.children(), key=lambda process: process.create_time())[-2:]
    assert course.cancel(number) < 2
    assert course.cancel(number) < 1
    assert [event["code"] for event in course.said(number, "failed")] == ["cancelled"]
    wait_until(lambda: gone(child), "its process")


def test_one_run_at_a_time_and_learners_take_turns(course: Course) -> None:
    first = course.ask(LONG)
    course.wait_for(first, "stage")
    mine, his = course.ask(_seed(LONG, 1)), course.ask(_seed(LONG, 2), BORIS)
    places = [course.queue.run_place(number) for number in (first, his, mine)]
    assert [place.position for place in places if place] == [0, 1, 2]
    waits = [place.wait_seconds for place in places if place]
    assert 0 == waits[0] < waits[1] < waits[2]
    course.cancel(first)
    course.wait_for(his, "stage")
    assert [course.get(number).state for number in (his, mine)] == ["running", "queued"]
    assert course.cancel(mine) < 1
    course.cancel(his, BORIS)


def test_a_verdict_does_not_wait_for_a_run(course: Course) -> None:
    number = course.ask(LONG)
    course.wait_for(number, "stage")
    began = time.monotonic()
    sent = submissions.submit(course.database, BORIS, "lora-linear", b"fine").id
    course.queue.grade(sent)
    wait_until(lambda: submissions.get(course.database, BORIS, sent).state == "done", "the verdict")
    assert time.monotonic() - began < 3
    assert course.get(number).state == "running"
    course.cancel(number)


def test_a_recipe_that_does_not_fit_is_refused_in_one_sentence(course: Course) -> None:
    number = course.ask(RunSpec(quantization="none", targets=("no_such_layer",), steps=2, held_out=4))
    assert course.wait_done(number).outcome == "failed"
    last = course.said(number, "failed")[0]
    assert last["code"] == "refused"
    assert "no_such_layer" in last["text"]


def test_own_examples_are_trained_on_and_a_bad_file_is_told_by_its_lines(course: Course) -> None:
    bad = datasets.add(course.database, ANNA, "bad.jsonl", b'{"messages": []}\n{not json\n')
    number = course.ask(SMALL, dataset=bad.id)
    assert course.wait_done(number).outcome == "failed"
    assert "2" in course.said(number, "failed")[0]["text"]
    rows = ({"instruction": f"раз {number}", "output": f"два {number}"} for number in range(60))
    good = datasets.add(course.database, ANNA, "good.jsonl", "\n".join(map(json.dumps, rows)).encode())
    number = course.ask(SMALL, dataset=good.id)
    started = events.from_json(course.wait_for(number, "started"))
    assert isinstance(started, Started)
    assert 20 <= started.train_examples <= 60
    course.cancel(number)


def test_a_killed_worker_begins_the_run_anew_and_says_so(course: Course) -> None:
    number = course.ask(SMALL)
    course.wait_for(number, "started")
    family = course.children()
    course.workers[-1].send_signal(signal.SIGKILL)
    course.workers[-1].wait()
    wait_until(lambda: all(gone(process) for process in family), "the run's process to go with its worker")
    course.start()
    assert course.wait_done(number).outcome == "finished"
    (alarm,) = [event for event in course.said(number, "alarm") if event["code"] == events.RESTARTED]
    assert alarm["text"] == sentences.RESTARTED
    assert course.get(number).restarts == 1
    told = events.latest([events.from_json(event) for event in runs.events_since(course.database, number)])
    assert sum(isinstance(event, Started) for event in told) == 1


def _seed(spec: RunSpec, seed: int) -> RunSpec:
    return RunSpec.from_json({**spec.to_json(), "seed": seed})
