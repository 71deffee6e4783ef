"""Recordings: read back as they were told, small, refused when stale or misnamed; the plan's own rules."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from cli import check
from common.numbers import NBSP
from demos import registry
from demos.finetuning import base_model, events, measured, plan, story
from demos.finetuning.events import Finished, Step
from demos.finetuning.spec import THREE_CURVES, RunSpec
from settings import ROOT, Settings
from tests.demos.finetuning import invented

SPEC = RunSpec(seed=7)


def test_a_recording_is_what_the_run_told_with_fewer_steps(tmp_path: Path) -> None:
    told = invented.told(SPEC, 190, steps=400)
    file = measured.write(SPEC, told, invented.MADE, tmp_path)
    found = measured.recorded(SPEC.fingerprint, tmp_path)
    assert found is not None
    assert (found.spec, found.base, found.made) == (SPEC, base_model.fingerprint(), invented.MADE)
    kinds = [event.kind for event in told if not isinstance(event, Step)]
    assert [event["kind"] for event in found.events if event["kind"] != "step"] == kinds
    steps = [step.step for step in found.story.steps]
    assert (steps[0], steps[-1], len(steps)) == (1, 400, measured.MOST_STEPS)
    assert found.story.finished is not None
    assert found.story.finished.after.right == 190
    assert len(found.story.finished.answers) == measured.MOST_ANSWERS
    assert file.stat().st_size <= measured.LARGEST
    assert story.tell(story.read(found.events)) == found.story, "what is replayed is what is drawn"
    assert list(tmp_path.iterdir()) == [file], "nothing half written is left"


def test_a_recording_of_another_base_is_not_shown_and_is_a_fault(tmp_path: Path) -> None:
    (file,) = invented.record([SPEC], tmp_path, lambda _: 100)
    assert not measured.faults(tmp_path)
    file.write_text(file.read_text().replace(base_model.fingerprint(), "0123456789abcdef"))
    assert measured.recorded(SPEC.fingerprint, tmp_path) is None
    assert measured.recordings(tmp_path) == ()
    (said,) = measured.faults(tmp_path)
    assert "на другой базовой модели" in said


def test_misnamed_unreadable_and_oversized_files_are_faults(tmp_path: Path) -> None:
    (file,) = invented.record([SPEC], tmp_path, lambda _: 100)
    file.rename(tmp_path / "0000000000000000.json")
    assert measured.recorded("0000000000000000", tmp_path) is None
    assert SPEC.fingerprint in measured.faults(tmp_path)[0]
    for name, text in {"half": '{"version": 1, "ev', "later": '{"version": 9}', "list": "[]"}.items():
        (tmp_path / f"{name}.json").write_text(text)
    said = " ".join(measured.faults(tmp_path))
    assert said.count("запись не читается") == 3
    assert str(tmp_path) not in said


def test_whole_recordings_have_no_faults_and_each_lack_is_named(tmp_path: Path) -> None:
    for wanted in plan.sets(partial(measured.recorded, folder=tmp_path)).values():
        if not wanted.optional:
            invented.record(wanted.specs, tmp_path, lambda _: 190)
    assert plan.faults(tmp_path) == []
    (tmp_path / f"{THREE_CURVES['qlora'].fingerprint}.json").unlink()
    said = plan.faults(tmp_path)
    assert any("«Три кривые»: нет 1 записи из 9" in each.replace(NBSP, " ") for each in said)
    assert any("scripts/measure.py rates" in each for each in said)
    invented.record([SPEC], tmp_path, lambda _: 1)
    assert any(SPEC.fingerprint in each and "не нужна" in each for each in plan.faults(tmp_path))
    assert [file.stem for file in plan.idle(tmp_path)] == [SPEC.fingerprint]


def test_a_recipe_keeps_its_fingerprint_on_its_way_through_the_database() -> None:
    specs = [spec for wanted in plan.sets(lambda _: None).values() for spec in wanted.specs]
    assert all(
        RunSpec.from_json(json.loads(json.dumps(spec.to_json()))).fingerprint == spec.fingerprint for spec in specs
    )
    assert RunSpec(alpha=32).fingerprint == RunSpec(alpha=32.0).fingerprint != RunSpec(alpha=31).fingerprint


@pytest.mark.slow
def test_the_check_command_is_red_for_a_stale_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = tmp_path / "content"
    shutil.copytree(ROOT / "content", content, ignore=shutil.ignore_patterns("model", "measured"))
    settings = dataclasses.replace(Settings(), content_dir=content)
    runs = content / "measured" / "runs"
    for wanted in plan.sets(partial(measured.recorded, folder=runs)).values():
        invented.record(wanted.specs, runs, lambda _: 190)
    everything = argparse.Namespace(path=None)
    check.run(everything, settings)
    assert "measured" not in capsys.readouterr().out
    file = runs / f"{THREE_CURVES['full'].fingerprint}.json"
    file.write_text(file.read_text().replace(base_model.fingerprint(), "0123456789abcdef"))
    assert check.run(everything, settings) == 1
    assert "записаны на другой базовой модели" in capsys.readouterr().out


def test_no_recipe_is_recorded_twice() -> None:
    for wanted in plan.sets(lambda _: None).values():
        prints = [spec.fingerprint for spec in wanted.specs]
        assert len(prints) == len(set(prints))
    first = {spec.fingerprint for spec in plan.rates().specs}
    assert {spec.fingerprint for spec in THREE_CURVES.values()} <= first, (
        "the curves' first seed is a point of the sweep"
    )


def test_the_lessons_rate_gives_way_only_to_one_that_is_better_beyond_chance(tmp_path: Path) -> None:
    find = partial(measured.recorded, folder=tmp_path)
    lesson = THREE_CURVES["lora"]
    specs = [point.spec for point in plan.rates().points if point.series == "lora"]
    assert plan.best("lora", find) == lesson, "nothing is recorded"
    invented.record(specs, tmp_path, lambda spec: 195 if spec.learning_rate == 0.0015 else 190)
    assert plan.best("lora", find) == lesson
    invented.record(specs, tmp_path, lambda spec: 195 if spec.learning_rate == 0.0015 else 100)
    assert plan.best("lora", find) == dataclasses.replace(lesson, learning_rate=0.0015)
    invented.record(specs, tmp_path, lambda spec: 150 if spec.learning_rate < lesson.learning_rate else None)
    assert plan.best("lora", find).learning_rate < lesson.learning_rate, "the lesson's own diverged"


def test_ranks_stop_where_an_adapter_is_no_longer_small() -> None:
    sizes = json.loads((base_model.FOLDER / "config.json").read_text())
    width, inner = sizes["hidden_size"], sizes["intermediate_size"]
    ranks = plan.small_ranks(("q_proj", "v_proj"))
    assert ranks[0] == 1
    assert max(ranks) * 2 * width <= 0.15 * width**2 < 2 * max(ranks) * 2 * width
    assert max(plan.small_ranks(("up_proj",))) * (width + inner) <= 0.15 * width * inner


@pytest.mark.parametrize("name", ["rates", "curves", "ranks", "alphas", "methods"])
def test_figures_without_recordings_say_so(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "FOLDER", tmp_path)
    result = registry.call(f"finetuning.{name}", {})
    result = result.race if name == "methods" else result
    assert result.missing == result.wanted
    assert "пока нет" in result.notice
    assert all(spot.value is None for spot in result.spots)


def test_seeds_become_a_mean_with_its_spread_and_an_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "FOLDER", tmp_path)
    wanted = plan.curves(measured.recorded)
    invented.record(wanted.specs, tmp_path, lambda spec: 180 + 5 * spec.seed)
    result = registry.call("finetuning.curves", {})
    assert (result.missing, result.notice) == (0, "")
    spot = result.series[0].spots[0]
    assert spot.recorded == 3
    assert spot.value.low <= spot.value.mean <= spot.value.high
    assert spot.interval.of == invented.OF, "three seeds answer the same questions: no more than one run's count"
    assert [step for step, _ in result.series[0].losses] == [0, 160]
    assert result.series[0].cost.optimizer == 8000


def test_the_committed_recordings_are_whole() -> None:
    assert plan.faults() == []


@pytest.mark.slow
def test_the_script_records_a_run_and_leaves_it_alone_the_second_time(tmp_path: Path) -> None:
    asked = {"steps": 2, "held_out": 4, "evaluate_every": 2, "quantization": "none", "examples": 40, "batch": 4}
    command = [sys.executable, "scripts/measure.py", "--folder", str(tmp_path), "--spec", json.dumps(asked)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    first = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    assert "1 of 1" in first.stdout
    spec = RunSpec(**asked)
    found = measured.recorded(spec.fingerprint, tmp_path)
    assert found is not None
    assert isinstance(events.from_json(found.events[-1]), Finished)
    assert found.story.started is not None
    assert found.story.started.trainable > 0
    assert {"torch", "transformers", "peft", "trl", "bitsandbytes"} <= found.made.versions.keys()
    assert found.made.machine["threads"] == 1
    again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert "all recorded" in again.stdout


def test_a_replay_keeps_nobody_waiting_for_the_curve_and_then_goes_at_its_own_pace() -> None:
    steps = [
        events.Step(
            step=number,
            steps=3,
            loss=1.0,
            learning_rate=1e-3,
            gradient_norm=1.0,
            tokens_per_second=1.0,
            memory=1,
            seconds=40.0 + number,
            seconds_left=0.0,
        )
        for number in (1, 2, 3)
    ]
    told = [events.Stage("load", "Загружаем", 0.1), events.Evaluated(0, 2.0, 40.0), *steps]
    shown = [story.replayed(told, seconds) for seconds in (0.5, 1.0, 2.5, 100.0)]
    assert [(len(seen.evaluated), len(seen.steps)) for seen in shown] == [(0, 0), (1, 0), (1, 1), (1, 3)]
