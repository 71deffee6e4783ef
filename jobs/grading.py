"""What a worker does with a submission and with a trial: read the row, ask the engine, store the answer.

The answer is stored in the step that found it, so a job that runs twice (its worker was killed in between) stores the
same thing or nothing. Leaves out how grading works (``graders.host``) and who calls (``jobs.worker``).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from dbos import DBOS

from graders.protocol import Job, Outcome, Trial, Verdict
from jobs.queue import GRADE, TRIAL
from jobs.tuning import Tuner
from progress import submissions, trials
from progress.database import Database

RETRIES = 2
"""How often a grading that failed through our own fault is tried again before the learner is told."""
PAUSE = 1.0
DEATHS = 4
"""How many workers may die over one job before it is given up."""
OURS = "Проверка не удалась по нашей вине: попытка не потрачена. Отправьте решение ещё раз."
NOT_RUN = "Запустить не удалось по нашей вине: попробуйте ещё раз."
log = logging.getLogger("course.grading")


class Grader(Protocol):
    """What is asked of ``graders.host.engine.Engine``."""

    def grade(self, job: Job) -> Verdict:
        """The verdict; never raises for a learner's fault."""

    def run(self, job: Job, call: str) -> Trial:
        """What the code did; never raises for a learner's fault."""

    def isolation(self) -> Any:
        """A dataclass that says which walls stand; waits until the grader is warm."""


@dataclass(slots=True)
class Bench:
    """What the steps work with. ``stopping``: the worker is about to end, what comes out now means nothing.

    ``tuner`` is None where no runs are made. ``pass_on`` is told the kind and the number of what was answered: it is
    the turn of that learner's next one.
    """

    database: Database
    grader: Grader
    tuner: Tuner | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    pass_on: Callable[[str, int], object] = lambda _kind, _number: None


class Stopping(RuntimeError):
    """The worker ends; the job stays open and is taken up again."""


_bench: Bench | None = None


def bind(bench: Bench) -> None:
    """Give the steps of this process their database and grader. DBOS finds workflows by name, not by object."""
    global _bench  # noqa: PLW0603
    _bench = bench


@DBOS.workflow(name=GRADE, max_recovery_attempts=DEATHS)
def grade(submission_id: int) -> str:
    """Grade a stored submission; the outcome's name."""
    for attempt in range(1, RETRIES + 2):
        outcome = grade_once(submission_id, last=attempt > RETRIES)
        if outcome != Outcome.INFRA_ERROR:
            break
        DBOS.sleep(PAUSE * attempt)
    pass_on(GRADE, submission_id)
    return outcome


@DBOS.workflow(name=TRIAL, max_recovery_attempts=DEATHS)
def trial(trial_id: int) -> str:
    """Run a stored trial; the outcome's name."""
    outcome = run_once(trial_id)
    pass_on(TRIAL, trial_id)
    return outcome


@DBOS.step(retries_allowed=True, max_attempts=4, interval_seconds=0.5)
def grade_once(submission_id: int, last: bool) -> str:
    """One grading. A failure of our own is stored only when it is the ``last`` try."""
    bench = current()
    try:
        row = submissions.start(bench.database, submission_id)
    except submissions.Missing:
        log.warning("submission %d is gone", submission_id)
        return Outcome.NOT_ATTEMPTED
    if row.state == "done" and row.outcome is not None:
        return row.outcome
    verdict = bench.grader.grade(Job(row.exercise, row.source, row.filename))
    go_on(bench)
    if verdict.outcome == Outcome.INFRA_ERROR:
        log.error("submission %d: %s %s", submission_id, verdict.message, verdict.traceback)
        if not last:
            submissions.requeue(bench.database, submission_id)
            return verdict.outcome
    return str(submissions.store_verdict(bench.database, submission_id, verdict).outcome)


@DBOS.step(retries_allowed=True, max_attempts=4, interval_seconds=0.5)
def run_once(trial_id: int) -> str:
    """One trial."""
    bench = current()
    try:
        row = trials.start_trial(bench.database, trial_id)
        if row.result is not None:
            return row.result.outcome
        result = bench.grader.run(Job(row.exercise, row.source), row.call)
        go_on(bench)
        if result.outcome == Outcome.INFRA_ERROR:
            log.error("trial %d: %s %s", trial_id, result.message, result.traceback)
        trials.store_trial(bench.database, trial_id, result)
    except submissions.Missing:
        return Outcome.NOT_ATTEMPTED
    return result.outcome


@DBOS.step(retries_allowed=True, max_attempts=4, interval_seconds=0.5)
def pass_on(kind: str, number: int) -> None:
    """The learner's next one gets its job. If this fails, the worker's next sweep finds it."""
    current().pass_on(kind, number)


def give_up(database: Database, kind: str, number: int) -> None:
    """Answer for a job that died too often or failed through our own fault, so that nobody waits for ever."""
    log.error("%s %d is given up", kind, number)
    try:
        if kind == GRADE:
            row = submissions.start(database, number)
            verdict = Verdict(exercise=row.exercise, outcome=Outcome.INFRA_ERROR, message=OURS)
            submissions.store_verdict(database, number, verdict)
        else:
            trials.store_trial(database, number, Trial(outcome=Outcome.INFRA_ERROR, message=NOT_RUN))
    except submissions.Missing:
        log.warning("%s %d is gone", kind, number)


def current() -> Bench:
    """What ``bind`` gave to this process."""
    if _bench is None:
        raise RuntimeError("jobs.grading.bind was not called")
    return _bench


def go_on(bench: Bench) -> None:
    """Let a worker that is not about to end go on.

    Raises:
        Stopping: it is.
    """
    if bench.stopping.is_set():
        raise Stopping
