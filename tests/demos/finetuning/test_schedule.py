"""Schedules against ``transformers.get_scheduler`` and a real recording; epochs against ``Trainer``'s own count."""

from __future__ import annotations

import math
from typing import Any

import pytest

from demos import registry
from demos.finetuning import measured, schedule
from demos.finetuning.schedule import TITLES, Params
from demos.finetuning.spec import THREE_CURVES
from demos.params import ParamsError

SIZES = ((1, 0.0), (1, 0.9), (2, 0.5), (160, 0.05), (160, 0.0), (331, 0.37), (1000, 0.9))


def test_the_lessons_run_had_these_rates() -> None:
    """The trainer's own log of a recorded run."""
    found = measured.recorded(THREE_CURVES["lora"].fingerprint)
    assert found is not None
    told = dict(schedule.schedule(Params()).chosen.points)
    assert len(found.story.steps) > 50
    for step in found.story.steps:
        assert told[step.step] == pytest.approx(step.learning_rate, rel=1e-5)


def test_a_step_is_all_devices_and_all_passes() -> None:
    found = schedule.schedule(Params(batch=4, accumulation=8, devices=2, examples=1000, steps=100))
    assert (found.effective, found.passes) == (64, 800)
    assert found.steps_per_epoch == 16  # 125 batches of both devices, 8 at a time: the last step has 5 of them
    assert found.epochs == 6.25
    assert found.seen == 6 * 1000 + 4 * 64
    small = schedule.schedule(Params(batch=1024, examples=3, steps=5))
    assert (small.steps_per_epoch, small.epochs, small.seen) == (1, 5, 15)


def test_corners_and_ends_are_drawn_however_long_the_run() -> None:
    found = schedule.schedule(Params(schedule="warmup_stable_decay", steps=100_000, warmup=0.013, decay=0.37))
    steps = [step for step, _ in found.chosen.points]
    assert {1, 1301, 63_000, 100_000} <= set(steps)
    assert len(steps) <= schedule.MOST
    assert steps == sorted(set(steps))
    assert found.peak == max(rate for _, rate in found.chosen.points) == 5e-3


def test_warm_up_and_decay_longer_than_the_run_are_refused_in_words() -> None:
    with pytest.raises(ParamsError, match="вместе длиннее обучения"):
        registry.call("finetuning.schedule", {"schedule": "warmup_stable_decay", "warmup": 0.9, "decay": 0.9})
    registry.call("finetuning.schedule", {"schedule": "cosine", "warmup": 0.9, "decay": 0.9})
    for bad in ({"warmup": "nan"}, {"steps": 0}, {"learning_rate": "inf"}, {"schedule": "lin"}):
        with pytest.raises(ParamsError):
            registry.call("finetuning.schedule", bad)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(TITLES))
@pytest.mark.parametrize(("steps", "warmup"), SIZES)
def test_rates_are_those_of_transformers(name: Any, steps: int, warmup: float) -> None:
    """The code shown to learners is what they are compared with."""
    decay = 0.4 if warmup <= 0.5 and steps > 2 else 0.0
    params = Params(schedule=name, steps=steps, warmup=warmup, learning_rate=3e-4, decay=decay)
    scope: dict[str, Any] = {}
    exec(schedule.code(params), scope)  # noqa: S102 - our own text, as a learner would paste it
    found = schedule.schedule(params)
    for step, rate in found.chosen.points:
        assert rate == pytest.approx(scope["rates"][step - 1], rel=1e-12, abs=1e-18)
    assert found.mean == pytest.approx(math.fsum(scope["rates"]) / steps, rel=1e-9)
    assert found.effective == scope["effective"]


@pytest.mark.slow
@pytest.mark.parametrize(("examples", "batch", "accumulation"), [(1000, 16, 1), (1000, 16, 5), (7, 16, 4), (33, 2, 8)])
def test_an_epoch_is_what_the_trainer_takes_for_one(
    examples: int, batch: int, accumulation: int, tmp_path: Any
) -> None:
    import torch
    from transformers import Trainer, TrainingArguments

    arguments = TrainingArguments(
        str(tmp_path),
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=accumulation,
        max_steps=9,
        warmup_steps=0.21,
        use_cpu=True,
        report_to="none",
    )
    trainer = Trainer(torch.nn.Linear(1, 1), arguments, train_dataset=list(range(examples)))
    counted = trainer.set_initial_training_values(arguments, trainer.get_train_dataloader())
    params = Params(examples=examples, batch=batch, accumulation=accumulation, steps=9, warmup=0.21)
    assert schedule.steps_per_epoch(params) == counted[1]
    assert schedule.schedule(params).warmup_steps == arguments.get_warmup_steps(9) == 2
