"""Nobody can take the graders for themselves: turns, one at a time, a pace, and no second grading of the same file."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from graders.protocol import Check, Outcome, Verdict
from progress import pace, submissions, trials, turns
from progress.database import Database
from progress.identity import Identity
from progress.records import SubmissionRow, TrialRow
from progress.submissions import Rejected, Submission
from progress.turns import Waiting

SOURCE = b"def f():\n    return 1\n"


def send(db: Database, who: Identity, exercise: str = "a", source: bytes = SOURCE, version: str = "v1") -> Submission:
    return submissions.submit(db, who, exercise, source, version=version)


def grade(db: Database, sent: Submission, outcome: Outcome, version: str = "v1", check: Outcome | None = None) -> None:
    checks = (Check("t", "проверка", "c", 1, 0, check),) if check else ()
    submissions.store_verdict(db, sent.id, Verdict(sent.exercise, outcome, "Итог.", checks, exercise_version=version))


def grow_old(db: Database, by: timedelta = 2 * pace.MINUTE) -> None:
    with db.writing() as session:
        for table in (SubmissionRow, TrialRow):
            for row in session.scalars(select(table)):
                row.created -= by


def test_the_same_file_is_answered_from_its_verdict(db: Database, anna: Identity, boris: Identity) -> None:
    first = send(db, anna)
    grade(db, first, Outcome.PARTIAL)
    send(db, anna, source=b"something else")
    grow_old(db)
    again = send(db, anna)
    assert (again.id, again.state, again.outcome) == (first.id, "done", Outcome.PARTIAL)
    assert len(submissions.attempts(db, anna, "a")) == 2
    assert send(db, boris).state == "queued", "somebody else's verdict is theirs"
    assert send(db, anna, exercise="b").state == "queued"
    assert send(db, anna, source=SOURCE + b"#").state == "queued"


def test_a_changed_exercise_grades_anew(db: Database, anna: Identity) -> None:
    grade(db, send(db, anna), Outcome.FAILED)
    grow_old(db)
    changed = send(db, anna, version="v2")
    assert changed.state == "queued"
    grade(db, changed, Outcome.PASSED, "v2")
    grow_old(db)
    assert send(db, anna, version="v2").id == changed.id
    assert send(db, anna, version="").state == "queued", "who does not know the version cannot vouch for the verdict"


@pytest.mark.parametrize(
    "outcome", [Outcome.INFRA_ERROR, Outcome.NOT_ATTEMPTED, Outcome.INVALID_FILE, Outcome.TIMEOUT, Outcome.MEMORY]
)
def test_what_a_second_try_may_change_is_tried(db: Database, anna: Identity, outcome: Outcome) -> None:
    first = send(db, anna)
    grade(db, first, outcome)
    grow_old(db)
    assert send(db, anna).id != first.id


def test_a_check_that_ran_out_of_time_may_be_tried_again(db: Database, anna: Identity) -> None:
    first = send(db, anna)
    grade(db, first, Outcome.PARTIAL, check=Outcome.TIMEOUT)
    grow_old(db)
    assert send(db, anna).id != first.id


def test_too_many_in_a_minute_are_refused_with_the_time_to_wait(db: Database, anna: Identity, boris: Identity) -> None:
    for number in range(submissions.PER_MINUTE):
        grade(db, send(db, anna, source=b"%d" % number), Outcome.FAILED)
        grow_old(db, timedelta(seconds=2))
    with pytest.raises(Rejected, match="не больше 6") as refused:
        send(db, anna, source=b"more")
    seconds = re.search(r"подождите (\d+) с", str(refused.value))
    assert seconds is not None
    assert 44 <= int(seconds[1]) <= 48
    assert "Попытка не потрачена" in str(refused.value)
    assert send(db, anna, source=b"1").state == "done", "a known verdict costs nobody anything"
    send(db, anna, exercise="b", source=b"more")
    send(db, boris, source=b"more")
    grow_old(db, timedelta(seconds=int(seconds[1])))
    assert send(db, anna, source=b"more").state == "queued"


def test_a_clock_set_back_locks_nobody_out(db: Database, anna: Identity) -> None:
    for number in range(submissions.PER_MINUTE):
        grade(db, send(db, anna, source=b"%d" % number), Outcome.FAILED)
    grow_old(db, timedelta(hours=-5))
    with pytest.raises(Rejected, match="подождите 60 с"):
        send(db, anna, source=b"more")


def test_trials_have_a_pace_too(db: Database, anna: Identity, boris: Identity) -> None:
    for number in range(trials.PER_MINUTE):
        trials.create_trial(db, anna, "ab"[number % 2], SOURCE, "f()")
    with pytest.raises(Rejected, match="не больше 30 раз"):
        trials.create_trial(db, anna, "c", SOURCE, "f()")
    trials.create_trial(db, boris, "a", SOURCE, "f()")
    grow_old(db)
    trials.create_trial(db, anna, "c", SOURCE, "f()")


def test_of_each_learner_the_oldest_is_due(db: Database, anna: Identity, boris: Identity) -> None:
    first, second, his = send(db, anna), send(db, anna, "b"), send(db, boris)
    assert turns.due(db, SubmissionRow) == (first.id, his.id)
    assert turns.due_after(db, SubmissionRow, second.id) == first.id
    grade(db, first, Outcome.PASSED)
    assert turns.due(db, SubmissionRow) == (second.id, his.id)
    assert turns.due_after(db, SubmissionRow, first.id) == second.id
    grade(db, second, Outcome.PASSED)
    assert turns.due_after(db, SubmissionRow, first.id) is None
    assert turns.due_after(db, SubmissionRow, 999) is None


@pytest.mark.parametrize(
    ("rows", "places", "order"),
    [
        ("", {}, []),
        ("aaab", {}, [1, 4, 2, 3]),
        ("aabbc", {}, [1, 3, 5, 2, 4]),
        ("aab", {1: 0, 3: 1}, [1, 3, 2]),
        ("aab", {3: 0, 1: 1}, [3, 1, 2]),  # the other one is being graded, or came into the queue sooner
        ("abc", {2: 0}, [2, 1, 3]),  # those without a job yet come after those with one
    ],
)
def test_everybody_has_a_turn_before_anybody_has_a_second(rows: str, places: dict[int, int], order: list[int]) -> None:
    waiting = [Waiting(number, learner) for number, learner in enumerate(rows, start=1)]
    assert [row.id for row in turns.line(waiting, places)] == order
