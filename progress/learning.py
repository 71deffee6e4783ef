"""What a learner does in a lesson: ticks, answers, drafts, visits, hints. Each call is one transaction.

Every call acts for its actor and touches nothing but theirs; what an instructor sees of others is in ``reports``.
Leaves out judging an answer (the caller knows the question) and checklist states (``states``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from progress import people
from progress.database import Database
from progress.identity import Identity
from progress.records import AnswerRow, DraftRow, HintRow, TickRow, VisitRow

Confidence = Literal["guess", "think", "sure"]
CONFIDENCE = frozenset(get_args(Confidence))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AnswerIn:
    """An answer as the learner gives it. ``response`` is plain JSON data, ``right`` is the caller's judgement."""

    lesson: str
    question: str
    response: Mapping[str, Any]
    right: bool
    confidence: str = "think"  # guess | think | sure
    misconception: str = ""  # id in content/misconceptions.toml
    hinted: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is stored. ``number`` counts the learner's answers to this question from 1."""

    lesson: str
    question: str
    number: int
    response: Mapping[str, Any]
    right: bool
    confidence: str
    misconception: str
    hinted: bool
    at: datetime

    @property
    def first_try(self) -> bool:
        """Whether this is the first answer to the question."""
        return self.number == 1


@dataclass(frozen=True, slots=True)
class Draft:
    """The text in the editor, as of ``at``."""

    source: str
    at: datetime

    @property
    def revision(self) -> int:
        """Which text this is: grows with every one stored. Microseconds since 1970; 0 stands for «none yet»."""
        return (self.at - EPOCH) // timedelta(microseconds=1)


class DraftConflict(Exception):
    """Somebody (another tab) has stored ``draft`` since the text that was sent began. Nothing was overwritten."""

    def __init__(self, draft: Draft) -> None:
        super().__init__("В другой вкладке есть более новый черновик.")
        self.draft = draft


def tick(db: Database, actor: Identity, lesson: str, item: str, on: bool) -> None:
    """Set or remove the actor's tick at an item of a checklist. Setting it again keeps the first time."""
    with db.writing() as session:
        people.enter(session, actor)
        row = session.get(TickRow, (actor.id, lesson, item))
        if on and row is None:
            session.add(TickRow(learner=actor.id, lesson=lesson, item=item, at=people.now()))
        if not on and row is not None:
            session.delete(row)


def ticks(db: Database, actor: Identity, lesson: str) -> frozenset[str]:
    """The ids of the items that the actor has ticked in a lesson."""
    with db.reading() as session:
        wanted = select(TickRow.item).where(TickRow.learner == actor.id, TickRow.lesson == lesson)
        return frozenset(session.scalars(wanted))


def answer(db: Database, actor: Identity, given: AnswerIn) -> Answer:
    """Store an answer beside all earlier ones.

    Raises:
        ValueError: the confidence is not one of ``CONFIDENCE``.
    """
    if given.confidence not in CONFIDENCE:
        raise ValueError(f"confidence {given.confidence!r} is none of {sorted(CONFIDENCE)}")
    with db.writing() as session:
        people.enter(session, actor)
        row = AnswerRow(
            learner=actor.id,
            lesson=given.lesson,
            question=given.question,
            number=1 + _count(session, actor, given),
            response=dict(given.response),
            right=given.right,
            confidence=given.confidence,
            misconception=given.misconception,
            hinted=given.hinted,
            at=people.now(),
        )
        session.add(row)
        return to_answer(row)


def answers(db: Database, actor: Identity, lesson: str) -> tuple[Answer, ...]:
    """All the actor's answers in a lesson, oldest first."""
    with db.reading() as session:
        mine = (AnswerRow.learner == actor.id, AnswerRow.lesson == lesson)
        return tuple(to_answer(row) for row in session.scalars(select(AnswerRow).where(*mine).order_by(AnswerRow.id)))


def save_draft(db: Database, actor: Identity, exercise: str, source: str, *, revision: int | None = None) -> Draft:
    """Store the editor's text. ``revision`` is that of the draft it grew from: 0 for none, None to overwrite any.

    Raises:
        DraftConflict: the stored draft is another one, and its text differs.
    """
    with db.writing() as session:
        people.enter(session, actor)
        row = session.get(DraftRow, (actor.id, exercise))
        known = None if row is None else Draft(to_text(row.source), row.at)
        if known is not None and known.source == source:
            return known
        if known is not None and revision not in {None, known.revision}:
            raise DraftConflict(known)
        # A clock that was set back must not make a new text look older than the one it replaces.
        at = people.now() if known is None else max(people.now(), known.at + timedelta(microseconds=1))
        session.merge(DraftRow(learner=actor.id, exercise=exercise, source=to_bytes(source), at=at))
        return Draft(source, at)


def draft(db: Database, actor: Identity, exercise: str) -> Draft | None:
    """The actor's draft of an exercise, or None when there is none yet."""
    with db.reading() as session:
        row = session.get(DraftRow, (actor.id, exercise))
        return None if row is None else Draft(to_text(row.source), row.at)


def visit(db: Database, actor: Identity, lesson: str, block: str) -> None:
    """The actor has opened a block: it is where they are now."""
    with db.writing() as session:
        people.enter(session, actor)
        row = session.get(VisitRow, (actor.id, lesson, block))
        if row is None:
            row = VisitRow(learner=actor.id, lesson=lesson, block=block, first=people.now())
            session.add(row)
        row.last = people.now()


def position(db: Database, actor: Identity) -> tuple[str, str] | None:
    """The lesson and the block that the actor opened last, or None when there is none yet."""
    with db.reading() as session:
        wanted = select(VisitRow.lesson, VisitRow.block).where(VisitRow.learner == actor.id)
        row = session.execute(wanted.order_by(VisitRow.last.desc()).limit(1)).one_or_none()
        return None if row is None else (row.lesson, row.block)


def visited(db: Database, actor: Identity, lesson: str) -> frozenset[str]:
    """The ids of the blocks that the actor has opened in a lesson."""
    with db.reading() as session:
        wanted = select(VisitRow.block).where(VisitRow.learner == actor.id, VisitRow.lesson == lesson)
        return frozenset(session.scalars(wanted))


def hint_opened(db: Database, actor: Identity, exercise: str, number: int) -> None:
    """The actor has opened a hint of an exercise. Opening it again changes nothing."""
    with db.writing() as session:
        people.enter(session, actor)
        if session.get(HintRow, (actor.id, exercise, number)) is None:
            session.add(HintRow(learner=actor.id, exercise=exercise, number=number, at=people.now()))


def hints(db: Database, actor: Identity, exercise: str) -> frozenset[int]:
    """The numbers of the hints that the actor has opened."""
    with db.reading() as session:
        wanted = select(HintRow.number).where(HintRow.learner == actor.id, HintRow.exercise == exercise)
        return frozenset(session.scalars(wanted))


def to_answer(row: AnswerRow) -> Answer:
    """A stored row as the value that pages and reports use."""
    return Answer(
        lesson=row.lesson,
        question=row.question,
        number=row.number,
        response=row.response,
        right=row.right,
        confidence=row.confidence,
        misconception=row.misconception,
        hinted=row.hinted,
        at=row.at,
    )


def to_bytes(text: str) -> bytes:
    """What somebody typed, ready to store: halves of surrogate pairs survive too."""
    return text.encode("utf-8", "surrogatepass")


def to_text(stored: bytes) -> str:
    """What ``to_bytes`` made bytes of."""
    return stored.decode("utf-8", "surrogatepass")


def _count(session: Session, actor: Identity, given: AnswerIn) -> int:
    same = (AnswerRow.lesson == given.lesson, AnswerRow.question == given.question)
    return session.scalar(select(func.count()).where(AnswerRow.learner == actor.id, *same)) or 0
