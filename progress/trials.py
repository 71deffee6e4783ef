"""«Запустить»: the learner's code on a public example or a call of their own. Nothing is counted.

A learner's last few trials are kept, so that a reloaded page still shows the answer. Leaves out running them
(``jobs``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from graders.protocol import Trial
from progress import people
from progress.database import Database
from progress.identity import Identity, require_owner
from progress.learning import to_bytes, to_text
from progress.records import TrialRow
from progress.submissions import MAX_BYTES, Missing, Rejected

KEPT = 10
"""Trials kept for each learner and exercise."""
MAX_CALL = 4096


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """One press of the button and, once it is done, what came out."""

    id: int
    learner: str
    exercise: str
    source: bytes
    call: str
    created: datetime
    state: Literal["queued", "running", "done"]
    result: Trial | None = None


def create_trial(db: Database, actor: Identity, exercise: str, source: bytes, call: str) -> int:
    """Take the code and the call to run it on; returns the trial's id.

    Raises:
        Rejected: the code or the call is too long; one Russian sentence.
    """
    if len(source) > MAX_BYTES or len(call) > MAX_CALL:
        raise Rejected("Слишком длинный код или вызов: запустите что-нибудь покороче.")
    with db.writing() as session:
        people.enter(session, actor)
        row = TrialRow(
            learner=actor.id,
            exercise=exercise,
            source=source,
            call=to_bytes(call),
            created=people.now(),
            state="queued",
        )
        session.add(row)
        session.flush()
        _drop_old(session, actor.id, exercise)
        return row.id


def trial(db: Database, actor: Identity, trial_id: int) -> StoredTrial:
    """One trial: the actor's own, or anybody's for an instructor.

    Raises:
        Missing: there is none of that id, or it is long gone.
        Forbidden: it is somebody else's.
    """
    with db.reading() as session:
        row = _row(session, trial_id)
        require_owner(actor, row.learner)
        return _to_trial(row)


def last_trial(db: Database, actor: Identity, exercise: str) -> StoredTrial | None:
    """The actor's latest trial of an exercise, or None."""
    with db.reading() as session:
        wanted = select(TrialRow).where(TrialRow.learner == actor.id, TrialRow.exercise == exercise)
        row = session.scalars(wanted.order_by(TrialRow.id.desc()).limit(1)).one_or_none()
        return None if row is None else _to_trial(row)


def start_trial(db: Database, trial_id: int) -> StoredTrial:
    """A worker begins. One that is done already stays done.

    Raises:
        Missing: there is none of that id, or it is long gone.
    """
    with db.writing() as session:
        row = _row(session, trial_id, lock=True)
        if row.state != "done":
            row.state = "running"
        return _to_trial(row)


def store_trial(db: Database, trial_id: int, result: Trial) -> None:
    """Store what came out.

    Raises:
        Missing: there is none of that id, or it is long gone.
    """
    with db.writing() as session:
        row = _row(session, trial_id, lock=True)
        row.state, row.result = "done", result.to_json()


def unfinished_trials(db: Database) -> tuple[int, ...]:
    """Ids of all trials without a result, oldest first."""
    with db.reading() as session:
        return tuple(session.scalars(select(TrialRow.id).where(TrialRow.state != "done").order_by(TrialRow.id)))


def _drop_old(session: Session, learner: str, exercise: str) -> None:
    owned = (TrialRow.learner == learner, TrialRow.exercise == exercise)
    kept = select(TrialRow.id).where(*owned).order_by(TrialRow.id.desc()).limit(KEPT)
    session.execute(delete(TrialRow).where(*owned, TrialRow.id.not_in(kept.scalar_subquery())))


def _row(session: Session, trial_id: int, *, lock: bool = False) -> TrialRow:
    row = session.get(TrialRow, trial_id, with_for_update=lock)
    if row is None:
        raise Missing("Этот запуск уже не хранится: запустите код ещё раз.")
    return row


def _to_trial(row: TrialRow) -> StoredTrial:
    return StoredTrial(
        id=row.id,
        learner=row.learner,
        exercise=row.exercise,
        source=row.source,
        call=to_text(row.call),
        created=row.created,
        state=cast("Literal['queued', 'running', 'done']", row.state),
        result=Trial.from_json(row.result) if row.result else None,
    )
