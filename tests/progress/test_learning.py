"""What a learner does in a lesson is kept, theirs alone, and the same on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from progress import learning
from progress.database import Database
from progress.identity import Identity
from progress.learning import AnswerIn
from progress.records import DraftRow


def given(question: str = "q", **change: object) -> AnswerIn:
    usual = {"lesson": "lora", "question": question, "response": {"chosen": "A"}, "right": True, "confidence": "sure"}
    return AnswerIn(**{**usual, **change})  # type: ignore[arg-type]


def test_a_tick_is_set_and_removed(db: Database, anna: Identity) -> None:
    learning.tick(db, anna, "lora", "shapes", True)
    learning.tick(db, anna, "lora", "scale", True)
    learning.tick(db, anna, "lora", "scale", True)
    assert learning.ticks(db, anna, "lora") == {"shapes", "scale"}
    learning.tick(db, anna, "lora", "shapes", False)
    learning.tick(db, anna, "lora", "never ticked", False)
    assert learning.ticks(db, anna, "lora") == {"scale"}
    assert learning.ticks(db, anna, "qlora") == frozenset()


def test_all_answers_are_kept_in_order(db: Database, anna: Identity) -> None:
    wrong = given(right=False, confidence="guess", misconception="SHAPES", hinted=True, response={"chosen": "Б ≠ A"})
    stored = learning.answer(db, anna, wrong)
    learning.answer(db, anna, given("other"))
    learning.answer(db, anna, given())
    answers = learning.answers(db, anna, "lora")
    assert answers[0] == stored
    assert [(one.question, one.number, one.right, one.first_try) for one in answers] == [
        ("q", 1, False, True),
        ("other", 1, True, True),
        ("q", 2, True, False),
    ]
    assert (stored.response, stored.confidence) == ({"chosen": "Б ≠ A"}, "guess")
    assert (stored.misconception, stored.hinted) == ("SHAPES", True)


def test_times_are_aware_and_in_utc(db: Database, anna: Identity) -> None:
    learning.answer(db, anna, given())
    at = learning.answers(db, anna, "lora")[0].at
    assert at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)


def test_an_unknown_confidence_is_our_mistake(db: Database, anna: Identity) -> None:
    with pytest.raises(ValueError, match="confidence"):
        learning.answer(db, anna, given(confidence="уверен"))
    assert learning.answers(db, anna, "lora") == ()


def test_learners_see_only_their_own(db: Database, anna: Identity, boris: Identity, teacher: Identity) -> None:
    learning.tick(db, anna, "lora", "shapes", True)
    learning.answer(db, anna, given())
    learning.save_draft(db, anna, "lora-linear", "x = 1")
    learning.visit(db, anna, "lora", "why")
    learning.hint_opened(db, anna, "lora-linear", 1)
    for other in (boris, teacher):
        assert learning.ticks(db, other, "lora") == frozenset()
        assert learning.answers(db, other, "lora") == ()
        assert learning.draft(db, other, "lora-linear") is None
        assert learning.position(db, other) is None
        assert learning.visited(db, other, "lora") == frozenset()
        assert learning.hints(db, other, "lora-linear") == frozenset()


def test_a_draft_survives_and_grows_from_the_one_before(db: Database, anna: Identity) -> None:
    assert learning.draft(db, anna, "lora-linear") is None
    first = learning.save_draft(db, anna, "lora-linear", "b = 2", revision=0)
    second = learning.save_draft(db, anna, "lora-linear", "", revision=first.revision)
    assert second.revision > first.revision
    assert learning.draft(db, anna, "lora-linear") == second


def test_another_tabs_newer_draft_is_never_overwritten_unasked(db: Database, anna: Identity) -> None:
    begun = learning.save_draft(db, anna, "e", "здесь", revision=0)
    newer = learning.save_draft(db, anna, "e", "в другой вкладке", revision=begun.revision)
    with pytest.raises(learning.DraftConflict) as conflict:
        learning.save_draft(db, anna, "e", "здесь, дальше", revision=begun.revision)
    assert conflict.value.draft == newer == learning.draft(db, anna, "e")
    assert learning.save_draft(db, anna, "e", "мой", revision=newer.revision).source == "мой"
    assert learning.save_draft(db, anna, "e", "из файла").source == "из файла"


def test_the_same_text_again_is_no_conflict_and_no_new_draft(db: Database, anna: Identity) -> None:
    stored = learning.save_draft(db, anna, "e", "x", revision=0)
    assert learning.save_draft(db, anna, "e", "x", revision=0) == stored


def test_a_clock_that_ran_ahead_does_not_block_later_drafts(db: Database, anna: Identity) -> None:
    ahead = datetime.now(UTC) + timedelta(days=300)
    learning.save_draft(db, anna, "e", "from the future")
    with db.writing() as session:
        session.execute(update(DraftRow).values(at=ahead))
    later = learning.save_draft(db, anna, "e", "from now", revision=learning.Draft("", ahead).revision)
    assert later.source == "from now"
    assert later.at > ahead


@pytest.mark.parametrize("text", ["ё = '\x00'\r\n", "\ud83d", "😀" * 1000, " "])
def test_a_draft_comes_back_letter_for_letter(db: Database, anna: Identity, text: str) -> None:
    learning.save_draft(db, anna, "e", text)
    found = learning.draft(db, anna, "e")
    assert found is not None
    assert found.source == text


def test_an_answer_may_hold_anything_that_json_can(db: Database, anna: Identity) -> None:
    response = {"number": "\x00 \ud83d 0,5", "pairs": {"а": ["б", 1, None, True]}}
    learning.answer(db, anna, given(response=response))
    assert learning.answers(db, anna, "lora")[0].response == response


def test_the_position_is_the_block_opened_last(db: Database, anna: Identity) -> None:
    assert learning.position(db, anna) is None
    for lesson, block in (("lora", "why"), ("qlora", "nf4"), ("lora", "shapes"), ("lora", "why")):
        learning.visit(db, anna, lesson, block)
    assert learning.position(db, anna) == ("lora", "why")
    assert learning.visited(db, anna, "lora") == {"why", "shapes"}


def test_hints_opened_are_remembered(db: Database, anna: Identity) -> None:
    for number in (1, 2, 1):
        learning.hint_opened(db, anna, "lora-linear", number)
    assert learning.hints(db, anna, "lora-linear") == {1, 2}


def test_a_new_name_is_taken_over(db: Database, anna: Identity) -> None:
    learning.tick(db, anna, "lora", "a", True)
    learning.tick(db, Identity(anna.id, "Анна Петрова", False), "lora", "b", True)
    assert learning.ticks(db, anna, "lora") == {"a", "b"}


@pytest.mark.slow
def test_a_killed_process_loses_no_draft(url: str, db: Database, anna: Identity) -> None:
    script = """
import os, signal, sys
from progress import learning
from progress.database import Database
from progress.identity import Identity
learning.save_draft(Database(sys.argv[1]), Identity("anna", "Анна", False), "e", "последняя буква")
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([sys.executable, "-c", script, url], check=False, env=environment)
    assert done.returncode == -signal.SIGKILL
    found = learning.draft(db, anna, "e")
    assert found is not None
    assert found.source == "последняя буква"
