"""Every recorded method at its better learning rate: what it costs against what it reaches.

Leaves out which runs there are (``plan.methods``) and drawing (``charts.race``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from demos.finetuning import sweeps
from demos.finetuning.sweeps import Cost, Series
from demos.params import Checked, parameter

Price = Literal["trainable", "file", "memory", "seconds"]
PRICES: Mapping[Price, str] = {
    "trainable": "обучаемые параметры",
    "file": "размер файла",
    "memory": "память процесса",
    "seconds": "время обучения",
}
OF: Mapping[Price, Callable[[Cost], float]] = {
    "trainable": lambda cost: cost.trainable,
    "file": lambda cost: cost.file,
    "memory": lambda cost: cost.memory.mean,
    "seconds": lambda cost: cost.seconds.mean,
}


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
    """The best first; ``others`` are not recorded or diverged."""

    price: Price
    race: sweeps.Result
    runners: tuple[Runner, ...]
    others: tuple[Series, ...]


def race(params: Params) -> Result:
    """Every method with its price."""
    found = sweeps.methods(sweeps.Params(metric=params.metric))
    ran = [series for series in found.series if series.cost and series.spots[0].value]
    priced = [(series, OF[params.price](series.cost)) for series in ran if series.cost]
    return Result(
        price=params.price,
        race=found,
        runners=tuple(
            Runner(series, price, front=_front(series, price, priced, params), level=_level(series, ran[0]))
            for series, price in priced
        ),
        others=tuple(series for series in found.series if series not in ran),
    )


def _front(series: Series, price: float, all_of: list[tuple[Series, float]], params: Params) -> bool:
    """Whether nobody is at least as good at no higher a price, and better in one of the two."""
    own = sweeps.order(series.spots[0], params.metric), price
    others = [(sweeps.order(other.spots[0], params.metric), cost) for other, cost in all_of if other is not series]
    return not any(one[0] <= own[0] and one[1] <= own[1] and one != own for one in others)


def _level(series: Series, best: Series) -> bool:
    one, top = series.spots[0].interval, best.spots[0].interval
    return bool(one and top and one.high >= top.low)
