"""The instructor's questions, answered from a class whose work is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from graders.protocol import Check, Outcome, Verdict
from progress import learning, reports, roster, submissions, trials
from progress.database import Database
from progress.identity import Forbidden, Identity
from progress.learning import AnswerIn
from progress.reports import Reason
from progress.roster import Attempt, Person, Work
from progress.states import State
from progress.submissions import Missing
from tests.progress.courses import CATALOGUE, LESSON, LINEAR, PARAMS, QUESTIONS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LESSON_ID = LESSON.id


def verdict(outcome: Outcome, *, exercise: str = "lora-linear", start: bool = True, scale: bool = False) -> Verdict:
    checks = tuple(
        Check(
            name,
            name,
            "c",
            2,
            2 * right,
            Outcome.PASSED if right else Outcome.FAILED,
            misconception="" if right else "B_RANDOM_INIT",
        )
        for name, right in (("start", start), ("scale", scale))
    )
    return Verdict(exercise, outcome, "", checks)


def answer(db: Database, who: Identity, question: str, right: bool = True, misconception: str = "") -> None:
    learning.answer(db, who, AnswerIn(LESSON_ID, question, {"chosen": "что-то"}, right, "sure", misconception))


def send(db: Database, who: Identity, source: bytes, result: Verdict) -> int:
    sent = submissions.submit(db, who, result.exercise, source)
    submissions.store_verdict(db, sent.id, result)
    return sent.id


@pytest.fixture
def lesson_db(db: Database, anna: Identity, boris: Identity) -> Database:
    """Anna has proven i0 (q0 single, q1 number) and claims i3; Boris ticked i0, answered wrong, failed once."""
    answer(db, anna, "q0")
    answer(db, anna, "q1")
    learning.tick(db, anna, LESSON_ID, "i3", True)
    learning.tick(db, anna, "another lesson", "i5", True)
    learning.tick(db, boris, LESSON_ID, "i0", True)
    answer(db, boris, "q0", right=False, misconception="MIS_1")
    answer(db, boris, "q0", right=False, misconception="MIS_1")
    learning.visit(db, boris, LESSON_ID, "why")
    learning.hint_opened(db, boris, "lora-linear", 2)
    send(db, boris, b"first", verdict(Outcome.PARTIAL))
    send(db, boris, b"second", verdict(Outcome.NOT_ATTEMPTED, start=False))
    send(db, anna, b"hers", verdict(Outcome.PASSED, scale=True))
    return db


def test_the_heat_map_shows_every_learner_and_item(lesson_db: Database, teacher: Identity) -> None:
    progress = reports.class_progress(roster.load(lesson_db, teacher), LESSON)
    assert [person.name for person in progress.people] == ["Анна", "Борис"]
    assert [len(row) for row in progress.matrix()] == [8, 8]
    assert progress.states["anna"]["i0"] is State.PROVEN
    assert progress.states["anna"]["i3"] is State.CLAIMED
    assert progress.states["anna"]["i5"] is State.EMPTY
    assert progress.states["boris"]["i0"] is State.CONTRADICTED
    assert progress.matrix()[1][0] is State.CONTRADICTED
    assert progress.count("i0") == Counter({State.PROVEN: 1, State.CONTRADICTED: 1})


def test_a_learner_reads_the_same_states_of_their_own(lesson_db: Database, anna: Identity) -> None:
    states = reports.checklist(roster.own(lesson_db, anna), LESSON)
    assert states["i0"] is State.PROVEN
    assert roster.own(lesson_db, Identity("new", "Новичок", False)).answers == ()


def test_results_of_exercises(lesson_db: Database, teacher: Identity) -> None:
    rows = reports.results(roster.load(lesson_db, teacher), [LINEAR, PARAMS])
    assert [(row.person.id, row.exercise, row.attempts, row.points, row.passed) for row in rows] == [
        ("anna", "lora-linear", 1, 4, True),
        ("anna", "lora-params", 0, 0, False),
        ("boris", "lora-linear", 1, 2, False),
        ("boris", "lora-params", 0, 0, False),
    ]
    assert rows[0].possible == LINEAR.points == 3.5
    assert rows[2].last is not None
    assert rows[2].last.outcome is Outcome.NOT_ATTEMPTED
    assert rows[1].last is None


def test_the_drill_down_shows_answers_code_and_hints(lesson_db: Database, teacher: Identity, boris: Identity) -> None:
    for reader in (teacher, boris):
        found = roster.dossier(lesson_db, reader, "boris")
        assert [one.source for one in found.submissions] == [b"first", b"second"]
        assert [one.right for one in found.work.answers] == [False, False]
        assert found.hints == {"lora-linear": (2,)}
        assert found.work.visits == {(LESSON_ID, "why")}
        assert found.work.seen is not None


def test_learners_get_no_reports(lesson_db: Database, anna: Identity, teacher: Identity) -> None:
    with pytest.raises(Forbidden, match="преподавателя"):
        roster.load(lesson_db, anna)
    with pytest.raises(Forbidden, match="другого учащегося"):
        roster.dossier(lesson_db, anna, "boris")
    with pytest.raises(Missing, match="Такого учащегося нет"):
        roster.dossier(lesson_db, teacher, "nobody")


def test_common_misconceptions(lesson_db: Database, teacher: Identity) -> None:
    rows = reports.misconceptions(roster.load(lesson_db, teacher), CATALOGUE)
    assert [(row.id, row.title, row.people, row.times) for row in rows] == [
        ("B_RANDOM_INIT", "B заполняют случайно", 1, 3),
        ("MIS_1", "α умножает, а не делится", 1, 2),
    ]


DEEDS: dict[str, Callable[[Database, Identity], object]] = {
    "tick": lambda db, who: learning.tick(db, who, LESSON_ID, "i0", True),
    "answer": lambda db, who: answer(db, who, "q0"),
    "visit": lambda db, who: learning.visit(db, who, LESSON_ID, "why"),
    "draft": lambda db, who: learning.save_draft(db, who, "lora-linear", "x"),
    "hint": lambda db, who: learning.hint_opened(db, who, "lora-linear", 1),
    "submission": lambda db, who: submissions.submit(db, who, "lora-linear", b"x"),
    "trial": lambda db, who: trials.create_trial(db, who, "lora-linear", b"x", "f()"),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_every_deed_is_a_sign_of_life(db: Database, anna: Identity, deed: str) -> None:
    assert roster.own(db, anna).seen is None
    before = datetime.now(UTC)
    DEEDS[deed](db, anna)
    seen = roster.own(db, anna).seen
    assert seen is not None
    assert before <= seen <= datetime.now(UTC)


def work(*outcomes: Outcome, exercise: str = "lora-linear", idle: float = 0, everything: bool = False) -> Work:
    last = NOW - timedelta(days=idle)
    attempts = tuple(
        Attempt(
            number,
            exercise,
            number,
            last - timedelta(hours=len(outcomes) - number),
            outcome,
            Verdict(exercise, outcome, ""),
        )
        for number, outcome in enumerate(outcomes, start=1)
    )
    given = tuple(
        learning.Answer(LESSON_ID, question.id, 1, {}, True, "sure", "", False, last)
        for question in QUESTIONS
        if everything
    )
    return Work(Person("p", "П"), answers=given, attempts=attempts, seen=last)


FAILED, PASSED, PARTIAL = Outcome.FAILED, Outcome.PASSED, Outcome.PARTIAL


@pytest.mark.parametrize(
    ("outcomes", "stuck"),
    [
        ((FAILED, FAILED), False),
        ((FAILED, FAILED, FAILED), True),
        ((FAILED, Outcome.TIMEOUT, PARTIAL), True),
        ((FAILED, FAILED, PASSED), False),
        ((PASSED, FAILED, FAILED), False),
        ((PASSED, FAILED, FAILED, FAILED), True),
        ((FAILED, Outcome.INFRA_ERROR, Outcome.NOT_ATTEMPTED, FAILED), False),
        ((FAILED, FAILED, Outcome.INVALID_FILE, FAILED), True),
    ],
)
def test_three_failed_attempts_in_a_row_mean_stuck(outcomes: tuple[Outcome, ...], stuck: bool) -> None:
    found = reports.stuck([work(*outcomes)], CATALOGUE, NOW)
    assert [(one.reason, one.exercise) for one in found] == [(Reason.FAILURES, "lora-linear")] * stuck


def test_failures_at_different_exercises_are_not_in_a_row() -> None:
    first, second = work(FAILED, FAILED), work(FAILED, exercise="lora-params")
    both = Work(first.person, attempts=first.attempts + second.attempts, seen=NOW)
    assert reports.stuck([both], CATALOGUE, NOW) == ()


def test_the_sentence_names_the_exercise_and_the_number() -> None:
    found = reports.stuck([work(FAILED, FAILED, FAILED, FAILED, FAILED)], CATALOGUE, NOW)
    assert found[0].sentence.replace("\u00a0", " ") == "«LoRALinear с нуля»: 5 неудачных попыток подряд."
    assert found[0].since == NOW - timedelta(hours=4)


def test_a_week_without_moving_means_stuck() -> None:
    assert reports.stuck([work(idle=6.9)], CATALOGUE, NOW) == ()
    found = reports.stuck([work(idle=9.5)], CATALOGUE, NOW)
    assert [(one.reason, one.sentence.replace("\u00a0", " ")) for one in found] == [
        (Reason.STANDSTILL, "Ничего нового уже 9 дней.")
    ]


def test_who_is_through_may_rest() -> None:
    through = work(PASSED, idle=30, everything=True)
    params = work(PASSED, exercise="lora-params", idle=30)
    both = Work(through.person, answers=through.answers, attempts=through.attempts + params.attempts, seen=through.seen)
    assert reports.stuck([both], CATALOGUE, NOW) == ()
    assert len(reports.stuck([through], CATALOGUE, NOW)) == 1


def test_the_longest_wait_comes_first() -> None:
    found = reports.stuck([work(idle=8), work(idle=20), work(FAILED, FAILED, FAILED)], CATALOGUE, NOW)
    assert [(NOW - one.since).days for one in found] == [20, 8, 0]
