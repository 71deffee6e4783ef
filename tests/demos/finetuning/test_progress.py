"""What is noticed while training: divergence, plateau, overfitting, patience; and how often steps are told."""

import math

import pytest

from demos.finetuning.channel import Cancelled, Channel
from demos.finetuning.events import Alarm, Event, Step
from demos.finetuning.progress import Progress
from demos.finetuning.spec import RunSpec


def _events(channel: Channel) -> list[Event]:
    found = []
    while not channel.events.empty():
        event = channel.events.get()
        assert event is not None
        found.append(event)
    return found


def _train(
    spec: RunSpec, losses: list[float], validation: dict[int, float] | None = None
) -> tuple[Progress, list[Event]]:
    channel = Channel()
    progress = Progress(spec, channel)
    if validation and 0 in validation:
        progress.evaluated(0, validation[0])
    for step, loss in enumerate(losses, start=1):
        progress.logged(step, {"loss": loss, "grad_norm": 1.0, "learning_rate": 0.001, "num_tokens": 100 * step})
        if validation and step in validation:
            progress.evaluated(step, validation[step])
        if progress.stop:
            break
    return progress, _events(channel)


def _codes(events: list[Event]) -> list[str]:
    return [event.code for event in events if isinstance(event, Alarm)]


def test_a_loss_that_is_no_number_ends_the_run() -> None:
    progress, events = _train(RunSpec(steps=40), [3.0, 2.5, math.nan])
    assert progress.diverged
    alarm = next(event for event in events if isinstance(event, Alarm))
    assert alarm.fatal
    assert "перестали быть числом" in alarm.text


def test_a_loss_that_rises_far_above_the_start_ends_the_run() -> None:
    progress, events = _train(RunSpec(steps=100), [2.0] * 5 + [6.0] * 20)
    assert progress.diverged
    assert progress.step < 15
    assert "выросли с 2,00 до 6,00" in next(event.text for event in events if isinstance(event, Alarm))


def test_one_bad_batch_is_no_divergence() -> None:
    progress, events = _train(RunSpec(steps=40), [2.0] * 6 + [1.0] * 10 + [9.0] + [0.5] * 10)
    assert not progress.diverged
    assert _codes(events) == []


def test_a_plateau_is_said_once() -> None:
    _, events = _train(RunSpec(steps=100), [2.0] * 90)
    assert _codes(events) == ["plateau"]


def test_a_loss_that_is_as_good_as_zero_is_no_plateau() -> None:
    _, events = _train(RunSpec(steps=100), [2.0 / step**2 for step in range(1, 20)] + [0.003] * 71)
    assert _codes(events) == []


def test_overfitting_is_said() -> None:
    falling = [2.0 / step for step in range(1, 61)]
    spec = RunSpec(steps=100, evaluate_every=10)
    _, events = _train(spec, falling, {0: 2.0, 10: 1.0, 20: 0.9, 30: 1.1, 40: 1.3, 50: 1.6})
    assert _codes(events) == ["overfitting"]


def test_patience_stops_before_the_end() -> None:
    spec = RunSpec(steps=100, evaluate_every=10, patience=2)
    progress, events = _train(spec, [2.0 - step / 100 for step in range(60)], {0: 2.0, 10: 1.0, 20: 1.01, 30: 1.02})
    assert progress.stopped_early
    assert progress.step == 30
    assert _codes(events) == ["early_stop"]


def test_steps_are_told_four_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10**6))
    monkeypatch.setattr("demos.finetuning.progress.time.monotonic", lambda: next(clock) / 100)  # 10 ms a call
    _, events = _train(RunSpec(steps=200), [1 / step for step in range(1, 201)])
    steps = [event for event in events if isinstance(event, Step)]
    assert steps[0].step == 1
    assert steps[-1].step == 200
    assert steps[-1].seconds_left == 0
    assert 7 <= len(steps) <= 10  # two seconds
    assert steps[3].tokens_per_second == pytest.approx(10_000, rel=0.05)


def test_nobody_reads_any_more() -> None:
    channel = Channel()
    channel.cancelled.set()
    with pytest.raises(Cancelled):
        Progress(RunSpec(), channel).evaluated(0, 1.0)
