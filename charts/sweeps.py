"""Charts of recorded runs: learning rates, ranks and alphas as lines with the seeds' spread, three curves, all methods.

The title is what the numbers say; where points are missing it says that instead of pretending. Leaves out the numbers
(``demos.finetuning.sweeps``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from charts import sweep_words as words
from charts import theme
from charts.chart import Chart
from common import numbers, palette
from demos.finetuning.sweeps import Result, Series

COLOURS = {
    "full": palette.ROLES["full"],
    "lora": palette.ROLES["lora"],
    "qlora": palette.ROLES["qlora"],
    "habit": palette.ORANGE,
    "reference": palette.PURPLE,
}
SYMBOLS = ("circle", "square", "diamond")
DASHES = ("solid", "dash", "dot")
AXIS = {"exact": "точных ответов, %", "loss": "потери, нат на токен"}
LOSSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
Label = Callable[[float], str]


def rates(result: Result) -> Chart:
    """Over the learning rate, on a logarithmic axis."""
    chart = _lines(result, words.rates_finding(result), "скорость обучения (шкала ×10)", words.rate)
    decades = [10.0**power for power in range(-6, 2)]  # every rate as a tick would not fit a phone
    chart.figure.update_xaxes(tickvals=decades, ticktext=[words.rate(decade) for decade in decades])
    return chart


def ranks(result: Result) -> Chart:
    """Over the rank: two tasks."""
    return _lines(result, words.ranks_finding(result), "ранг r", lambda x: f"r = {x:.0f}", ticks=lambda x: f"{x:.0f}")


def alphas(result: Result) -> Chart:
    """Over α/r."""
    return _lines(
        result, words.alphas_finding(result), "множитель α/r", lambda x: f"α/r = {words.scale(x)}", ticks=words.scale
    )


def curves(result: Result) -> Chart:
    """Validation loss over the steps: the mean of the seeds in a band from the lowest to the highest."""
    finding = words.curves_finding(result)
    figure = theme.figure(finding, x="шаг", y="потери, нат на токен", height=430)
    shown = [series for series in result.series if series.losses]
    for series, dash in zip(shown, DASHES, strict=False):
        _band(figure, series, dash)
    figure.update_yaxes(type="log", tickvals=LOSSES)  # on a linear axis the ends would lie on each other
    figure.update_xaxes(rangemode="tozero")
    figure.update_layout(showlegend=bool(shown))
    said = "; ".join(f"{series.title}: {words.from_to(series)}" for series in shown)
    return _chart(figure, finding, said, result)


def methods(result: Result) -> Chart:
    """A bar for each recorded method, at its better learning rate, with Wilson's interval."""
    finding = words.methods_finding(result)
    shown = [series for series in result.series if series.spots[0].value]
    figure = theme.figure(finding, x=AXIS[result.metric], height=150 + 40 * max(1, len(shown)))
    scale = 100 if result.metric == "exact" else 1
    values = [scale * spot.value.mean for series in shown for spot in series.spots if spot.value]
    bounds = [words.bounds(series.spots[0]) for series in shown]
    figure.add_bar(
        x=values,
        y=[series.title for series in shown],
        orientation="h",
        marker={"color": [COLOURS.get(series.name, palette.SKY) for series in shown]},
        error_x=errors([(scale * low, scale * high) for low, high in bounds], values),
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[_method(series, result) for series in shown],
    )
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_xaxes(range=[0, 104] if result.metric == "exact" else [0, 1.15 * max([0.0, *values]) or 1])
    return _chart(figure, finding, "; ".join(_method(series, result) for series in shown), result)


def _lines(result: Result, finding: str, x: str, label: Label, ticks: Label | None = None) -> Chart:
    figure = theme.figure(finding, x=x, y=AXIS[result.metric], height=380)
    places = sorted({spot.x for spot in result.spots})
    for series, symbol, dash in zip(result.series, SYMBOLS, DASHES, strict=False):
        _line(figure, series, result, label, (symbol, dash))
    if places:
        figure.update_xaxes(type="log", tickvals=places, ticktext=[(ticks or label)(place) for place in places])
        figure.update_xaxes(range=[math.log10(places[0]) - 0.15, math.log10(places[-1]) + 0.15])
    figure.update_yaxes(range=[-3, 104] if result.metric == "exact" else None, rangemode="tozero")
    figure.update_layout(showlegend=len(result.series) > 1)
    said = "; ".join(
        f"{series.title}: " + ", ".join(f"{label(spot.x)} — {words.value(spot, result)}" for spot in series.spots)
        for series in result.series
        if any(spot.recorded for spot in series.spots)
    )
    return _chart(figure, finding, said, result)


def _line(figure: Any, series: Series, result: Result, label: Label, look: tuple[str, str]) -> None:
    """The means joined, bars from the lowest seed to the highest (one seed: its interval), every seed a faint dot."""
    scale, colour = (100 if result.metric == "exact" else 1), COLOURS[series.name]
    shown = [(spot, spot.value) for spot in series.spots if spot.value]
    means = [scale * value.mean for _, value in shown]
    figure.add_scatter(
        x=[spot.x for spot, _ in shown],
        y=means,
        name=series.title,
        mode="lines+markers",
        line={"color": colour, "width": 2.5, "dash": look[1]},
        marker={"size": 10, "color": colour, "symbol": look[0]},
        error_y=errors([(scale * low, scale * high) for low, high in (words.reach(spot) for spot, _ in shown)], means),
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"{series.title}, {label(spot.x)}: {words.value(spot, result)}" for spot, _ in shown],
    )
    figure.add_scatter(
        x=[spot.x for spot, value in shown for _ in value.each],
        y=[scale * one for _, value in shown for one in value.each],
        mode="markers",
        marker={"size": 6, "color": colour, "symbol": "circle-open"},
        opacity=0.6,
        hoverinfo="skip",
        showlegend=False,
    )


def _band(figure: Any, series: Series, dash: str) -> None:
    colour, steps = COLOURS[series.name], [step for step, _ in series.losses]
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    figure.add_scatter(
        x=[*steps, *reversed(steps)],
        y=[*(loss.high for _, loss in series.losses), *(loss.low for _, loss in reversed(series.losses))],
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.18)",
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        x=steps,
        y=[loss.mean for _, loss in series.losses],
        name=series.title,
        mode="lines+markers",
        line={"color": colour, "width": 2.5, "dash": dash},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"{series.title}: шаг {step}, {words.spread(loss, 'loss')}" for step, loss in series.losses],
    )


def errors(bounds: Sequence[tuple[float, float]], values: Sequence[float]) -> dict[str, Any]:
    """Bars from each low to each high around the values, for ``error_x`` and ``error_y``."""
    return theme.whiskers(bounds, values, color=palette.GREY, thickness=2, width=6)


def _chart(figure: Any, finding: str, points: str, result: Result) -> Chart:
    said = [finding, *([points] if points else []), *([result.notice.rstrip(".")] if result.notice else [])]
    return Chart(figure, f"{'. '.join(said)}.")


def _method(series: Series, result: Result) -> str:
    spot = series.spots[0]
    at = f"{series.title} при скорости {words.rate(spot.x)}: {words.value(spot, result)}"
    if series.cost is None:
        return at
    return f"{at}; обучается {numbers.plural(series.cost.trainable, 'параметр', 'параметра', 'параметров')}"
