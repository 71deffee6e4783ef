"""The recording of four tasks in four ways, recounted here; the search against the formula by hand."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest

from demos import registry
from demos.finetuning import grammar, skills, statistics
from demos.finetuning.measured import Stale
from demos.finetuning.tasks.single import codes
from demos.ways import recorded, tasks
from demos.ways.retrieval import K1, B, Index
from demos.ways.tasks import WAYS


def test_the_search_is_bm25_by_hand() -> None:
    texts = ("кот = 37, дом = 12", "мяч", "Кот, кот и кот!")
    best = Index(texts).search("кот", 3)
    rare = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    mean = (4 + 1 + 4) / 3

    def weight(often: int, length: int) -> float:
        return rare * often * (K1 + 1) / (often + K1 * (1 - B + B * length / mean))

    assert [found.place for found in best] == [2, 0, 1]
    assert [found.score for found in best] == pytest.approx([weight(3, 4), weight(1, 4), 0])
    assert Index(()).search("кот", 3) == ()


def test_the_recording_is_of_this_model_and_these_requests() -> None:
    assert recorded.faults() == []
    found = recorded.recording()
    for name, task in tasks.tasks().items():
        assert len(task.items) >= 100
        assert found.tasks[name].by_shots[tasks.SHOTS] == len(task.items) - len(found.tasks[name].ways["few"].wrong)
    assert found.made.script == "scripts/measure_ways.py"


def test_each_of_three_ways_wins_a_task_for_sure_and_the_fourth_task_is_said_to_be_unsolved() -> None:
    verdicts = {each.task: each for each in registry.call("ways.compare", {}).verdicts}
    assert {name: verdicts[name].winner for name in ("rules", "codes", "json")} == {
        "rules": "few",
        "codes": "retrieval",
        "json": "tuned",
    }
    for name in ("rules", "codes", "json"):
        best, second = (
            verdicts[name].scores[list(WAYS).index(way)]  # type: ignore[arg-type]
            for way in (verdicts[name].winner, verdicts[name].second)
        )
        assert verdicts[name].sure
        assert best.low > second.high
    assert max(score.right / score.of for score in verdicts["new_rules"].scores) < 0.5


def test_scores_are_counted_from_the_answers() -> None:
    found = recorded.recording()
    for name, task in tasks.tasks().items():
        result = registry.call("ways.compare", {"task": name})
        for row in result.rows:
            wrong = found.tasks[name].ways[row.way].wrong
            assert row.score == statistics.wilson(len(task.items) - len(wrong), len(task.items))
            assert all(text.strip() != task.items[place].right for place, text in wrong.items())


def test_money_is_tokens_times_price() -> None:
    prices = {"price_prompt": 10.0, "price_answer": 20.0, "price_training": 30.0, "requests": 1000}
    result = registry.call("ways.compare", {"task": "json", **prices})
    for row in result.rows:
        asked = (row.prompt_tokens * 10 + row.answer_tokens * 20) / 1e6
        assert row.request_cost == pytest.approx(asked)
        assert row.total_cost == pytest.approx(1000 * asked + row.training_tokens * 30 / 1e6)
    by_way = {row.way: row for row in result.rows}
    assert result.break_even is not None
    few, tuned = (by_way[way].request_cost * result.break_even for way in ("few", "tuned"))
    assert few == pytest.approx(tuned + by_way["tuned"].training_cost)


def test_the_rules_are_what_they_are_said_to_be() -> None:
    assert tasks.OLD_RULES == skills._FRAMES
    assert not {*tasks.NEW_RULES} & {*tasks.OLD_RULES}
    for rules in (tasks.OLD_RULES, tasks.NEW_RULES):
        for rule in range(len(rules)):
            first, second, *_ = (word for word, _ in tasks.examples(rules, rule))
            assert grammar.is_held_out(first, second)


def test_no_prompt_gives_the_answer_away() -> None:
    for name in ("rules", "new_rules", "json"):
        task = tasks.tasks()[name]
        solved = {f"{item.key} = {item.right}" for item in task.items}
        for item in task.items:
            assert all(f"{key} = {answer}" not in solved for key, answer in task.shots(item))
            own = f"{item.key} = {item.right}"
            assert own not in task.index(item).texts


def test_a_third_of_the_book_is_new() -> None:
    changed = [noun for noun, code in tasks.today().items() if code != codes()[noun]]
    assert len(changed) == 67
    result = registry.call("ways.compare", {"task": "codes"})
    tuned = next(row for row in result.rows if row.way == "tuned")
    (_, old), (_, new) = tuned.parts
    assert (old.of, new.of) == (133, 67)
    assert old.right > 0.9 * old.of
    assert new.right == 0


def test_a_recording_of_something_else_is_not_shown(tmp_path: Path) -> None:
    found = recorded.recording()
    for changed in ({"base": "0" * 16}, {"requests": "0" * 16}):
        recorded.write(dataclasses.replace(found, **changed), tmp_path / "other.json")
        with pytest.raises(Stale):
            recorded.recording(tmp_path / "other.json")
    recorded.write(found, tmp_path / "same.json")
    assert recorded.recording(tmp_path / "same.json") == found
    (tmp_path / "bad.json").write_text(json.dumps({"tasks": 1}))
    for name in ("bad.json", "none.json"):
        assert "scripts/measure_ways.py" in recorded.faults(tmp_path / name)[0]


@pytest.mark.slow
@pytest.mark.parametrize(("task", "item"), [("rules", 1), ("rules", 100), ("codes", 3), ("json", 5), ("new_rules", 40)])
def test_a_point_repeated_live_gives_the_recorded_answers(task: str, item: int) -> None:
    result = registry.call("ways.once", {"task": task, "item": item})
    assert not result.problem
    assert [each.text for each in result.answers] == [each.recorded for each in result.answers]
    known = tasks.tasks()[task].items[item - 1]
    assert [each.right for each in result.answers] == [each.text == known.right for each in result.answers]
    assert len(result.found) == (1 if task == "codes" else 3)


@pytest.mark.slow
def test_three_examples_train_what_peft_trains() -> None:
    """The loss on the examples falls, only the adapter changes, and switched off it is the base again."""
    import torch

    from demos.finetuning import base_model
    from demos.ways import tuning

    shown = tuple((f"{word} =", answer) for word, answer in tasks.examples(tasks.OLD_RULES, 0))
    tokenizer, before, model = base_model.tokenizer(), base_model.load(), base_model.load()
    batch = tuning._batch(tokenizer, shown)
    random = torch.random.get_rng_state()
    tuned = tuning.tune(model, tokenizer, shown)
    assert torch.equal(random, torch.random.get_rng_state())
    with torch.inference_mode():
        first, last = before(**batch).loss, tuned(**batch).loss
        with tuned.disable_adapter():
            assert torch.equal(tuned(**batch).logits, before(**batch).logits)
    assert last < first / 3
    mask = batch["labels"] != -100
    assert [
        tokenizer.decode(row[kept], skip_special_tokens=True) for row, kept in zip(batch["labels"], mask, strict=True)
    ] == [answer for _, answer in shown]
    assert tuning.trained_tokens(tokenizer, shown) == tuning.STEPS * int(batch["attention_mask"].sum())
