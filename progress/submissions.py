"""Files sent for grading, from the click to the verdict. Each call is one transaction.

A row comes first, then the job. Calls with an actor are for pages, calls without one for the worker. Leaves out whose
turn it is (``turns``), reading the file (``graders.submission``), grading it and the queue (``jobs``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Literal, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from graders.protocol import Outcome, Verdict
from progress import pace, people
from progress.database import Database
from progress.identity import Identity, require_instructor, require_owner
from progress.records import SubmissionRow

State = Literal["queued", "running", "done"]

MAX_BYTES = 256 * 1024
MAX_WAITING = 10
"""Submissions of one learner that may wait for their verdict at a time."""
PER_MINUTE = 6
"""Submissions of one learner to one exercise in any minute. Reading a verdict takes longer than ten seconds; more is
trying at random, or a program, and each costs others a second of waiting."""
DOUBLE_CLICK = timedelta(seconds=5)
MAX_NAME = 120


class Rejected(Exception):
    """The file was not taken; the message is one Russian sentence. No attempt is charged."""


class Missing(LookupError):
    """There is no such row; the message is one Russian sentence."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One attempt at an exercise. ``number`` counts the learner's submissions to it from 1."""

    id: int
    learner: str
    exercise: str
    number: int
    source: bytes
    filename: str
    created: datetime
    state: State
    finished: datetime | None = None
    outcome: Outcome | None = None
    verdict: Verdict | None = None

    @property
    def counted(self) -> bool:
        """Whether it is charged as an attempt: graded, and neither empty-handed nor spoiled by a fault of ours."""
        return self.outcome is not None and self.outcome.counts


def submit(
    db: Database, actor: Identity, exercise: str, source: bytes, filename: str = "solution.py", *, version: str = ""
) -> Submission:
    """Take a file. The same file twice within five seconds is a double click: the first submission is returned.

    A file that was graded before on the exercise's ``version`` is not graded again: that submission is returned, done
    and with its verdict, and nothing is charged.

    Raises:
        Rejected: the file is empty or too large, too many of the learner's are waiting, or they come too fast.
    """
    _check_size(source)
    name = clean_name(filename)
    with db.writing() as session:
        people.enter(session, actor)
        last = _last(session, actor.id, exercise)
        if last is not None and _is_double_click(last, source, name):
            return to_submission(last)
        row = SubmissionRow(
            learner=actor.id,
            exercise=exercise,
            number=last.number + 1 if last else 1,
            source=source,
            filename=name,
            created=people.now(),
            state="queued",
        )
        known = _graded_before(session, row, version)
        if known is not None:
            return known
        _check_waiting(session, actor.id)
        _check_pace(session, row)
        session.add(row)
        session.flush()
        return to_submission(row)


def attempts(db: Database, actor: Identity, exercise: str) -> tuple[Submission, ...]:
    """The actor's submissions to an exercise, oldest first."""
    with db.reading() as session:
        wanted = select(SubmissionRow).where(SubmissionRow.learner == actor.id, SubmissionRow.exercise == exercise)
        return tuple(to_submission(row) for row in session.scalars(wanted.order_by(SubmissionRow.number)))


def mine(db: Database, actor: Identity) -> tuple[Submission, ...]:
    """All the actor's submissions, oldest first."""
    with db.reading() as session:
        wanted = select(SubmissionRow).where(SubmissionRow.learner == actor.id).order_by(SubmissionRow.id)
        return tuple(to_submission(row) for row in session.scalars(wanted))


def passed(db: Database, actor: Identity) -> frozenset[str]:
    """The exercises that the actor has solved in full, without reading a single verdict."""
    with db.reading() as session:
        solved = (SubmissionRow.learner == actor.id, SubmissionRow.outcome == Outcome.PASSED.value)
        return frozenset(session.scalars(select(SubmissionRow.exercise).where(*solved).distinct()))


def get(db: Database, actor: Identity, submission_id: int) -> Submission:
    """One submission: the actor's own, or anybody's for an instructor.

    Raises:
        Missing: there is none of that id.
        Forbidden: it is somebody else's.
    """
    with db.reading() as session:
        row = _row(session, submission_id)
        require_owner(actor, row.learner)
        return to_submission(row)


def files(db: Database, actor: Identity, ids: Collection[int]) -> dict[int, tuple[bytes, str]]:
    """The file of each of several learners' submissions and its name.

    Raises:
        Forbidden: the actor is no instructor.
    """
    require_instructor(actor)
    with db.reading() as session:
        wanted = select(SubmissionRow.id, SubmissionRow.source, SubmissionRow.filename).where(SubmissionRow.id.in_(ids))
        return {number: (source, name) for number, source, name in session.execute(wanted)}


def start(db: Database, submission_id: int) -> Submission:
    """A worker begins to grade. One that is done already stays done: the worker has nothing left to do.

    Raises:
        Missing: there is none of that id.
    """
    with db.writing() as session:
        row = _row(session, submission_id, lock=True)
        if row.state != "done":
            row.state, row.started = "running", people.now()
        return to_submission(row)


def requeue(db: Database, submission_id: int) -> None:
    """A worker gives up through no fault of the learner's: the submission waits again. Done ones stay done.

    Raises:
        Missing: there is none of that id.
    """
    with db.writing() as session:
        row = _row(session, submission_id, lock=True)
        if row.state != "done":
            row.state, row.started = "queued", None


def store_verdict(db: Database, submission_id: int, verdict: Verdict) -> Submission:
    """Store what grading found. The first verdict stands; only one that was our own fault is replaced.

    Raises:
        Missing: there is none of that id.
    """
    with db.writing() as session:
        row = _row(session, submission_id, lock=True)
        if row.state != "done" or row.outcome == Outcome.INFRA_ERROR:
            row.state, row.finished = "done", people.now()
            row.outcome, row.verdict = str(verdict.outcome), verdict.to_json()
        return to_submission(row)


def to_submission(row: SubmissionRow) -> Submission:
    """A stored row as the value that pages, reports and workers use."""
    return Submission(
        id=row.id,
        learner=row.learner,
        exercise=row.exercise,
        number=row.number,
        source=row.source,
        filename=row.filename,
        created=row.created,
        state=cast("State", row.state),
        finished=row.finished,
        outcome=Outcome(row.outcome) if row.outcome else None,
        verdict=Verdict.from_json(row.verdict) if row.verdict else None,
    )


def clean_name(filename: str) -> str:
    """A file name fit to show and to store: no folders, nothing unprintable, not endless."""
    last = PurePosixPath(filename.replace("\\", "/")).name
    return "".join(sign for sign in last if sign.isprintable()).strip()[-MAX_NAME:] or "solution.py"


def _check_size(source: bytes) -> None:
    if not source.strip():
        raise Rejected("Файл пуст: отправлять пока нечего. Попытка не потрачена.")
    if len(source) > MAX_BYTES:
        raise Rejected(
            f"Файл больше {MAX_BYTES // 1024} КиБ: решение задания столько не занимает, "
            "проверьте, тот ли это файл. Попытка не потрачена."
        )


def _check_waiting(session: Session, learner: str) -> None:
    waiting = (SubmissionRow.learner == learner, SubmissionRow.state != "done")
    if (session.scalar(select(func.count()).where(*waiting)) or 0) >= MAX_WAITING:
        raise Rejected("Проверки уже ждут несколько ваших файлов: дождитесь ответа, потом отправьте следующий.")


def _check_pace(session: Session, row: SubmissionRow) -> None:
    mine = (SubmissionRow.learner == row.learner, SubmissionRow.exercise == row.exercise)
    seconds = pace.wait(session, SubmissionRow.created, mine, PER_MINUTE)
    if seconds:
        raise Rejected(
            f"За минуту принимаем не больше {PER_MINUTE} решений одного задания: подождите {seconds} с и отправьте "
            "снова. Попытка не потрачена."
        )


def _graded_before(session: Session, row: SubmissionRow, version: str) -> Submission | None:
    """The learner's last submission of the same file whose verdict a new grading could only repeat."""
    if not version:
        return None
    mine = (SubmissionRow.learner == row.learner, SubmissionRow.exercise == row.exercise)
    same = (SubmissionRow.source == row.source, SubmissionRow.filename == row.filename, SubmissionRow.state == "done")
    for earlier in session.scalars(select(SubmissionRow).where(*mine, *same).order_by(SubmissionRow.number.desc())):
        found = to_submission(earlier)
        if found.verdict is not None and found.verdict.exercise_version == version and _is_settled(found.verdict):
            return found
    return None


def _is_settled(verdict: Verdict) -> bool:
    """Whether the same file would be judged the same again. Time and memory also depend on how busy the machine was."""
    outcomes = {verdict.outcome, *(check.outcome for check in verdict.checks)}
    return verdict.outcome.counts and not outcomes & {Outcome.TIMEOUT, Outcome.MEMORY, Outcome.CRASHED}


def _last(session: Session, learner: str, exercise: str) -> SubmissionRow | None:
    wanted = select(SubmissionRow).where(SubmissionRow.learner == learner, SubmissionRow.exercise == exercise)
    return session.scalars(wanted.order_by(SubmissionRow.number.desc()).limit(1)).one_or_none()


def _is_double_click(last: SubmissionRow, source: bytes, name: str) -> bool:
    same = last.source == source and last.filename == name
    return same and people.now() - last.created < DOUBLE_CLICK


def _row(session: Session, submission_id: int, *, lock: bool = False) -> SubmissionRow:
    row = session.get(SubmissionRow, submission_id, with_for_update=lock)
    if row is None:
        raise Missing(f"Отправки № {submission_id} нет: возможно, ссылка устарела.")
    return row
