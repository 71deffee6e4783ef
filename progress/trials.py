"""«Запустить»: the learner's code on a public example or a call of their own. Nothing is counted.

A learner's last few trials are kept, so that a reloaded page still shows the answer. Of trials that wait only the
newest is worth running: it replaces the others. Leaves out running them (``jobs``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from graders.protocol import Outcome, Trial
from progress import pace, people
from progress.database import Database
from progress.identity import Identity, require_owner
from progress.learning import to_bytes, to_text
from progress.records import TrialRow
from progress.submissions import MAX_BYTES, Missing, Rejected

KEPT = 10
"""Trials kept for each learner and exercise; those of the last minute are kept besides, to be counted."""
PER_MINUTE = 30
"""Trials of one learner in any minute: one every two seconds is quicker than anybody reads what came out."""
REPLACED = Trial(Outcome.NOT_ATTEMPTED, "Этот запуск не понадобился: его заменил следующий.")
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
        Rejected: the code or the call is too long, or trials come too fast; one Russian sentence.
    """
    if len(source) > MAX_BYTES or len(call) > MAX_CALL:
        raise Rejected("Слишком длинный код или вызов: запустите что-нибудь покороче.")
    with db.writing() as session:
        people.enter(session, actor)
        _check_pace(session, actor.id)
        _replace_waiting(session, actor.id, exercise)
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
        if row.state != "done":
            row.state, row.result = "done", result.to_json()


def _check_pace(session: Session, learner: str) -> None:
    seconds = pace.wait(session, TrialRow.created, (TrialRow.learner == learner,), PER_MINUTE)
    if seconds:
        raise Rejected(
            f"За минуту можно запустить код не больше {PER_MINUTE} раз: подождите {seconds} с и запустите снова."
        )


def _replace_waiting(session: Session, learner: str, exercise: str) -> None:
    waiting = (TrialRow.learner == learner, TrialRow.exercise == exercise, TrialRow.state == "queued")
    session.execute(update(TrialRow).where(*waiting).values(state="done", result=REPLACED.to_json()))


def _drop_old(session: Session, learner: str, exercise: str) -> None:
    owned = (TrialRow.learner == learner, TrialRow.exercise == exercise)
    kept = select(TrialRow.id).where(*owned).order_by(TrialRow.id.desc()).limit(KEPT)
    old = (TrialRow.created < people.now() - pace.MINUTE, TrialRow.id.not_in(kept.scalar_subquery()))
    session.execute(delete(TrialRow).where(*owned, *old))


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
