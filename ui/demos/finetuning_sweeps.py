"""Figures of recorded runs: learning rates, three curves, ranks, alphas; a point opens as one's own run.

Reads files only, so it happens right here (``demos.finetuning.sweeps``). Leaves out the drawing (``charts.sweeps``)
and figures that ask a question (``finetuning_studies``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from charts import origin, sweep_words, sweeps
from charts.chart import Chart
from charts.drawing import Cell, Drawing, Table
from demos.finetuning import measured
from demos.finetuning.sweeps import Cost, Result, Series
from demos.params import Field
from ui.demos import form
from ui.demos.frame import Look
from ui.demos.repeat import Place, repeat


@dataclass(frozen=True, slots=True)
class _Look:
    title: str
    chart: Callable[[Result], Chart]
    point: Callable[[float], str]  # what a point is called beside its line
    note: str
    costs: bool = False


def _rate(x: float) -> str:
    return f"скорость {sweep_words.rate(x)}"


_LOOKS: Mapping[str, _Look] = {
    "finetuning.rates": _Look(
        "Скорость обучения: у каждого метода своя",
        sweeps.rates,
        _rate,
        "Отрезок — интервал Уилсона, зерно одно. На чужой скорости метод проигрывает не потому, что он хуже.",
    ),
    "finetuning.curves": _Look(
        "Три кривые: полное, LoRA и QLoRA",
        sweeps.curves,
        lambda _: "лучшая скорость",
        "Полоса — от худшего зерна до лучшего.",
        costs=True,
    ),
    "finetuning.ranks": _Look(
        "Какой ранг нужен задаче",
        sweeps.ranks,
        lambda x: f"r = {x:.0f}",
        "Отрезок — от худшего зерна до лучшего, кружки — сами зёрна. Скорость обучения и α/r у всех рангов одни. "
        "Дальше ранги не идут: адаптер перестал бы быть маленьким, больше 15 % своего слоя.",
    ),
    "finetuning.alphas": _Look(
        "Что делает альфа",
        sweeps.alphas,
        lambda x: f"α/r = {sweep_words.scale(x)}",
        "Отрезок — от худшего зерна до лучшего, кружки — сами зёрна. Скорость обучения у всех точек одна.",
    ),
}


def _controls(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    return {item.name: form.choice(item, key, locked=item.name in locked) for item in fields.values()}


def _fixed(_fields: Mapping[str, Field], _locked: frozenset[str], _key: str) -> dict[str, Any]:
    """The three curves are of losses: nothing to choose."""
    return {}


def _draw(look: _Look, result: Result) -> Drawing:
    shown = result.missing < result.wanted
    return Drawing(
        charts=(look.chart(result),) if shown else (),
        tables=(_costs(result),) if shown and look.costs else (),
        notes=(look.note, *origin.said(result.origin)) if shown else (),
        warnings=(result.notice,) if result.notice else (),
    )


def _costs(result: Result) -> Table:
    head = ("метод", "верных, %", "от", "до", "обучается", "Adam, МБ", "память, МБ", "время, с", "файл, КБ")
    rows = tuple(_row(series, series.cost) for series in result.series if series.cost)
    note = "«От» и «до» — интервал Уилсона для всех ответов вместе. Память — всего процесса."
    return Table("Чего это стоило", head, rows, note, folded=False)


def _row(series: Series, cost: Cost) -> tuple[Cell, ...]:
    spot = series.spots[0]
    interval = spot.interval
    return (
        series.title,
        round(100 * spot.value.mean, 1) if spot.value else None,
        round(100 * interval.low, 1) if interval else None,
        round(100 * interval.high, 1) if interval else None,
        cost.trainable,
        round(cost.optimizer / 1e6, 1),
        round(cost.memory.mean / 1e6),
        round(cost.seconds.mean),
        round(cost.file / 1e3),
    )


def _repeat(look: _Look, _params: object, result: Result, key: str) -> None:
    spots = [(series, spot) for series in result.series for spot in series.spots]
    repeat(
        [
            Place(f"{series.title}, {look.point(spot.x)}", sweep_words.value(spot, result), spot.spec)
            for series, spot in spots
        ],
        key,
    )


LOOKS: Mapping[str, Look] = {
    name: Look(
        title=each.title,
        group="Записанные запуски",
        summary=each.note,
        draw=partial(_draw, each),
        controls=_fixed if name == "finetuning.curves" else _controls,
        below=partial(_repeat, each),
        stamp=measured.stamp,
    )
    for name, each in _LOOKS.items()
}
