"""One method of the race by name: what it reached, how sure we may be, what it cost. Lessons quote it as facts.

The same recordings and the same choice of a learning rate as ``finetuning.methods``, whose order changes when runs are
recorded. Leaves out comparing (``race``).
"""

from __future__ import annotations

from dataclasses import dataclass

from demos.finetuning import sweeps
from demos.params import Checked, ParamsError, parameter


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which method."""

    method: str = parameter("lora", "Метод", choices=tuple(sweeps.NAMES))


@dataclass(frozen=True, slots=True)
class Result:
    """``share`` of ``of`` held-out answers, exact; ``low`` and ``high`` are Wilson's 95 % interval."""

    title: str
    rate: float  # the better learning rate
    seeds: int
    right: int
    of: int
    share: float
    low: float
    high: float
    trainable: int
    file: int  # bytes


def one_method(params: Params) -> Result:
    """Look it up.

    Raises:
        ParamsError: it is not recorded, or it diverged.
    """
    found = next(each for each in sweeps.methods(sweeps.Params()).series if each.name == params.method)
    spot, cost = found.spots[0], found.cost
    if spot.value is None or spot.interval is None or cost is None:
        raise ParamsError(f"Запуск метода «{found.title}» не записан до конца.")
    sure = spot.interval
    return Result(
        title=found.title,
        rate=spot.x,
        seeds=spot.recorded,
        right=sure.right,
        of=sure.of,
        share=sure.right / sure.of,
        low=sure.low,
        high=sure.high,
        trainable=cost.trainable,
        file=cost.file,
    )
