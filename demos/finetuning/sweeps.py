"""Recorded runs put into figures: learning rates, three curves, ranks, alphas, methods. Nothing is computed anew.

Each point is the mean over its seeds with the lowest and the highest of them, and Wilson's interval for as many
held-out questions as one run answers (all seeds answer the same). Leaves out what is recorded (``plan``) and drawing
(``charts``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from common import numbers
from demos.finetuning import measured, plan
from demos.finetuning.events import Score
from demos.finetuning.measured import Origin
from demos.finetuning.plan import Point, Wanted
from demos.finetuning.spec import METHODS, RunSpec
from demos.finetuning.statistics import wilson
from demos.finetuning.story import Story
from demos.finetuning.tasks import TASKS
from demos.params import Checked, parameter

Metric = Literal["exact", "loss"]
METRICS: Mapping[str, str] = {"exact": "точные ответы", "loss": "потери на проверке"}
TITLES: Mapping[str, str] = {"full": METHODS["full"], "lora": "LoRA", "qlora": "QLoRA"}
NAMES: Mapping[str, str] = {**METHODS, **TITLES}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What is compared."""

    metric: Metric = parameter("exact", "Что сравниваем", words=METRICS)


@dataclass(frozen=True, slots=True)
class Mean:
    """Something measured over several seeds."""

    mean: float
    low: float  # the lowest of the seeds
    high: float  # the highest
    each: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """A point of a figure."""

    x: float
    spec: RunSpec  # of the first seed: what a learner repeats
    wanted: int  # seeds
    recorded: int
    diverged: int  # of the recorded
    value: Mean | None  # a share of exact answers, or nats per token; None when no seed came to an end
    interval: Score | None  # of the mean share; None where losses are compared


@dataclass(frozen=True, slots=True)
class Cost:
    """What a method takes, over its seeds. Bytes."""

    trainable: int
    total: int
    optimizer: int
    memory: Mean
    seconds: Mean
    file: int


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a figure. ``losses``: validation loss at each step that every seed has."""

    name: str
    title: str
    spots: tuple[Spot, ...]
    losses: tuple[tuple[int, Mean], ...] = ()
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A figure. ``notice`` says what is missing, empty when nothing is."""

    metric: Metric
    series: tuple[Series, ...]
    wanted: int
    missing: int
    notice: str
    origin: Origin | None

    @property
    def spots(self) -> tuple[Spot, ...]:
        """The points of all lines."""
        return tuple(spot for series in self.series for spot in series.spots)


def rates(params: Params) -> Result:
    """Exact match or loss over the learning rate, a line for each of the three methods."""
    return _drawn(plan.rates(), params, TITLES)


def curves(params: Params) -> Result:
    """Full tuning, LoRA and QLoRA with several seeds: losses on the way, the result, the price."""
    return _drawn(plan.curves(measured.recorded), params, TITLES, whole=True)


def ranks(params: Params) -> Result:
    """The result over the rank: a task that needs one direction beside one that needs many."""
    titles = {name: TASKS[name].title for name in plan.RANK_TASKS}
    return _drawn(plan.ranks(measured.recorded), params, titles)


def alphas(params: Params) -> Result:
    """The result over α/r."""
    return _drawn(plan.alphas(measured.recorded), params, TITLES)


def methods(params: Params) -> Result:
    """Every method at the better of its learning rates, the best result first; those not recorded come last."""
    found = _drawn(plan.methods(measured.recorded), params, NAMES, whole=True, best=True)
    ranked = sorted(found.series, key=lambda series: order(series.spots[0], params.metric))
    unknown = [series.title for series in ranked if not series.spots[0].recorded]
    names = f" Нет записей: {', '.join(unknown)}." if unknown and len(unknown) < len(ranked) else ""
    return dataclasses.replace(found, series=tuple(ranked), notice=found.notice + names)


def _drawn(
    wanted: Wanted, params: Params, titles: Mapping[str, str], *, whole: bool = False, best: bool = False
) -> Result:
    """``whole``: with losses and costs. ``best``: of each line only its best point."""
    series = []
    for name in dict.fromkeys(point.series for point in wanted.points):
        own = [point for point in wanted.points if point.series == name]
        spots = [spot([point for point in own if point.x == x], params.metric) for x in dict.fromkeys(p.x for p in own)]
        if best:
            spots = [min(spots, key=lambda spot: order(spot, params.metric))]
            own = [point for point in own if point.x == spots[0].x]
        told = _told(own)
        series.append(
            Series(
                name,
                titles[name],
                tuple(spots),
                losses=_losses(told) if whole else (),
                cost=_cost(told) if whole else None,
            )
        )
    missing = len(plan.missing(wanted))
    many = len(wanted.specs)
    made = measured.origin(spec.fingerprint for spec in wanted.specs)
    return Result(params.metric, tuple(series), many, missing, notice(missing, many), made)


def spot(points: Sequence[Point], metric: Metric) -> Spot:
    """The recorded runs of these points, which differ in nothing but the seed, as one."""
    found = [one for point in points if (one := measured.recorded(point.spec.fingerprint))]
    ends = [one.story.finished for one in found if one.story.finished]
    value, interval = None, None
    if ends and metric == "exact":
        of = min(end.after.of for end in ends)
        value = _mean(end.after.right / end.after.of for end in ends)
        interval = wilson(round(value.mean * of), of)
    elif ends:
        value = _mean(end.validation_after for end in ends)
    return Spot(points[0].x, points[0].spec, len(points), len(found), len(found) - len(ends), value, interval)


def _told(points: Sequence[Point]) -> list[Story]:
    found = [measured.recorded(point.spec.fingerprint) for point in points]
    return [one.story for one in found if one and one.story.finished]


def _losses(told: Sequence[Story]) -> tuple[tuple[int, Mean], ...]:
    if not told:
        return ()
    each = [{point.step: point.loss for point in story.evaluated} for story in told]
    steps = sorted(set.intersection(*(set(losses) for losses in each)))
    return tuple((step, _mean(losses[step] for losses in each)) for step in steps)


def _cost(told: Sequence[Story]) -> Cost | None:
    both = [(story.started, story.finished) for story in told if story.started and story.finished]
    if not both:
        return None
    first, end = both[0]
    return Cost(
        trainable=first.trainable,
        total=first.total,
        optimizer=first.optimizer_bytes,
        memory=_mean(end.peak_memory for _, end in both),
        seconds=_mean(end.train_seconds for _, end in both),
        file=end.file_bytes,
    )


def _mean(values: Iterable[float]) -> Mean:
    each = tuple(values)
    return Mean(fmean(each), min(each), max(each), each)


def order(spot: Spot, metric: Metric) -> float:
    """Smaller is better; what is not known comes last."""
    if spot.value is None:
        return float("inf")
    return -spot.value.mean if metric == "exact" else spot.value.mean


def notice(missing: int, wanted: int) -> str:
    """What is not recorded, in Russian; empty when nothing is missing."""
    if not missing:
        return ""
    if missing == wanted:
        return (
            "Записей этих запусков пока нет. Любую точку можно получить самому: выберите её и нажмите "
            "«Повторить эту точку»."
        )
    many = numbers.plural(missing, "запуска", "запусков", "запусков")
    return f"Не хватает {many} из {wanted}: точки без записи не нарисованы, вывод может измениться."
