"""What a worker does with a fine-tuning run: starts a child, stores what it says, ends it when asked.

A run whose child or worker was killed begins anew, says so, and gives up after a few times. Leaves out the child
(``jobs.tuning``), the fine-tuning (``demos.finetuning.run``) and who calls (``jobs.worker``).
"""

from __future__ import annotations

import base64
import contextlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbos import DBOS

from demos.finetuning import events
from demos.finetuning.events import Alarm, Failed, Finished, Stage
from jobs import grading, sentences
from jobs.queue import RUN
from jobs.tuning import Attempt, Ended
from progress import datasets, run_files, runs
from progress.database import Database, DatabaseFault
from progress.runs import Outcome, Run
from progress.submissions import Missing

DEADLINE = 15 * 60.0
"""Seconds that one attempt may take."""
RESTARTS = 2
"""How often a run whose process was killed begins anew."""
TICK = 0.1
STORING, LOOKING = 0.25, 0.3
"""Seconds between two writes of events, and between two looks whether somebody cancelled."""
log = logging.getLogger("course.training")


@DBOS.workflow(name=RUN, max_recovery_attempts=grading.DEATHS)
def run(run_id: int) -> str:
    """Do a stored run; the outcome's name."""
    outcome = tune(run_id)
    grading.pass_on(RUN, run_id)
    return outcome


@DBOS.step(retries_allowed=True, max_attempts=4, interval_seconds=0.5)
def tune(run_id: int) -> str:
    """The run, from the first event to the last."""
    bench = grading.current()
    grading.go_on(bench)
    try:
        row = runs.start(bench.database, run_id)
        return row.outcome or Tuning(bench, row).run()
    except Missing:
        log.warning("run %d is gone", run_id)
        return "cancelled"


def give_up(database: Database, run_id: int) -> None:
    """Answer for a run whose job died too often or failed through our own fault, so that nobody waits for ever."""
    log.error("run %d is given up", run_id)
    with contextlib.suppress(Missing):
        runs.finish(database, run_id, "failed", [events.to_json(Failed("fault", sentences.GIVEN_UP, 0.0))])


class _Over(Exception):
    """The run ends now, through no word of its child's."""

    def __init__(self, outcome: Outcome, code: str, text: str) -> None:
        super().__init__(text)
        self.outcome, self.code, self.text = outcome, code, text


class Tuning:
    """One run under way, in the worker. ``run`` is called once."""

    def __init__(self, bench: grading.Bench, row: Run) -> None:
        self._bench, self._db, self._row = bench, bench.database, row
        self._batch: list[dict[str, Any]] = []
        self._summary: dict[str, Any] = {}
        self._began = time.monotonic()
        self._stored = self._looked = 0.0

    def run(self) -> Outcome:
        """Attempt it until it ends; how it ended.

        Raises:
            Stopping: the worker ends.
            Missing: the run is gone.
            DatabaseFault: the end cannot be stored.
        """
        try:
            while True:
                self._begin()
                if (outcome := self._attempt()) is not None:
                    return outcome
                self._flush()
                self._row = runs.start(self._db, self._row.id)
        except _Over as over:
            failed = Failed(over.code, over.text, time.monotonic() - self._began)
            return self._finish(over.outcome, events.to_json(failed), {})

    def _begin(self) -> None:
        if self._row.restarts > RESTARTS:
            raise _Over("failed", "fault", sentences.GIVEN_UP)
        self._began, self._summary = time.monotonic(), {}
        if self._row.restarts:
            self._hear(events.to_json(Alarm(events.RESTARTED, sentences.RESTARTED, 0)))

    def _attempt(self) -> Outcome | None:
        """How the attempt ended; None when its process was killed."""
        own, kills = self._own(), _out_of_memory()
        self._wait_until_warm()
        tuner = self._bench.tuner
        assert tuner is not None  # noqa: S101 - or this queue would not be served
        try:
            with tuner.start(self._row.spec, own) as (attempt, folder):
                return self._listen(attempt, folder)
        except Ended as end:
            log.warning("run %d: %s", self._row.id, end)
            if _out_of_memory() > kills:
                raise _Over("failed", "memory", sentences.MEMORY) from None
            return None

    def _own(self) -> dict[str, str] | None:
        if self._row.dataset is None:
            return None
        try:
            content, name = datasets.content(self._db, self._row.dataset)
        except Missing as error:
            raise _Over("failed", "refused", str(error)) from None
        return {"name": name, "content": base64.b64encode(content).decode()}

    def _wait_until_warm(self) -> None:
        tuner = self._bench.tuner
        assert tuner is not None  # noqa: S101
        if not tuner.ready(0):
            self._hear(events.to_json(Stage("load", sentences.WARMING, 0.0)))
        while not tuner.ready(TICK):
            self._look()

    def _listen(self, attempt: Attempt, folder: Path) -> Outcome:
        while True:
            event = attempt.next(TICK)
            if event is not None and event["kind"] in {Finished.kind, Failed.kind}:
                attempt.wait()
                self._look()
                return self._end(event, folder)
            if event is not None:
                self._hear(event)
            self._look()

    def _end(self, event: dict[str, Any], folder: Path) -> Outcome:
        if event["kind"] == Failed.kind:
            return self._finish("failed", event, {})
        left, large = _left(folder)
        if large:
            self._hear(events.to_json(Alarm("not_kept", sentences.NOT_KEPT, event["steps"])))
        return self._finish("finished", event, left)

    def _hear(self, event: dict[str, Any]) -> None:
        self._batch.append(event)
        self._summary[event["kind"]] = {name: value for name, value in event.items() if not isinstance(value, list)}

    def _look(self) -> None:
        """What is due between two events: store what was said, see whether the run shall end.

        Raises:
            _Over: it shall.
            Stopping: the worker ends.
        """
        grading.go_on(self._bench)
        now = time.monotonic()
        try:
            if self._batch and now - self._stored >= STORING:
                self._flush()
            if now - self._looked >= LOOKING:
                self._looked = now
                if runs.cancel_requested(self._db, self._row.id):
                    raise _Over("cancelled", "cancelled", sentences.CANCELLED)
        except DatabaseFault as error:
            log.warning("run %d goes on without its database: %s", self._row.id, error)
        if now - self._began > DEADLINE:
            raise _Over("failed", "deadline", sentences.DEADLINE)

    def _flush(self) -> None:
        self._stored = time.monotonic()
        runs.append_events(self._db, self._row.id, self._batch, self._summary)
        self._batch = []

    def _finish(self, outcome: Outcome, last: dict[str, Any], files: Mapping[str, bytes]) -> Outcome:
        self._hear(last)
        runs.finish(self._db, self._row.id, outcome, self._batch, files=files, summary=self._summary)
        return outcome


def _left(folder: Path) -> tuple[dict[str, bytes], bool]:
    """The files in ``folder`` by their names from there, and whether some are too large to keep."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    small = [path for path in found if path.stat().st_size <= run_files.MAX_FILE][: run_files.MOST]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in small}, len(small) < len(found)


def _out_of_memory() -> int:
    """How many processes of this machine the kernel has ended for want of memory."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/vmstat").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return 0
