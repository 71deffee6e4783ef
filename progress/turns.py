"""Learners take turns: of each only the oldest submission (or trial, or run) without an answer may be worked on.

So somebody who sends ten files at once goes to the end of the line after each of them, and never has two graded at a
time. Leaves out the queue itself (``jobs.queue``), which holds nothing but those whose turn it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from progress.database import Database
from progress.records import RunRow, SubmissionRow, TrialRow

Table = type[SubmissionRow] | type[TrialRow] | type[RunRow]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row without an answer, and whose it is."""

    id: int
    learner: str


def due(db: Database, table: Table) -> tuple[int, ...]:
    """The row of each learner whose turn it is: their oldest without an answer. Oldest first."""
    with db.reading() as session:
        oldest = func.min(table.id)
        wanted = select(oldest).where(table.state != "done").group_by(table.learner).order_by(oldest)
        return tuple(session.scalars(wanted))


def due_after(db: Database, table: Table, number: int) -> int | None:
    """The row whose turn it is among those of whoever sent ``number``; None when all of them are answered."""
    with db.reading() as session:
        author = select(table.learner).where(table.id == number).scalar_subquery()
        theirs = (table.learner == author, table.state != "done")
        return session.scalar(select(func.min(table.id)).where(*theirs))


def waiting(db: Database, table: Table) -> tuple[Waiting, ...]:
    """Every row without an answer, oldest first."""
    with db.reading() as session:
        wanted = select(table.id, table.learner).where(table.state != "done").order_by(table.id)
        return tuple(Waiting(number, learner) for number, learner in session.execute(wanted))


def line(rows: Sequence[Waiting], places: Mapping[int, int]) -> tuple[Waiting, ...]:
    """All ``rows`` (oldest first) in the order in which they will be taken.

    ``places`` tells where those stand that are in the queue already, being worked on included. Everybody has one turn
    before anybody has a second one: after a turn a learner goes to the end.
    """
    rounds: dict[str, list[Waiting]] = defaultdict(list)
    for row in rows:
        rounds[row.learner].append(row)
    last = len(places)
    learners = sorted(rounds.values(), key=lambda own: (places.get(own[0].id, last), own[0].id))
    most = max(map(len, learners), default=0)
    return tuple(own[turn] for turn in range(most) for own in learners if turn < len(own))
