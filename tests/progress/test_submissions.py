"""A file sent is never lost, charged once, and seen by its author and instructors only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from graders.protocol import Check, Outcome, Trial, Verdict
from progress import pace, submissions, trials, turns
from progress.database import Database
from progress.identity import Forbidden, Identity
from progress.records import SubmissionRow, TrialRow
from progress.sample import remove
from progress.submissions import Missing, Rejected

SOURCE = "def f():\n    return 'ё'\n".encode()
PASSED = Verdict(
    "lora-linear",
    Outcome.PASSED,
    "Всё верно.",
    (Check("start", "В начале слой равен базовому", "init", 2, 2, Outcome.PASSED, got="tensor([\x00])"),),
    output="печать \ud83d",
    seconds=0.25,
)


def grade(db: Database, submission: submissions.Submission, outcome: Outcome) -> submissions.Submission:
    return submissions.store_verdict(db, submission.id, Verdict(submission.exercise, outcome, "Итог."))


def test_a_submission_goes_from_the_click_to_the_verdict(db: Database, anna: Identity) -> None:
    sent = submissions.submit(db, anna, "lora-linear", SOURCE, "решение.py")
    assert (sent.learner, sent.source, sent.filename, sent.number) == ("anna", SOURCE, "решение.py", 1)
    assert (sent.state, sent.verdict, sent.counted) == ("queued", None, False)
    assert submissions.start(db, sent.id).state == "running"
    assert turns.due(db, SubmissionRow) == (sent.id,)
    submissions.store_verdict(db, sent.id, PASSED)
    found = submissions.get(db, anna, sent.id)
    assert (found.state, found.outcome, found.verdict, found.counted) == ("done", Outcome.PASSED, PASSED, True)
    assert found.created.utcoffset() == timedelta(0)
    assert found.finished is not None
    assert found.finished >= found.created
    assert turns.due(db, SubmissionRow) == ()


def test_attempts_are_numbered_for_each_exercise(db: Database, anna: Identity, boris: Identity) -> None:
    for who, exercise, source in ((anna, "a", b"1"), (anna, "a", b"2"), (boris, "a", b"1"), (anna, "b", b"1")):
        submissions.submit(db, who, exercise, source)
    assert [one.number for one in submissions.attempts(db, anna, "a")] == [1, 2]
    assert [one.source for one in submissions.attempts(db, anna, "a")] == [b"1", b"2"]
    assert [(one.exercise, one.number) for one in submissions.mine(db, anna)] == [("a", 1), ("a", 2), ("b", 1)]
    assert [one.number for one in submissions.attempts(db, boris, "a")] == [1]


def test_a_double_click_is_one_submission(db: Database, anna: Identity, boris: Identity) -> None:
    first = submissions.submit(db, anna, "a", SOURCE)
    assert submissions.submit(db, anna, "a", SOURCE) == first
    assert submissions.submit(db, boris, "a", SOURCE).id != first.id
    assert submissions.submit(db, anna, "b", SOURCE).id != first.id
    changed = submissions.submit(db, anna, "a", SOURCE + b"#")
    assert changed.number == 2
    with db.writing() as session:
        session.get_one(SubmissionRow, changed.id).created -= timedelta(seconds=6)
    assert submissions.submit(db, anna, "a", SOURCE + b"#").number == 3


@pytest.mark.parametrize(
    ("source", "sentence"),
    [(b"", "пуст"), (b" \n\t", "пуст"), (b"x" * 5_000_000, "256")],
    ids=["empty", "blank", "5 MB"],
)
def test_what_cannot_be_graded_is_refused_in_words(db: Database, anna: Identity, source: bytes, sentence: str) -> None:
    with pytest.raises(Rejected, match=sentence):
        submissions.submit(db, anna, "a", source)
    assert submissions.attempts(db, anna, "a") == ()


def test_the_largest_file_and_every_byte_are_kept(db: Database, anna: Identity) -> None:
    source = bytes(range(256)) * 1024
    sent = submissions.submit(db, anna, "a", source)
    assert submissions.get(db, anna, sent.id).source == source


def test_a_flood_is_stopped_and_nothing_else(db: Database, anna: Identity, boris: Identity) -> None:
    for number in range(submissions.MAX_WAITING):
        submissions.submit(db, anna, "a" if number % 2 else "c", b"%d" % number)
    with pytest.raises(Rejected, match="ждут"):
        submissions.submit(db, anna, "b", b"more")
    submissions.submit(db, boris, "a", b"his own")
    grade(db, submissions.attempts(db, anna, "a")[0], Outcome.FAILED)
    assert submissions.submit(db, anna, "b", b"more").number == 1


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        (r"C:\work\a.py", "a.py"),
        ("a\x00b\n\u202e.py", "ab.py"),
        ("", "solution.py"),
        ("/", "solution.py"),
        ("я" * 500 + ".py", "я" * 117 + ".py"),
    ],
)
def test_file_names_are_made_harmless(db: Database, anna: Identity, name: str, kept: str) -> None:
    assert submissions.submit(db, anna, "a", SOURCE, name).filename == kept


def test_only_the_author_and_instructors_see_a_submission(
    db: Database, anna: Identity, boris: Identity, teacher: Identity
) -> None:
    sent = submissions.submit(db, anna, "a", SOURCE)
    assert submissions.get(db, teacher, sent.id) == sent
    with pytest.raises(Forbidden, match="другого учащегося"):
        submissions.get(db, boris, sent.id)
    with pytest.raises(Missing, match="999"):
        submissions.get(db, anna, 999)
    assert submissions.attempts(db, boris, "a") == ()


def test_instructors_and_nobody_else_read_files_of_several(
    db: Database, anna: Identity, boris: Identity, teacher: Identity
) -> None:
    sent = [submissions.submit(db, who, "a", SOURCE, name) for who, name in ((anna, "a.py"), (boris, "b.ipynb"))]
    found = submissions.files(db, teacher, [one.id for one in sent])
    assert found == {sent[0].id: (SOURCE, "a.py"), sent[1].id: (SOURCE, "b.ipynb")}
    with pytest.raises(Forbidden):
        submissions.files(db, anna, [sent[0].id])


@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_was_graded_counts_as_an_attempt(db: Database, anna: Identity, outcome: Outcome) -> None:
    sent = grade(db, submissions.submit(db, anna, "a", SOURCE), outcome)
    free = {Outcome.NOT_ATTEMPTED, Outcome.INVALID_FILE, Outcome.INFRA_ERROR}
    assert sent.counted == (outcome not in free)


def test_the_first_verdict_stands(db: Database, anna: Identity) -> None:
    sent = submissions.submit(db, anna, "a", SOURCE)
    submissions.store_verdict(db, sent.id, PASSED)
    assert grade(db, sent, Outcome.FAILED).outcome == Outcome.PASSED
    assert submissions.start(db, sent.id).state == "done"
    submissions.requeue(db, sent.id)
    assert submissions.get(db, anna, sent.id).state == "done"


def test_a_fault_of_ours_is_made_good_by_grading_again(db: Database, anna: Identity) -> None:
    sent = submissions.submit(db, anna, "a", SOURCE)
    assert not grade(db, sent, Outcome.INFRA_ERROR).counted
    assert grade(db, sent, Outcome.PASSED).counted


def test_what_a_dead_worker_began_waits_again(db: Database, anna: Identity) -> None:
    first, second = (submissions.submit(db, anna, "a", source) for source in (b"1", b"2"))
    submissions.start(db, first.id)
    submissions.requeue(db, first.id)
    assert submissions.get(db, anna, first.id).state == "queued"
    assert turns.waiting(db, SubmissionRow) == (turns.Waiting(first.id, "anna"), turns.Waiting(second.id, "anna"))


def test_ids_are_never_used_again(db: Database, anna: Identity) -> None:
    sent = submissions.submit(db, anna, "a", SOURCE)
    with db.writing() as session:
        session.delete(session.get_one(SubmissionRow, sent.id))
    assert submissions.submit(db, anna, "a", SOURCE).id > sent.id
    assert remove(db) == 0


def test_a_trial_runs_and_counts_nothing(db: Database, anna: Identity, boris: Identity, teacher: Identity) -> None:
    trial = trials.create_trial(db, anna, "a", SOURCE, "f('\ud83d')")
    assert turns.due(db, TrialRow) == (trial,)
    begun = trials.start_trial(db, trial)
    assert (begun.source, begun.call, begun.state) == (SOURCE, "f('\ud83d')", "running")
    result = Trial(Outcome.PASSED, output="\x00", value="'ё'", seconds=0.1)
    trials.store_trial(db, trial, result)
    assert trials.trial(db, anna, trial).result == result
    assert trials.trial(db, teacher, trial).state == "done"
    assert trials.last_trial(db, anna, "a") == trials.trial(db, anna, trial)
    assert trials.last_trial(db, boris, "a") is None
    assert turns.due(db, TrialRow) == ()
    assert submissions.attempts(db, anna, "a") == ()
    with pytest.raises(Forbidden):
        trials.trial(db, boris, trial)


def test_old_trials_make_room(db: Database, anna: Identity, boris: Identity) -> None:
    theirs = trials.create_trial(db, boris, "a", SOURCE, "f()")
    ids = [trials.create_trial(db, anna, "a", SOURCE, "f()") for _ in range(trials.KEPT + 2)]
    assert trials.trial(db, anna, ids[0]).state == "done", "those of the last minute are kept, to be counted"
    with db.writing() as session:
        for row in session.scalars(select(TrialRow)):
            row.created -= 2 * pace.MINUTE
    trials.create_trial(db, anna, "a", SOURCE, "f()")
    for gone in ids[:3]:
        with pytest.raises(Missing, match="ещё раз"):
            trials.trial(db, anna, gone)
    assert trials.trial(db, anna, ids[3]).id == ids[3]
    assert trials.trial(db, boris, theirs).state == "queued"


def test_of_trials_that_wait_only_the_newest_is_run(db: Database, anna: Identity, boris: Identity) -> None:
    running = trials.create_trial(db, anna, "a", SOURCE, "1")
    trials.start_trial(db, running)
    replaced, elsewhere = (trials.create_trial(db, anna, exercise, SOURCE, "2") for exercise in ("a", "b"))
    theirs = trials.create_trial(db, boris, "a", SOURCE, "f()")
    newest = trials.create_trial(db, anna, "a", SOURCE, "3")
    assert [row.id for row in turns.waiting(db, TrialRow)] == [running, elsewhere, theirs, newest]
    assert trials.trial(db, anna, replaced).result == trials.REPLACED
    trials.store_trial(db, replaced, Trial(Outcome.PASSED, value="late"))
    assert trials.trial(db, anna, replaced).result == trials.REPLACED


@pytest.mark.parametrize(("source", "call"), [(b"x" * 300_000, "f()"), (b"x", "f(" * 5000)])
def test_a_trial_too_long_is_refused(db: Database, anna: Identity, source: bytes, call: str) -> None:
    with pytest.raises(Rejected, match="покороче"):
        trials.create_trial(db, anna, "a", source, call)
