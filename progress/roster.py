"""The whole class at one moment, read in one transaction: what ``reports`` are computed from.

For instructors only. Leaves out the code that was sent (``dossier``, one learner at a time).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import Session, defer
from sqlalchemy.orm.interfaces import ORMOption

from graders.protocol import Outcome, Verdict
from progress import learning, submissions
from progress.database import Database
from progress.identity import Identity, require_instructor, require_owner
from progress.learning import Answer
from progress.records import (
    AnswerRow,
    DraftRow,
    HintRow,
    LearnerRow,
    Moment,
    SubmissionRow,
    TickRow,
    TrialRow,
    VisitRow,
)
from progress.submissions import Missing, Submission

T = TypeVar("T")
Row = TypeVar("Row")
Owned = TypeVar("Owned", TickRow, VisitRow, AnswerRow, SubmissionRow)

DEEDS: tuple[tuple[Any, Any], ...] = (
    (TickRow.learner, TickRow.at),
    (AnswerRow.learner, AnswerRow.at),
    (VisitRow.learner, VisitRow.last),
    (DraftRow.learner, DraftRow.at),
    (HintRow.learner, HintRow.at),
    (SubmissionRow.learner, SubmissionRow.created),
    (TrialRow.learner, TrialRow.created),
)
"""Whatever counts as a sign of life: whose, and when."""


@dataclass(frozen=True, slots=True)
class Person:
    """A learner as reports name them. ``sample``: invented."""

    id: str
    name: str
    sample: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """A submission without its code."""

    id: int
    exercise: str
    number: int
    created: datetime
    outcome: Outcome | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """All that one learner has done, oldest first."""

    person: Person
    ticks: frozenset[tuple[str, str]] = frozenset()  # lesson, item
    answers: tuple[Answer, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    visits: frozenset[tuple[str, str]] = frozenset()  # lesson, block
    seen: datetime | None = None  # their last deed of any kind

    def verdicts(self) -> tuple[Verdict, ...]:
        """What grading found, oldest first."""
        return tuple(attempt.verdict for attempt in self.attempts if attempt.verdict is not None)


@dataclass(frozen=True, slots=True)
class Dossier:
    """One learner, with the code they sent."""

    work: Work
    submissions: tuple[Submission, ...] = ()
    hints: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # exercise -> numbers of hints opened


def load(db: Database, actor: Identity) -> tuple[Work, ...]:
    """Everybody's work, by name.

    Raises:
        Forbidden: the actor is no instructor.
    """
    require_instructor(actor)
    with db.reading() as session:
        return _read(session, None)


def dossier(db: Database, actor: Identity, learner: str) -> Dossier:
    """One learner's work: the actor's own, or anybody's for an instructor.

    Raises:
        Forbidden: it is somebody else's.
        Missing: nobody of that id has done anything yet.
    """
    require_owner(actor, learner)
    with db.reading() as session:
        works = _read(session, learner)
        if not works:
            raise Missing("Такого учащегося нет: возможно, ссылка устарела.")
        sent = select(SubmissionRow).where(SubmissionRow.learner == learner).order_by(SubmissionRow.id)
        opened = select(HintRow).where(HintRow.learner == learner).order_by(HintRow.exercise, HintRow.number)
        hints: dict[str, tuple[int, ...]] = {}
        for row in session.scalars(opened):
            hints[row.exercise] = (*hints.get(row.exercise, ()), row.number)
        return Dossier(works[0], tuple(map(submissions.to_submission, session.scalars(sent))), hints)


def own(db: Database, actor: Identity) -> Work:
    """The actor's own work; empty when they have done nothing yet."""
    with db.reading() as session:
        works = _read(session, actor.id)
    return works[0] if works else Work(Person(actor.id, actor.name))


def _read(session: Session, learner: str | None) -> tuple[Work, ...]:
    people = _of(select(LearnerRow), LearnerRow.id, learner).order_by(LearnerRow.name, LearnerRow.id)
    rows = session.scalars(people).all()
    ticks = _grouped(session, TickRow, learner, lambda row: (row.lesson, row.item))
    visits = _grouped(session, VisitRow, learner, lambda row: (row.lesson, row.block))
    answers = _grouped(session, AnswerRow, learner, learning.to_answer, AnswerRow.id)
    attempts = _grouped(session, SubmissionRow, learner, _to_attempt, SubmissionRow.id, defer(SubmissionRow.source))
    seen = _seen(session, learner)
    return tuple(
        Work(
            Person(row.id, row.name, row.sample),
            frozenset(ticks.get(row.id, ())),
            tuple(answers.get(row.id, ())),
            tuple(attempts.get(row.id, ())),
            frozenset(visits.get(row.id, ())),
            seen.get(row.id),
        )
        for row in rows
    )


def _grouped(
    session: Session,
    model: type[Owned],
    learner: str | None,
    convert: Callable[[Owned], T],
    order: Any = None,
    *options: ORMOption,
) -> dict[str, list[T]]:
    wanted = _of(select(model), model.learner, learner).order_by(order).options(*options)
    found: dict[str, list[T]] = {}
    for row in session.scalars(wanted):
        found.setdefault(row.learner, []).append(convert(row))
    return found


def _of(query: Select[Row], column: Any, learner: str | None) -> Select[Row]:
    return query if learner is None else query.where(column == learner)


def _to_attempt(row: SubmissionRow) -> Attempt:
    return Attempt(
        id=row.id,
        exercise=row.exercise,
        number=row.number,
        created=row.created,
        outcome=Outcome(row.outcome) if row.outcome else None,
        verdict=Verdict.from_json(row.verdict) if row.verdict else None,
    )


def _seen(session: Session, learner: str | None) -> dict[str, datetime]:
    """The time of each learner's last deed."""
    deeds = union_all(
        *(_of(select(owner.label("who"), at.label("at")), owner, learner) for owner, at in DEEDS)
    ).subquery()
    latest = select(deeds.c.who, func.max(deeds.c.at, type_=Moment())).group_by(deeds.c.who)
    return {row.who: row[1] for row in session.execute(latest)}
