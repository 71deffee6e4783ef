"""The invented class fills the dashboard, is the same every time, and goes without a trace."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from graders.protocol import Check, Outcome, Verdict
from progress import learning, people, reports, roster, sample, turns
from progress.catalogue import Catalogue, Example, ExerciseEntry
from progress.database import Database, migrate
from progress.identity import Identity
from progress.records import Base, SubmissionRow
from progress.reports import Reason
from progress.roster import Work
from progress.sample_verdicts import graded
from progress.states import State
from tests.progress.courses import CATALOGUE, LESSON, LINEAR, MISTAKES, SOLUTION

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Database:
    return invent(tmp_path_factory.mktemp("sample") / "course.sqlite")


def invent(file: Path, catalogue: Catalogue = CATALOGUE) -> Database:
    migrate(f"sqlite:///{file}")
    db = Database(f"sqlite:///{file}")
    assert sample.add(db, catalogue, NOW) == 24
    return db


def works(db: Database) -> tuple[Work, ...]:
    return roster.load(db, Identity("teacher", "Вера", True))


def test_it_is_marked_and_named(invented: Database) -> None:
    found = works(invented)
    assert len({work.person.name for work in found}) == len(found) == 24
    assert all(work.person.sample for work in found)
    assert sample.present(invented)


def test_an_instructor_sees_every_state(invented: Database) -> None:
    progress = reports.class_progress(works(invented), LESSON)
    seen = Counter(state for row in progress.matrix() for state in row)
    assert set(seen) == set(State)
    assert min(seen.values()) >= 10
    assert len({tuple(row) for row in progress.matrix()}) > 12, "learners are too much alike"


def test_some_are_stuck_either_way_and_most_are_not(invented: Database) -> None:
    found = reports.stuck(works(invented), CATALOGUE, NOW)
    reasons = Counter(one.reason for one in found)
    assert set(reasons) == set(Reason)
    assert 4 <= len({one.person.id for one in found}) <= 12


def test_results_range_from_nothing_to_everything(invented: Database) -> None:
    rows = reports.results(works(invented), CATALOGUE.exercises)
    assert any(row.passed and row.attempts == 1 for row in rows)
    assert any(row.passed and row.attempts > 1 for row in rows)
    assert any(not row.passed and row.attempts >= 3 for row in rows)
    assert any(row.last is None for row in rows)
    assert max(row.points for row in rows) == LINEAR.points
    assert reports.misconceptions(works(invented), CATALOGUE)[0].people > 2


def test_the_code_that_was_sent_can_be_read_with_its_verdict(invented: Database) -> None:
    teacher = Identity("teacher", "Вера", True)
    sent = [one for work in works(invented) for one in roster.dossier(invented, teacher, work.person.id).submissions]
    assert {one.source.decode() for one in sent} == {example.source for example in (SOLUTION, *MISTAKES)}
    for one in sent:
        assert one.verdict is not None
        assert one.state == "done"
        assert one.outcome == one.verdict.outcome
        assert (one.outcome is Outcome.PASSED) == (one.source.decode() == SOLUTION.source)
    failed = next(one for one in sent if b"FORGETS_SCALE" in one.source)
    assert failed.verdict is not None
    messages = [check.message for check in failed.verdict.checks if check.outcome is Outcome.FAILED]
    assert messages == ["Забыт множитель α/r."]


def test_nothing_waits_for_a_worker_and_nothing_lies_in_the_future(invented: Database) -> None:
    assert turns.waiting(invented, SubmissionRow) == ()
    for work in works(invented):
        times = [answer.at for answer in work.answers] + [attempt.created for attempt in work.attempts]
        assert times == sorted(times[: len(work.answers)]) + sorted(times[len(work.answers) :])
        assert work.seen is not None
        assert NOW - timedelta(days=30) < min(times) <= max(times) <= work.seen < NOW


def test_it_is_the_same_every_time(invented: Database, tmp_path: Path) -> None:
    again = invent(tmp_path / "again.sqlite")
    assert works(again) == works(invented)
    again.close()


def test_a_second_call_adds_nothing(invented: Database) -> None:
    before = works(invented)
    assert sample.add(invented, CATALOGUE, NOW + timedelta(days=1)) == 0
    assert works(invented) == before


def test_it_goes_without_a_trace_and_real_work_stays(db: Database, anna: Identity) -> None:
    learning.answer(db, anna, learning.AnswerIn("lora-math", "q0", {}, True))
    learning.save_draft(db, anna, "lora-linear", "x")
    before = _rows(db)
    assert sample.add(db, CATALOGUE, people.now()) == 24
    assert sum(_rows(db).values()) > 500
    assert sample.remove(db) == 24
    assert _rows(db) == before
    assert not sample.present(db)
    assert sample.remove(db) == 0


def test_verdicts_of_the_caller_are_kept(tmp_path: Path) -> None:
    check = Check("start", "Начало", "init", 2, 0, Outcome.CRASHED, "Упало.")
    verdict = Verdict("lora-linear", Outcome.CRASHED, "Код упал.", (check,), seconds=0.4)
    exercise = ExerciseEntry("lora-linear", "LoRA", "lora-math", LINEAR.checks, SOLUTION, (Example("x", verdict),))
    db = invent(tmp_path / "graded.sqlite", Catalogue((LESSON,), (exercise,)))
    found = [one for work in works(db) for one in work.verdicts() if one.outcome is not Outcome.PASSED]
    assert found
    assert set(found) == {verdict}
    db.close()


def test_the_grader_is_asked_once_for_each_example() -> None:
    asked: list[tuple[str, bytes]] = []

    def grade(slug: str, source: bytes) -> Verdict:
        asked.append((slug, source))
        return Verdict(slug, Outcome.INFRA_ERROR if len(asked) == 1 else Outcome.FAILED, "Итог.")

    exercises = graded(CATALOGUE, grade).exercises
    examples = [(one.slug, example) for one in exercises for example in (one.solution, *one.mistakes) if example]
    assert asked == [(slug, example.source.encode()) for slug, example in examples]
    assert examples[0][1].verdict is None, "a fault of ours is no verdict"
    assert all(example.verdict == Verdict(slug, Outcome.FAILED, "Итог.") for slug, example in examples[1:])


def test_an_empty_course_makes_an_idle_class(tmp_path: Path) -> None:
    db = invent(tmp_path / "empty.sqlite", Catalogue())
    assert all(work.answers == () and work.attempts == () for work in works(db))
    db.close()


def _rows(db: Database) -> dict[str, int]:
    with db.reading() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }
