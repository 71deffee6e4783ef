"""The fine-tuning benchmark clicks, waits and times real runs, and names what it misses. No times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import finetuning, hub_size, steps
from benchmarks.school import School, school
from demos.finetuning import tasks
from demos.finetuning.spec import RunSpec
from demos.lora.architectures import Sizes, build

TINY = RunSpec(steps=3, batch=4, examples=20, held_out=4, evaluate_every=3, rank=2)


def test_a_missed_bound_is_named_and_fails_the_run() -> None:
    rows, kept = finetuning.judged([], ("seconds", 61.0, 60.0, False), ("share", 0.95, 0.9, True))
    assert not kept
    assert "MISSED" in rows[0][-1]
    assert "ok" in rows[1][-1]
    assert finetuning.judged([], ("seconds", 59.0, 60.0, False), ("share", 0.95, 0.9, True))[1]
    assert not finetuning.judged([], ("share", 0.8, 0.9, True))[1]


@pytest.fixture(scope="module")
def course() -> Iterator[School]:
    with school(finetuning.EXERCISE) as opened:
        opened.hire("first")
        yield opened


@pytest.mark.slow
def test_clicks_are_timed_until_their_results_are_stored(course: School) -> None:
    rows, _ = finetuning.of_clicks(course, TINY, seeds=(1,))
    assert rows[0][0] == "seed 1"
    figures = {title: float(figure) for title, figure, bound in rows if bound}
    assert 0 < figures["worst: first event, s"] < figures["worst: click to stored result, s"]
    assert 0 <= figures["worst: exact match after"] <= 1
    assert finetuning.sees(course, 1, TINY, 0.0)


@pytest.mark.slow
def test_curves_are_waited_for_one_after_another(course: School) -> None:
    control = replace(TINY, method="none", quantization="none")
    rows, _ = finetuning.of_curves(course, (control,))
    assert rows[0][0] == control.title
    assert float(rows[1][1]) > 0


@pytest.mark.slow
def test_a_crowd_is_heard_and_sent_home(course: School) -> None:
    rows, _ = finetuning.of_crowd(course, TINY, 2)
    assert rows[0][1].endswith(" of 2")
    waiting = finetuning.press(course, finetuning.Clicker()(), replace(TINY, seed=5))
    assert not finetuning.sees(course, waiting, TINY, 0.0)


@pytest.mark.slow
def test_a_step_is_timed_both_ways() -> None:
    data = tasks.build(TINY.task)
    small = replace(data, validation=data.validation[:2], test=data.test[:2])
    ours, bare = steps.compare(replace(TINY, steps=6), small, turns=1)
    assert 0 < bare < 10
    assert 0 < ours < 10


@pytest.mark.slow
def test_noise_of_hub_shape_trains_and_weighs_what_is_calculated(tmp_path: Path) -> None:
    small = build("tiny", "Tiny 8B", "llama", Sizes(64, 2, 4, 2, 16, 96, 256))
    found = hub_size.measure(small, replace(hub_size.SPEC, rank=2, batch=2), device="cpu", steps=2, length=16)
    assert found.weights == found.calculated_weights
    assert found.seconds >= 0
    stored = json.loads(hub_size.record(found, tmp_path).read_text())
    assert stored["steps"] == 2
    assert stored["script"] == "benchmarks/hub_size.py"


@pytest.mark.slow
def test_without_a_card_a_row_says_so() -> None:
    if hub_size.card() is None:
        assert finetuning.of_card() == ([("no GPU here", "not measured", "")], True)
