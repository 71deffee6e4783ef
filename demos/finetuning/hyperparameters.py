"""The map of recorded runs over learning rate × rank, for each α/r: its best point and what is as good within chance.

One seed a point: Wilson's interval says what its answers leave uncertain. Leaves out which runs there are
(``plan.grid``) and drawing (``charts.hyperparameters``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from demos.finetuning import measured, plan, sweeps
from demos.finetuning.measured import Origin
from demos.finetuning.plan import Point
from demos.finetuning.sweeps import Spot
from demos.params import Checked, parameter

Scale = Literal["0.5", "2", "8"]
SCALES: Mapping[str, str] = {f"{scale:g}": f"{scale:g}".replace(".", ",") for scale in plan.MAP_SCALES}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which layer of the map is shown, and what of."""

    scale: Scale = parameter("2", "Множитель α/r", words=SCALES)
    metric: sweeps.Metric = parameter("exact", "Что сравниваем", words=sweeps.METRICS)


@dataclass(frozen=True, slots=True)
class Cell:
    """A point of the map."""

    scale: float  # α/r
    rank: int
    rate: float
    spot: Spot
    level: bool  # cannot be told from the best of the whole map by its interval; always False where losses are compared


@dataclass(frozen=True, slots=True)
class Result:
    """The whole map; ``scale`` is the layer that was asked for."""

    metric: sweeps.Metric
    scale: float
    cells: tuple[Cell, ...]
    best: Cell | None  # of all layers
    wanted: int
    missing: int
    notice: str
    origin: Origin | None

    @property
    def shown(self) -> tuple[Cell, ...]:
        """The cells of the layer."""
        return tuple(cell for cell in self.cells if cell.scale == self.scale)

    @property
    def rates(self) -> tuple[float, ...]:
        """Columns, from the slowest."""
        return tuple(sorted({cell.rate for cell in self.cells}))

    @property
    def ranks(self) -> tuple[int, ...]:
        """Rows, from the smallest."""
        return tuple(sorted({cell.rank for cell in self.cells}))

    def top(self, cells: tuple[Cell, ...]) -> Cell | None:
        """The best of these cells; the first of equals."""
        known = [cell for cell in cells if cell.spot.value]
        return min(known, key=lambda cell: sweeps.order(cell.spot, self.metric), default=None)


def grid(params: Params) -> Result:
    """Exact match or loss at every point of the map."""
    wanted = plan.grid()
    spots = [(point, sweeps.spot([point], params.metric)) for point in wanted.points]
    known = [spot for _, spot in spots if spot.value]
    best = min(known, key=lambda spot: sweeps.order(spot, params.metric), default=None)
    cells = tuple(_cell(point, spot, best) for point, spot in spots)
    missing = len(plan.missing(wanted))
    return Result(
        metric=params.metric,
        scale=float(params.scale),
        cells=cells,
        best=next((cell for cell in cells if cell.spot is best), None),
        wanted=len(wanted.specs),
        missing=missing,
        notice=sweeps.notice(missing, len(wanted.specs)),
        origin=measured.origin(spec.fingerprint for spec in wanted.specs),
    )


def _cell(point: Point, spot: Spot, best: Spot | None) -> Cell:
    level = bool(
        best and spot.interval and best.interval and spot.interval.high >= best.interval.low and spot is not best
    )
    return Cell(point.spec.alpha / point.spec.rank, point.spec.rank, point.x, spot, level)
