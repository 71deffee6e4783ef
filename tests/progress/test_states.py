"""Claimed, proven, contradicted: the rule of the checklist, by cases and by properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import palette
from graders.protocol import Check, Outcome, Verdict
from progress.catalogue import Proof
from progress.learning import Answer
from progress.states import INSTRUCTOR_WORDS, LEARNER_WORDS, ProofItem, State, shown, states

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
CHOICE, NUMBER = Proof("quiz:choice", "single", False), Proof("quiz:number", "number", True)
CODE, SCALE = Proof.by_code("exercise:lora-linear"), Proof.by_code("exercise:lora-linear/scale")


def answer(question: str, right: bool = True, *, hours: float = 0, hinted: bool = False, number: int = 1) -> Answer:
    at = NOON + timedelta(hours=hours)
    return Answer("lora", question, number, {}, right, "think", "", hinted, at)


def verdict(outcome: Outcome, **checks: Outcome) -> Verdict:
    found = tuple(Check(name, name, "c", 1, 0, result) for name, result in checks.items())
    return Verdict("lora-linear", outcome, "", found)


def state(
    *evidence: Answer | Verdict, ticked: bool = True, proofs: tuple[Proof, ...] = (CHOICE, NUMBER, SCALE)
) -> State:
    answers = [one for one in evidence if isinstance(one, Answer)]
    verdicts = [one for one in evidence if isinstance(one, Verdict)]
    return states([ProofItem("item", proofs, ticked)], answers, verdicts)["item"]


def test_nothing_done() -> None:
    assert state(ticked=False) is State.EMPTY


def test_a_tick_is_a_claim() -> None:
    assert state() is State.CLAIMED


def test_two_tasks_of_different_kinds_prove() -> None:
    assert state(answer("choice"), answer("number")) is State.PROVEN


def test_a_tick_beside_a_wrong_answer_is_contradicted() -> None:
    assert state(answer("choice", False)) is State.CONTRADICTED


def test_proven_without_a_tick_shows_as_proven() -> None:
    assert state(answer("choice"), answer("number"), ticked=False) is State.PROVEN


def test_a_wrong_answer_without_a_tick_contradicts_nobody() -> None:
    assert state(answer("choice", False), ticked=False) is State.EMPTY


def test_one_right_task_is_not_enough() -> None:
    assert state(answer("number")) is State.CLAIMED


def test_two_tasks_of_one_kind_are_not_enough() -> None:
    again = Proof("quiz:again", "number", True)
    assert state(answer("number"), answer("again"), proofs=(NUMBER, again)) is State.CLAIMED


def test_tasks_that_are_only_recognised_are_not_enough() -> None:
    several = Proof("quiz:several", "several", False)
    assert state(answer("choice"), answer("several"), proofs=(CHOICE, several)) is State.CLAIMED


def test_the_same_wrong_answer_on_another_task_of_the_item_is_outweighed_by_the_proof() -> None:
    third = Proof("quiz:third", "order", True)
    evidence = (answer("choice"), answer("number"), answer("third", False))
    assert state(*evidence, proofs=(CHOICE, NUMBER, third)) is State.PROVEN


def test_right_at_the_second_try_only_repeats_the_explanation() -> None:
    evidence = (answer("choice"), answer("number", False), answer("number", hours=0.01, number=2))
    assert state(*evidence) is State.CONTRADICTED
    assert state(*evidence, ticked=False) is State.EMPTY


def test_right_at_a_later_review_proves() -> None:
    assert state(answer("choice"), answer("number", False), answer("number", hours=8, number=2)) is State.PROVEN
    assert state(answer("choice"), answer("number", False), answer("number", hours=7.9, number=2)) is State.CONTRADICTED


def test_a_review_that_begins_with_a_mistake_does_not_prove() -> None:
    evidence = (
        answer("number", False),
        answer("number", False, hours=23, number=2),
        answer("number", hours=23.1, number=3),
    )
    assert state(answer("choice"), *evidence) is State.CONTRADICTED


def test_with_a_hint_it_is_no_proof_but_no_mistake_either() -> None:
    assert state(answer("choice"), answer("number", hinted=True)) is State.CLAIMED
    later = answer("number", hours=9, number=2)
    assert state(answer("choice"), answer("number", hinted=True), later) is State.PROVEN


def test_a_later_mistake_takes_no_proof_back() -> None:
    assert state(answer("choice"), answer("number"), answer("number", False, hours=50, number=2)) is State.PROVEN


def test_answers_at_one_moment_are_told_apart_by_their_number() -> None:
    right_first = (answer("number"), answer("number", False, number=2))
    wrong_first = (answer("number", False), answer("number", number=2))
    assert shown(right_first)
    assert not shown(wrong_first)


def test_a_check_that_passed_proves_whatever_became_of_the_rest() -> None:
    partial = verdict(Outcome.PARTIAL, scale=Outcome.PASSED, merge=Outcome.FAILED)
    assert state(answer("choice"), partial) is State.PROVEN
    assert state(answer("choice"), partial, proofs=(CHOICE, CODE)) is State.CONTRADICTED


def test_a_whole_exercise_is_proven_when_all_of_it_passed() -> None:
    passed = verdict(Outcome.PASSED, scale=Outcome.PASSED)
    failed = verdict(Outcome.FAILED, scale=Outcome.FAILED)
    assert state(answer("choice"), failed, passed, proofs=(CHOICE, CODE)) is State.PROVEN
    assert state(answer("choice"), failed, proofs=(CHOICE, CODE)) is State.CONTRADICTED


def test_a_check_that_was_not_reached_says_nothing() -> None:
    assert state(verdict(Outcome.TIMEOUT)) is State.CLAIMED
    assert state(verdict(Outcome.TIMEOUT), proofs=(CHOICE, CODE)) is State.CONTRADICTED


@pytest.mark.parametrize("outcome", [one for one in Outcome if not one.counts])
def test_what_counts_as_no_attempt_says_nothing(outcome: Outcome) -> None:
    assert state(verdict(outcome), proofs=(CHOICE, CODE)) is State.CLAIMED


def test_another_exercise_and_another_question_prove_nothing() -> None:
    other = Verdict("rank-for-energy", Outcome.PASSED, "")
    assert state(answer("choice"), answer("elsewhere"), other, proofs=(CHOICE, NUMBER, CODE)) is State.CLAIMED


def test_an_item_without_proofs_can_only_be_claimed() -> None:
    assert states([ProofItem("a", (), True), ProofItem("b", (), False)], [answer("choice")], []) == {
        "a": State.CLAIMED,
        "b": State.EMPTY,
    }


def test_learner_and_instructor_read_their_own_word() -> None:
    assert LEARNER_WORDS[State.CONTRADICTED] == "стоит повторить"
    assert INSTRUCTOR_WORDS[State.CONTRADICTED] == "расхождение"
    assert LEARNER_WORDS[State.PROVEN] == INSTRUCTOR_WORDS[State.PROVEN] == "доказано"
    assert set(LEARNER_WORDS) == set(INSTRUCTOR_WORDS) == set(State)
    assert set(State) <= set(palette.STATES)


ANSWERS = st.lists(
    st.builds(
        lambda question, right, hinted, hours: (question, right, hinted, hours),
        st.sampled_from(["choice", "number"]),
        st.booleans(),
        st.booleans(),
        st.integers(0, 40),
    ),
    max_size=8,
).map(lambda rows: [answer(q, r, hinted=h, hours=t, number=n) for n, (q, r, h, t) in enumerate(rows, start=1)])
CHECKS = st.sampled_from([Outcome.PASSED, Outcome.FAILED, Outcome.TIMEOUT])
VERDICTS = st.lists(
    st.builds(lambda outcome, scale: verdict(outcome, scale=scale), st.sampled_from(list(Outcome)), CHECKS), max_size=3
)


@given(ANSWERS, VERDICTS, st.booleans(), st.randoms())
def test_the_order_of_the_evidence_does_not_matter(
    answers: list[Answer], verdicts: list[Verdict], ticked: bool, dice: object
) -> None:
    before = state(*answers, *verdicts, ticked=ticked)
    dice.shuffle(answers)  # type: ignore[attr-defined]
    dice.shuffle(verdicts)  # type: ignore[attr-defined]
    assert state(*answers, *verdicts, ticked=ticked) is before


@given(ANSWERS, VERDICTS, st.sampled_from(["choice", "number"]), st.integers(-10, 60), CHECKS)
def test_more_right_work_never_takes_a_proof_back(
    answers: list[Answer], verdicts: list[Verdict], question: str, hours: int, check: Outcome
) -> None:
    before = state(*answers, *verdicts)
    right = answer(question, hours=hours, number=99)
    after = state(*answers, right, *verdicts, verdict(Outcome.PARTIAL, scale=check))
    assert after is State.PROVEN or before is not State.PROVEN


@given(ANSWERS, VERDICTS, st.booleans(), st.booleans())
def test_whatever_comes_later_never_takes_a_proof_back(
    answers: list[Answer], verdicts: list[Verdict], right: bool, hinted: bool
) -> None:
    before = state(*answers, *verdicts)
    after = state(*answers, answer("number", right, hinted=hinted, hours=41, number=99), *verdicts)
    assert after is State.PROVEN or before is not State.PROVEN


@given(ANSWERS, VERDICTS)
def test_a_tick_changes_the_word_and_never_the_proof(answers: list[Answer], verdicts: list[Verdict]) -> None:
    with_tick, without = state(*answers, *verdicts), state(*answers, *verdicts, ticked=False)
    assert (with_tick is State.PROVEN) == (without is State.PROVEN)
    assert with_tick is not State.EMPTY
    assert without in {State.EMPTY, State.PROVEN}
