"""From a lesson and what is stored to checklist states: ``lessons`` and ``progress`` are strangers, pages know both."""

from __future__ import annotations

from lessons.model import ChecklistItem, Lesson
from progress import states as progress_states
from progress import submissions
from progress.catalogue import Proof
from progress.states import ProofItem, State
from ui import session
from ui.record import Record


def proofs(lesson: Lesson, item: ChecklistItem) -> tuple[Proof, ...]:
    """The tasks that prove an item, as ``progress`` knows them."""
    return tuple(_proof(lesson, task) for task in item.proofs)


def states(record: Record) -> dict[str, State]:
    """The state of each checklist item of the lesson, for whoever is looking."""
    items = [
        ProofItem(item.id, proofs(record.lesson, item), item.id in record.ticks) for item in record.lesson.checklist
    ]
    sent = submissions.mine(session.database(), session.actor())
    return progress_states.states(items, record.history, [each.verdict for each in sent if each.verdict])


def _proof(lesson: Lesson, task: str) -> Proof:
    where, _, name = task.partition(":")
    question = lesson.question(name) if where == "quiz" else None
    return Proof(task, question.kind, question.produced) if question else Proof.by_code(task)
