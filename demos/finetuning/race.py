"""Every recorded method at its better learning rate: what it costs against what it reaches.

Leaves out which runs there are (``plan.methods``) and drawing (``charts.race``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from demos.finetuning import step_cost, sweeps
from demos.finetuning.step_cost import Steps
from demos.finetuning.sweeps import Cost, Series
from demos.params import Checked, parameter

Price = Literal["trainable", "file", "memory", "seconds"]
PRICES: Mapping[str, str] = {
    "trainable": "обучаемые параметры",
    "file": "размер файла",
    "memory": "память процесса",
    "seconds": "время шага",
}
OF: Mapping[str, Callable[[Cost], float]] = {
    "trainable": lambda cost: cost.trainable,
    "file": lambda cost: cost.file,
    "memory": lambda cost: cost.memory.mean,
}
"""Seconds are no part of a recording's costs here: they are measured apart, for the machine was not always quiet."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What is compared, and against which price."""

    price: Price = parameter("trainable", "Цена", words=PRICES)
    metric: sweeps.Metric = parameter("exact", "Что сравниваем", words=sweeps.METRICS)


@dataclass(frozen=True, slots=True)
class Runner:
    """A method that ran. ``front``: none is both cheaper and better. ``level``: chance cannot tell it from the best."""

    series: Series
    price: float
    front: bool
    level: bool


@dataclass(frozen=True, slots=True)
class Result:
    """The best first; ``others`` are not recorded, diverged, or have no such price."""

    price: Price
    race: sweeps.Result
    runners: tuple[Runner, ...]
    others: tuple[Series, ...]
    steps: Steps | None  # seconds of the processor for a step, by method


def race(params: Params) -> Result:
    """Every method with its price."""
    found = sweeps.methods(sweeps.Params(metric=params.metric))
    measured = step_cost.steps()
    ran = [(one, price) for one in found.series if (price := _price(one, params.price, measured)) is not None]
    return Result(
        price=params.price,
        race=found,
        runners=tuple(
            Runner(one, price, front=_front(one, price, ran, params), level=_level(one, ran[0][0]))
            for one, price in ran
        ),
        others=tuple(one for one in found.series if one not in [each for each, _ in ran]),
        steps=measured,
    )


def _price(series: Series, price: Price, measured: Steps | None) -> float | None:
    """What a method costs; None when it did not run to its end, or its steps are not measured."""
    if series.cost is None or series.spots[0].value is None:
        return None
    if price == "seconds":
        return measured.seconds.get(series.name) if measured else None
    return OF[price](series.cost)


def _front(series: Series, price: float, all_of: list[tuple[Series, float]], params: Params) -> bool:
    """Whether nobody is at least as good at no higher a price, and better in one of the two."""
    own = sweeps.order(series.spots[0], params.metric), price
    others = [(sweeps.order(other.spots[0], params.metric), cost) for other, cost in all_of if other is not series]
    return not any(one[0] <= own[0] and one[1] <= own[1] and one != own for one in others)


def _level(series: Series, best: Series) -> bool:
    one, top = series.spots[0].interval, best.spots[0].interval
    return bool(one and top and one.high >= top.low)
