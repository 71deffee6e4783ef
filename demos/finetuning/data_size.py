"""A learning curve over the number of training examples, and clean sets beside dirty ones: recorded runs.

Every run takes as many steps, so a small set is repeated and nothing but the data differs. At each size there are two
draws of sentences; at each share of dirt two seeds. Leaves out which runs there are (``plan``) and drawing
(``charts.data_size``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from demos.finetuning import measured, plan, schedule, sweeps
from demos.finetuning.measured import Origin
from demos.finetuning.plan import Wanted
from demos.finetuning.spec import RunSpec
from demos.finetuning.sweeps import Spot
from demos.params import Checked, parameter

Kind = Literal["clean", "contradictory", "misformatted", "balanced", "skewed"]
KINDS: Mapping[str, str] = {
    "clean": "чистые",
    "contradictory": "противоречия",
    "misformatted": "сломанный формат",
    "balanced": "классы поровну",
    "skewed": "перекос классов",
}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What is compared."""

    metric: sweeps.Metric = parameter("exact", "Что сравниваем", words=sweeps.METRICS)


@dataclass(frozen=True, slots=True)
class Bar:
    """One kind of data: ``share`` of its answers is spoilt."""

    kind: str
    title: str
    share: float
    spot: Spot


@dataclass(frozen=True, slots=True)
class Result:
    """The curve and the bars. ``each_step``: examples of one step; ``steps``: the same for every size.

    ``repeats``: passes over the smallest set; ``seen``: examples of the largest that its run comes to see.
    """

    metric: sweeps.Metric
    sizes: tuple[Spot, ...]
    bars: tuple[Bar, ...]
    steps: int
    each_step: int
    repeats: float
    seen: int
    wanted: int
    missing: int
    notice: str
    origin: Origin | None


def data_size(params: Params) -> Result:
    """Exact match or loss over the number of examples and over their quality."""
    sizes, dirty = plan.data_size(), plan.dirty()
    wanted = {spec.fingerprint: spec for each in (sizes, dirty) for spec in each.specs}
    missing = len(plan.missing(sizes)) + len(plan.missing(dirty))
    first = sizes.points[0].spec
    least, most = (_passes(first, size) for size in (plan.SIZES[0], plan.SIZES[-1]))
    return Result(
        metric=params.metric,
        sizes=tuple(spot for _, spot in _spots(sizes, params.metric)),
        bars=tuple(Bar(kind, KINDS[kind], spot.x, spot) for kind, spot in _spots(dirty, params.metric)),
        steps=first.steps,
        each_step=first.batch * first.accumulation,
        repeats=least.epochs,
        seen=min(most.seen, plan.SIZES[-1]),
        wanted=len(wanted),
        missing=missing,
        notice=sweeps.notice(missing, len(wanted)),
        origin=measured.origin(wanted),
    )


def _passes(spec: RunSpec, examples: int) -> schedule.Result:
    return schedule.schedule(
        schedule.Params(steps=spec.steps, batch=spec.batch, accumulation=spec.accumulation, examples=examples)
    )


def _spots(wanted: Wanted, metric: sweeps.Metric) -> list[tuple[str, Spot]]:
    places = dict.fromkeys((point.series, point.x) for point in wanted.points)
    return [
        (series, sweeps.spot([one for one in wanted.points if (one.series, one.x) == (series, x)], metric))
        for series, x in places
    ]
