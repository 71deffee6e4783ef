"""A learning rate over the steps, and how many examples a step takes: what Trainer would do with these arguments.

The formulas are those of ``transformers.get_scheduler``; epochs are counted as ``Trainer`` counts them. Torch-free.
Leaves out schedules that look at the loss, and sizes of packed data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from common import numbers
from demos.params import Checked, ParamsError, parameter

Name = Literal["linear", "cosine", "constant", "constant_with_warmup", "inverse_sqrt", "warmup_stable_decay"]
TITLES: Mapping[str, str] = {
    "linear": "линейное",
    "cosine": "косинусное",
    "constant": "постоянное",
    "constant_with_warmup": "разогрев и полка",
    "inverse_sqrt": "обратный корень",
    "warmup_stable_decay": "разогрев, полка, спад",
}
MOST = 300
"""Points of a curve."""
TIMESCALE = 10_000
"""``get_inverse_sqrt_schedule`` without warm-up."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What a trainer is told. Defaults are the lesson's run."""

    schedule: Name = parameter("linear", "Расписание", words=TITLES)
    learning_rate: float = parameter(5e-3, "Скорость обучения", low=1e-7, high=10)
    warmup: float = parameter(0.05, "Доля разогрева", low=0, high=0.9)
    steps: int = parameter(160, "Шагов оптимизатора", low=1, high=100_000)
    batch: int = parameter(16, "Примеров на устройство", low=1, high=1024)
    accumulation: int = parameter(1, "Накопление градиентов", low=1, high=1024)
    devices: int = parameter(1, "Видеокарт", low=1, high=1024)
    examples: int = parameter(1000, "Обучающих примеров", low=1, high=10_000_000)
    decay: float = parameter(0.2, "Доля спада", low=0, high=0.9, note="только для «разогрев, полка, спад»")


@dataclass(frozen=True, slots=True)
class Curve:
    """One schedule: (step from 1, the rate of that step), at most ``MOST`` points."""

    name: Name
    title: str
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The chosen schedule beside the others, and what a step and an epoch are."""

    name: Name
    curves: tuple[Curve, ...]
    peak: float
    last: float  # the rate of the last step
    mean: float  # over all steps
    warmup_steps: int
    decay_steps: int
    steps: int
    batch: int
    accumulation: int
    devices: int
    effective: int  # examples of one step of the optimizer
    passes: int  # forward and backward passes of each device
    examples: int
    steps_per_epoch: int
    epochs: float
    seen: int  # examples, repetitions counted

    @property
    def chosen(self) -> Curve:
        """The curve that was asked for."""
        return next(curve for curve in self.curves if curve.name == self.name)


def schedule(params: Params) -> Result:
    """Rates of every schedule at these steps; the sizes of a step and of an epoch.

    Raises:
        ParamsError: warm-up and decay together are longer than the run.
    """
    warmup, decay = _steps(params.warmup, params.steps), _steps(params.decay, params.steps)
    if params.schedule == "warmup_stable_decay" and warmup + decay > params.steps:
        raise ParamsError(
            f"Разогрев ({numbers.integer(warmup)}) и спад ({numbers.integer(decay)}) вместе длиннее обучения: "
            f"в нём {numbers.plural(params.steps, 'шаг', 'шага', 'шагов')}. Уменьшите одну из долей."
        )
    effective = params.batch * params.accumulation * params.devices
    per_epoch = steps_per_epoch(params)
    rate = _rates(params, warmup, decay)
    whole = [params.learning_rate * rate[params.schedule](step) for step in range(params.steps)]
    places = _places(params.steps, warmup, decay)
    return Result(
        name=params.schedule,
        curves=tuple(
            Curve(name, TITLES[name], tuple((place + 1, params.learning_rate * part(place)) for place in places))
            for name, part in rate.items()
        ),
        peak=max(whole),
        last=whole[-1],
        mean=math.fsum(whole) / len(whole),
        warmup_steps=0 if params.schedule == "constant" else warmup,
        decay_steps=decay,
        steps=params.steps,
        batch=params.batch,
        accumulation=params.accumulation,
        devices=params.devices,
        effective=effective,
        passes=params.steps * params.accumulation,
        examples=params.examples,
        steps_per_epoch=per_epoch,
        epochs=params.steps / per_epoch,
        seen=params.steps // per_epoch * params.examples + min(params.examples, params.steps % per_epoch * effective),
    )


def steps_per_epoch(params: Params) -> int:
    """Steps of the optimizer in one pass over the data; the last of them may be smaller."""
    batches = math.ceil(params.examples / (params.batch * params.devices))
    return max(1, math.ceil(batches / params.accumulation))


def _steps(share: float, steps: int) -> int:
    """``TrainingArguments.get_warmup_steps`` for a share."""
    return math.ceil(steps * share)


def _places(steps: int, warmup: int, decay: int) -> list[int]:
    """Steps from 0 to draw: evenly, with the ends and the corners."""
    even = {round(turn * (steps - 1) / (MOST - 6)) for turn in range(MOST - 5)} if steps > MOST else set(range(steps))
    corners = {0, 1, warmup, steps - decay - 1, steps - 1}
    return sorted(even | {place for place in corners if 0 <= place < steps})


def _rates(params: Params, warmup: int, decay: int) -> dict[Name, Callable[[int], float]]:
    """Of every schedule the share of the peak at a step from 0."""
    left = max(1, params.steps - warmup)

    def warmed(after: Callable[[int], float]) -> Callable[[int], float]:
        return lambda step: step / max(1, warmup) if step < warmup else after(step)

    scale = warmup or TIMESCALE
    return {
        "linear": warmed(lambda step: (params.steps - step) / left),
        "cosine": warmed(lambda step: 0.5 * (1 + math.cos(math.pi * (step - warmup) / left))),
        "constant": lambda _: 1.0,
        "constant_with_warmup": warmed(lambda _: 1.0),
        "inverse_sqrt": warmed(lambda step: 1 / math.sqrt((step + scale - warmup) / scale)),
        "warmup_stable_decay": warmed(lambda step: _falling(step - (params.steps - decay), decay)),
    }


def _falling(step: int, decay: int) -> float:
    """A shelf of one until step 0, then half a cosine down to zero."""
    return 1.0 if step < 0 else 0.5 * (1 + math.cos(math.pi * step / max(1, decay)))


def code(params: Params) -> str:
    """The same rates by transformers: a list, one rate a step."""
    more = ""
    if params.schedule == "warmup_stable_decay":
        more = f', scheduler_specific_kwargs={{"num_decay_steps": {_steps(params.decay, params.steps)}}}'
    warmup = _steps(params.warmup, params.steps)
    return f"""import torch
from transformers import get_scheduler

STEPS = {params.steps}
optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr={params.learning_rate!r})
scheduler = get_scheduler("{params.schedule}", optimizer, {warmup}, STEPS{more})
rates = []
for _ in range(STEPS):
    rates.append(scheduler.get_last_lr()[0])  # скорость этого шага
    optimizer.step()
    scheduler.step()

batch, accumulation, devices = {params.batch}, {params.accumulation}, {params.devices}
effective = batch * accumulation * devices  # примеров на один шаг оптимизатора
"""
