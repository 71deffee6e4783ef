"""The grading engine: what the worker, the command line and the tests call. See ``Engine``.

Never raises for what a learner sent; our own faults become ``INFRA_ERROR``. Leaves out the queue and the store.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from graders import submission
from graders.aside import Broken
from graders.exercise import Exercise, ExerciseError, load
from graders.host import feedback, sentences
from graders.host.session import Record, Session, Terms, Trouble
from graders.host.zygote import Lost, Zygote
from graders.protocol import Job, Outcome, Trial, Verdict
from graders.submission import InvalidFile, Submission

log = logging.getLogger(__name__)
ATTEMPTS = 2
"""How often a job is tried when our own processes fail."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """Which walls stand on this machine. Without ``ready`` nothing is graded; ``problem`` says why.

    ``tier``: A with namespaces, B without them. ``missing``: what this machine does not offer, with the reason.
    """

    ready: bool
    tier: str = ""
    layers: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


class Engine:
    """Two warm processes and everything to grade with them. A context manager; safe to use from several threads.

    The constructor returns at once; the first job waits until both processes are warm (seconds). ``tiers`` are tried
    in this order; ``without`` leaves walls out, for tests that show what each of them holds. Neither is ever taken
    from what a learner sent.
    """

    def __init__(
        self,
        exercises_dir: Path,
        *,
        content_model: Path | None = None,
        tiers: Sequence[str] = ("A", "B"),
        without: Collection[str] = (),
    ) -> None:
        self._folder = exercises_dir.resolve()
        model = str(content_model.resolve()) if content_model else None
        walls = {"tiers": list(tiers), "without": sorted(without)}
        options = {"model": model, "hidden": [str(self._folder)], **walls}
        self._judge = Zygote("graders.host.judge")
        self._student = Zygote("graders.inside.zygote", options, shut=True)
        self._numbers = itertools.count()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End both processes and whatever they still run."""
        self._judge.close()
        self._student.close()

    def isolation(self) -> Isolation:
        """Which walls stand here. Waits until the sandbox's process is warm."""
        try:
            found = self._student.wait()
        except Lost as error:
            return Isolation(False, problem=f"Изоляция недоступна, проверки не запускаются: {error}.")
        return Isolation(True, found["tier"], tuple(found["layers"]), tuple(found["missing"].items()))

    def grade(self, job: Job) -> Verdict:
        """The verdict on a submission."""
        try:
            exercise = self._exercise(job)
            sent = submission.read(job.source, job.filename, _names(exercise))
        except ExerciseError as error:
            log.exception("exercise %r", job.exercise)
            return feedback.short(job.exercise, Outcome.INFRA_ERROR, f"{sentences.INFRA} {error}")
        except InvalidFile as error:
            return feedback.short(job.exercise, Outcome.INVALID_FILE, str(error))
        except Broken:
            log.exception("reading %r", job.filename)
            return feedback.short(job.exercise, Outcome.INFRA_ERROR, sentences.INFRA)
        if sent.empty or sent.untouched(exercise.starter):
            message = sentences.EMPTY if sent.empty else sentences.UNTOUCHED
            return feedback.short(exercise.slug, Outcome.NOT_ATTEMPTED, message, exercise.version)
        record = self._run(exercise, sent, {"tests": str(exercise.tests)})
        if isinstance(record, str):
            return feedback.short(exercise.slug, Outcome.INFRA_ERROR, record, exercise.version)
        return replace(feedback.verdict(exercise, record), notices=sent.notices)

    def run(self, job: Job, call: str) -> Trial:
        """What the submission does with ``call``, a Python expression or statements; nothing is judged or counted."""
        try:
            exercise = self._exercise(job)
            sent = submission.read(job.source, job.filename, _names(exercise))
        except ExerciseError as error:
            log.exception("exercise %r", job.exercise)
            return Trial(Outcome.INFRA_ERROR, f"{sentences.INFRA} {error}")
        except InvalidFile as error:
            return Trial(Outcome.INVALID_FILE, str(error))
        except Broken:
            log.exception("reading %r", job.filename)
            return Trial(Outcome.INFRA_ERROR, sentences.INFRA)
        record = self._run(exercise, sent, {"call": call[: submission.LARGEST]})
        trial = Trial(Outcome.INFRA_ERROR, record) if isinstance(record, str) else feedback.trial(exercise, record)
        return replace(trial, notices=sent.notices)

    def _exercise(self, job: Job) -> Exercise:
        folder = self._folder / job.exercise
        if folder.parent != self._folder or not (folder / "exercise.toml").is_file():
            raise ExerciseError(sentences.UNKNOWN)
        return load(folder)

    def _run(self, exercise: Exercise, sent: Submission, what: dict[str, object]) -> Record | str:
        """The record of a session, or why there is none."""
        job = {**what, "given": exercise.given, "cells": [list(cell) for cell in sent.cells]}
        job |= {"fresh": [f"test_{check.id}" for check in exercise.checks if check.fresh]}
        job |= {"files": list(exercise.files), "file_bytes": exercise.file_bytes}
        terms = Terms(exercise.seconds, exercise.memory)
        for _ in range(ATTEMPTS):
            try:
                return Session(self._judge, self._student, terms, self._numbers).run(job)
            except (Trouble, Lost, OSError) as error:
                log.exception("grading of %s failed on our side", exercise.slug)
                problem = error
        return f"{sentences.INFRA} {problem}" if isinstance(problem, Lost) else sentences.INFRA


def _names(exercise: Exercise) -> set[str]:
    """What the exercise asks the learner to define, with parameters."""
    return {name for item in exercise.functions for name in (item.name, *item.parameters)}
