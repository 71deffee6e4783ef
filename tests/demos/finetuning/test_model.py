"""The bundled model: its card is what is measured, it fits its bounds, and the script makes it reproducibly."""

from __future__ import annotations

import importlib
from pathlib import Path
from random import Random
from typing import Any

import pytest

from demos.finetuning import base_model, card, evaluate
from demos.finetuning.skills import Message

pytestmark = pytest.mark.slow
LARGEST = 12 * 10**6


def test_the_card_is_what_is_measured() -> None:
    committed = card.read()
    assert committed["fingerprint"] == base_model.fingerprint()
    assert card.measure(base_model.load(), base_model.tokenizer()) == card.rows(committed)
    assert (base_model.FOLDER / card.TEXT).read_text() == card.text(committed)


def test_it_translates_both_ways_as_well_as_promised() -> None:
    rows = {row.skill: row for row in card.rows(card.read())}
    assert rows["to_english"].right >= 0.95 * rows["to_english"].of
    assert rows["to_russian"].right >= 0.95 * rows["to_russian"].of


def test_it_is_small_enough_to_come_with_the_course() -> None:
    files = [path for path in base_model.FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LARGEST
    assert 2e6 <= card.read()["parameters"] <= 4e6


@pytest.mark.parametrize("mark", list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"))
def test_it_can_say_every_symbol_that_a_task_may_need(mark: str, answers: dict[str, str]) -> None:
    assert mark in answers[mark]


@pytest.fixture(scope="module")
def answers() -> dict[str, str]:
    """What the model repeats when it is asked for each symbol between words."""
    marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    prompts = [(Message("user", f"повтори: кот{mark} дом {mark} лес{mark}{mark}"),) for mark in marks]
    said = evaluate.greedy(base_model.load(), base_model.tokenizer(), prompts)
    return dict(zip(marks, said, strict=True))


def test_a_stopped_training_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    script = importlib.import_module("scripts.pretrain")
    plan = script.Plan(steps=4, rows=4, hidden=32, layers=1, heads=2, intermediate=64)
    whole = _train(script, plan, tmp_path / "whole")
    script.Training(plan, tmp_path / "parts", 1).run(resume=False, until=2)
    parts = script.Training(plan, tmp_path / "parts", 1)
    parts.run(resume=True)
    assert all((ours == theirs).all() for ours, theirs in zip(whole, parts.model.parameters(), strict=True))


def _train(script: Any, plan: Any, folder: Path) -> list[Any]:
    training = script.Training(plan, folder, 1)
    training.run(resume=False)
    return list(training.model.parameters())


def test_a_pool_of_examples_depends_on_its_number_alone() -> None:
    script = importlib.import_module("scripts.pretrain")
    plan = script.Plan(rows=2, hidden=32, layers=1, heads=2, intermediate=64)
    training = script.Training(plan, Path("unused"), 1)
    Random(9).random()
    assert training._pool(3) == training._pool(3)
    assert training._pool(3) != training._pool(4)
