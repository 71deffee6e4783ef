"""A run asked for is never lost, may be seen by all and changed by its author; own examples are their author's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from progress import datasets, people, run_files, runs, turns
from progress.database import Database
from progress.identity import Forbidden, Identity
from progress.records import LearnerRow, RunEventRow, RunFileRow, RunRow
from progress.runs import Run
from progress.submissions import Missing, Rejected

SPEC = {"version": 1, "method": "lora", "targets": ["all-linear"]}
STEP = {"kind": "step", "step": 1, "loss": 2.5}
END = {"kind": "finished", "answers": [{"prompt": "\x00 ё \ud83d"}]}
GONE = {"kind": "failed", "code": "cancelled"}
ADAPTER = {"adapter/adapter_config.json": b"{}", "adapter/adapter_model.safetensors": bytes(1000)}


def ask(db: Database, who: Identity, number: int = 0) -> Run:
    """A run that differs from the others."""
    return runs.create(db, who, {**SPEC, "seed": number})


def done(db: Database, who: Identity, number: int = 0) -> Run:
    asked = ask(db, who, number)
    runs.start(db, asked.id)
    assert runs.finish(db, asked.id, "finished", [END], files=ADAPTER)
    return runs.run(db, asked.id)


def age(db: Database, by: timedelta) -> None:
    with db.writing() as session:
        session.execute(update(RunRow).values(created=people.now() - by))


def test_a_run_goes_from_the_click_to_the_end(db: Database, anna: Identity) -> None:
    asked = runs.create(db, anna, SPEC, "  Мой\nпервый  ")
    assert (asked.state, asked.outcome, asked.title, asked.learner_name) == ("queued", None, "Мой первый", "Анна")
    assert turns.due(db, RunRow) == (asked.id,)
    assert runs.start(db, asked.id).state == "running"
    runs.append_events(db, asked.id, [STEP, {**STEP, "step": 2}], {"step": 2})
    assert runs.finish(db, asked.id, "finished", [END], files=ADAPTER, summary={"after": 99})
    found = runs.run(db, asked.id)
    assert (found.state, found.outcome, found.events, found.spec) == ("done", "finished", 3, SPEC)
    assert found.summary == {"after": 99}
    assert found.finished is not None
    assert found.started is not None
    assert found.created <= found.started <= found.finished
    assert runs.events_since(db, asked.id) == (STEP, {**STEP, "step": 2}, END)
    assert runs.events_since(db, asked.id, 2) == (END,)
    assert runs.events_since(db, asked.id, 3) == ()
    assert run_files.sizes(db, asked.id) == {name: len(content) for name, content in ADAPTER.items()}
    assert run_files.contents(db, asked.id) == ADAPTER
    assert turns.due(db, RunRow) == ()
    assert [one.id for one in runs.mine(db, anna)] == [asked.id]
    (seconds,) = runs.durations(db)
    assert 0 <= seconds < 60


def test_nothing_is_added_after_the_end(db: Database, anna: Identity) -> None:
    over = done(db, anna)
    runs.append_events(db, over.id, [STEP])
    assert not runs.finish(db, over.id, "failed", [GONE])
    assert runs.start(db, over.id).outcome == "finished"
    assert runs.events_since(db, over.id) == (END,)


def test_a_run_begun_again_counts_it_and_keeps_what_was_said(db: Database, anna: Identity) -> None:
    asked = ask(db, anna)
    assert runs.start(db, asked.id).restarts == 0
    runs.append_events(db, asked.id, [STEP])
    assert runs.start(db, asked.id).restarts == 1
    runs.append_events(db, asked.id, [STEP])
    assert runs.events_since(db, asked.id) == (STEP, STEP)


def test_a_waiting_run_is_cancelled_at_once_and_twice_is_once(db: Database, anna: Identity) -> None:
    asked = ask(db, anna)
    for _ in range(2):
        found = runs.request_cancel(db, anna, asked.id, GONE)
        assert (found.state, found.outcome, found.cancel_requested) == ("done", "cancelled", True)
    assert runs.events_since(db, asked.id) == (GONE,)
    assert runs.start(db, asked.id).state == "done", "a job that was queued before finds nothing to do"


def test_a_running_run_is_asked_to_end(db: Database, anna: Identity) -> None:
    asked = ask(db, anna)
    runs.start(db, asked.id)
    assert not runs.cancel_requested(db, asked.id)
    for _ in range(2):
        assert runs.request_cancel(db, anna, asked.id, GONE).state == "running"
        assert runs.cancel_requested(db, asked.id)
    runs.finish(db, asked.id, "cancelled", [GONE])
    assert runs.events_since(db, asked.id) == (GONE,)


def test_cancelling_what_has_ended_changes_nothing(db: Database, anna: Identity) -> None:
    over = done(db, anna)
    assert runs.request_cancel(db, anna, over.id, GONE) == over


def test_a_link_may_be_opened_by_all_and_changed_by_its_author_and_instructors(
    db: Database, anna: Identity, boris: Identity, teacher: Identity
) -> None:
    over = done(db, anna)
    ask(db, boris)
    assert runs.run(db, over.id).learner_name == "Анна"
    assert [one.learner for one in runs.mine(db, boris)] == ["boris"]
    with pytest.raises(Forbidden, match="смотреть его можно"):
        runs.request_cancel(db, boris, over.id)
    with pytest.raises(Forbidden):
        runs.rename(db, boris, over.id, "чужой")
    with pytest.raises(Forbidden):
        runs.delete(db, boris, over.id)
    runs.rename(db, teacher, over.id, "образец")
    assert runs.run(db, over.id).title == "образец"
    runs.delete(db, teacher, over.id)
    with pytest.raises(Missing, match="нет"):
        runs.run(db, over.id)
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(RunEventRow)) == 0
        assert session.scalar(select(func.count()).select_from(RunFileRow)) == 0


def test_a_run_that_goes_on_is_not_deleted(db: Database, anna: Identity) -> None:
    with pytest.raises(Rejected, match="сначала отмените"):
        runs.delete(db, anna, ask(db, anna).id)


def test_three_wait_at_a_time_and_a_double_click_is_one(db: Database, anna: Identity, boris: Identity) -> None:
    first = ask(db, anna)
    assert ask(db, anna) == first
    ask(db, anna, 1)
    last = ask(db, anna, 2)
    with pytest.raises(Rejected, match="3 незаконченных"):
        ask(db, anna, 3)
    assert ask(db, boris).id > last.id
    runs.request_cancel(db, anna, last.id)
    ask(db, anna, 3)


def test_twenty_an_hour(db: Database, anna: Identity) -> None:
    for number in range(runs.PER_HOUR):
        runs.request_cancel(db, anna, ask(db, anna, number).id)
    age(db, timedelta(minutes=50))
    with pytest.raises(Rejected, match="не больше 20 обучений: подождите 10 мин"):
        ask(db, anna)
    age(db, timedelta(minutes=61))
    ask(db, anna)


def test_files_of_old_runs_go_and_their_events_stay(
    db: Database, anna: Identity, boris: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_files, "KEPT", 2)
    his = done(db, boris)
    mine = [done(db, anna, number) for number in range(4)]
    assert [bool(run_files.sizes(db, one.id)) for one in mine] == [False, False, True, True]
    assert run_files.sizes(db, his.id)
    assert runs.events_since(db, mine[0].id) == (END,)


def test_too_large_a_file_is_refused_whole(db: Database, anna: Identity) -> None:
    asked = ask(db, anna)
    runs.start(db, asked.id)
    with pytest.raises(ValueError, match="too large"):
        runs.finish(db, asked.id, "finished", [END], files={"x": bytes(run_files.MAX_FILE + 1)})
    assert runs.run(db, asked.id).state == "running"


def test_everything_goes_with_the_learner(db: Database, anna: Identity) -> None:
    over = done(db, anna)
    datasets.add(db, anna, "a.jsonl", b"{}")
    with db.writing() as session:
        session.delete(session.get_one(LearnerRow, anna.id))
    assert runs.events_since(db, over.id) == ()
    assert run_files.sizes(db, over.id) == {}
    assert runs.cancel_requested(db, over.id), "whoever works on it stops"
    assert datasets.mine(db, anna) == ()


def test_own_examples_are_kept_once_and_seen_by_their_author(
    db: Database, anna: Identity, boris: Identity, teacher: Identity
) -> None:
    kept = datasets.add(db, anna, "../../данные.jsonl", b'{"a": 1}\n', {"train": 1})
    assert (kept.name, kept.size, kept.summary) == ("данные.jsonl", 9, {"train": 1})
    assert datasets.add(db, anna, "данные.jsonl", b'{"a": 1}\n').id == kept.id
    assert datasets.mine(db, anna) == (kept,)
    assert datasets.get(db, teacher, kept.id) == kept
    assert datasets.content(db, kept.id) == (b'{"a": 1}\n', "данные.jsonl")
    with pytest.raises(Forbidden):
        datasets.get(db, boris, kept.id)
    with pytest.raises(Forbidden):
        datasets.delete(db, boris, kept.id)
    with pytest.raises(Rejected, match="данных больше нет"):
        runs.create(db, boris, SPEC, dataset=kept.id)
    assert runs.create(db, anna, SPEC, dataset=kept.id).dataset == kept.id
    datasets.delete(db, anna, kept.id)
    with pytest.raises(Missing):
        datasets.content(db, kept.id)


@pytest.mark.parametrize(
    ("content", "said"), [(b" \n", "пуст"), (bytes(datasets.MAX_BYTES + 1) + b"x", "больше 2 МиБ")]
)
def test_an_upload_that_cannot_be_kept_says_why(db: Database, anna: Identity, content: bytes, said: str) -> None:
    with pytest.raises(Rejected, match=said):
        datasets.add(db, anna, "a.jsonl", content)


def test_ten_files_are_kept(db: Database, anna: Identity) -> None:
    for number in range(datasets.MOST):
        datasets.add(db, anna, f"{number}.jsonl", b"{}")
    with pytest.raises(Rejected, match="не больше 10"):
        datasets.add(db, anna, "more.jsonl", b"{}")
