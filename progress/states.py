"""What a learner's checklist is worth: claimed by a tick, proven or contradicted by linked tasks. Pure.

A question counts as *shown* by a right answer without hints that no wrong or hinted answer precedes by less than
``LATER``: right on the first try, or right again at a later review. (Every answer shows the explanation, so one
that follows at once only repeats it.) A task of an exercise is shown by a verdict in which its check passed, or the
whole exercise where no check is named; feedback there does not tell the code to write, so attempts are free.

A later mistake takes no proof back. Leaves out reading the rows (``learning``, ``reports``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from graders.protocol import Outcome, Verdict
from progress.catalogue import Proof
from progress.learning import Answer

LATER = timedelta(hours=8)
"""How long after a mistake a right answer counts as remembered: the other side of a night."""


class State(StrEnum):
    """What is known of one learner and one checklist item."""

    EMPTY = "empty"  # no tick, no proof
    CLAIMED = "claimed"  # the learner's word
    PROVEN = "proven"  # two tasks of different kinds, one of them produced; with or without a tick
    CONTRADICTED = "contradicted"  # ticked, but a linked task went wrong and was not made good


LEARNER_WORDS: Mapping[State, str] = {
    State.EMPTY: "не отмечено",
    State.CLAIMED: "отмечено",
    State.PROVEN: "доказано",
    State.CONTRADICTED: "стоит повторить",
}
INSTRUCTOR_WORDS: Mapping[State, str] = {**LEARNER_WORDS, State.CONTRADICTED: "расхождение"}
"""One state, two readers: a learner is told what to do, an instructor what was found."""


@dataclass(frozen=True, slots=True)
class ProofItem:
    """A checklist item as one learner has it."""

    id: str
    proofs: tuple[Proof, ...]
    ticked: bool


def states(items: Iterable[ProofItem], answers: Iterable[Answer], verdicts: Iterable[Verdict]) -> dict[str, State]:
    """The state of each item, from one learner's answers in the items' lesson and verdicts of any exercise.

    The order of ``answers`` and ``verdicts`` does not matter: answers carry their time.
    """
    given: dict[str, list[Answer]] = {}
    for answer in answers:
        given.setdefault(answer.question, []).append(answer)
    graded = [verdict for verdict in verdicts if verdict.outcome.counts]
    return {item.id: _state(item, given, graded) for item in items}


def _state(item: ProofItem, given: Mapping[str, Sequence[Answer]], graded: Sequence[Verdict]) -> State:
    found = [(proof, *_evidence(proof.task, given, graded)) for proof in item.proofs]
    shown = [proof for proof, right, _ in found if right]
    if len({proof.kind for proof in shown}) > 1 and any(proof.produced for proof in shown):
        return State.PROVEN
    if not item.ticked:
        return State.EMPTY
    return State.CONTRADICTED if any(wrong and not right for _, right, wrong in found) else State.CLAIMED


def _evidence(task: str, given: Mapping[str, Sequence[Answer]], graded: Sequence[Verdict]) -> tuple[bool, bool]:
    """Whether the task was ever shown, and whether it ever went wrong."""
    where, _, name = task.partition(":")
    if where == "quiz":
        answers = given.get(name, ())
        return shown(answers), any(not answer.right for answer in answers)
    slug, _, check = name.partition("/")
    outcomes = [outcome for verdict in graded if verdict.exercise == slug for outcome in _outcomes(verdict, check)]
    return Outcome.PASSED in outcomes, any(outcome != Outcome.PASSED for outcome in outcomes)


def shown(answers: Sequence[Answer]) -> bool:
    """Whether these answers to one question show that the learner knows: see the module's rule."""
    slips = [answer for answer in answers if not _clean(answer)]
    return any(
        all(_place(slip) > _place(answer) or answer.at - slip.at >= LATER for slip in slips)
        for answer in answers
        if _clean(answer)
    )


def _clean(answer: Answer) -> bool:
    return answer.right and not answer.hinted


def _place(answer: Answer) -> tuple[float, int]:
    return answer.at.timestamp(), answer.number


def _outcomes(verdict: Verdict, check: str) -> list[Outcome]:
    if not check:
        return [verdict.outcome]
    return [found.outcome for found in verdict.checks if found.id == check]
