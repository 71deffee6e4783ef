"""The map of learning rate × rank for one α/r: a heat-map, its best point framed, what is as good marked.

Leaves out the numbers (``demos.finetuning.hyperparameters``).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from charts import origin, theme
from charts import sweep_words as words
from charts.chart import Chart
from charts.drawing import Cell as Value
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.finetuning.hyperparameters import Cell, Result

SCALES = {"exact": [[0, "#F7FBFF"], [0.5, "#9ECAE1"], [1, "#0B559F"]], "loss": [[0, "#0B559F"], [1, "#F7FBFF"]]}
"""From light to dark: dark is better in both."""
NOTE = (
    "Одна клетка — один настоящий запуск: LoRA на всех линейных слоях, 160 шагов, зерно одно. Рамка — лучшая клетка "
    "слоя, точка — от лучшей на всей карте её не отличить: интервалы Уилсона перекрываются."
)


def drawn(result: Result) -> Drawing:
    """The map, the best rate for each α/r, every point as a table."""
    if result.best is None:
        return Drawing(warnings=(result.notice,))
    return Drawing(
        charts=(layer(result), ridge(result)),
        numbers=_numbers(result),
        tables=(_table(result),),
        notes=(NOTE, *origin.said(result.origin)),
        warnings=(result.notice,) if result.notice else (),
    )


def layer(result: Result) -> Chart:
    """Rate × rank at the chosen α/r."""
    finding = _layer_finding(result)
    figure = theme.figure(finding, x="скорость обучения", y="ранг r", height=330)
    at = {(cell.rank, cell.rate): cell for cell in result.shown}
    rows = [[at.get((rank, rate)) for rate in result.rates] for rank in result.ranks]
    exact = result.metric == "exact"
    figure.add_heatmap(
        z=[[_colour(cell, result) for cell in row] for row in rows],
        x=[words.rate(rate) for rate in result.rates],
        y=[str(rank) for rank in result.ranks],
        text=[[_short(cell, result) for cell in row] for row in rows],
        texttemplate="%{text}",
        textfont={"size": 15},
        customdata=[[_said(cell, result) if cell else "" for cell in row] for row in rows],
        hovertemplate="%{customdata}<extra></extra>",
        colorscale=SCALES[result.metric],
        zmin=0,
        zmax=100 if exact else None,
        xgap=3,
        ygap=3,
        showscale=False,  # every cell says its number
        hoverongaps=False,
    )
    _frame(figure, result.top(result.shown), result)
    _dots(figure, [cell for cell in result.shown if cell.level])
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", showgrid=False)
    return Chart(figure, f"{finding}. {'; '.join(_said(cell, result) for cell in result.shown)}.")


def ridge(result: Result) -> Chart:
    """At the rank of the best point: a line over the rate for each α/r, so that the shift of the best rate is seen."""
    rank = result.best.rank if result.best else result.ranks[-1]
    finding = _ridge_finding(result, rank)
    unit = "точных ответов, %" if result.metric == "exact" else "потери на проверке, нат на токен"
    figure = theme.figure(finding, x="скорость обучения", y=unit, height=340)
    looks = zip(
        sorted({cell.scale for cell in result.cells}),
        (palette.SKY, palette.BLUE, palette.VERMILION),
        ("circle", "square", "diamond"),
        strict=False,
    )
    for scale, colour, symbol in looks:
        own = [cell for cell in result.cells if (cell.scale, cell.rank) == (scale, rank) and cell.spot.value]
        figure.add_scatter(
            x=[words.rate(cell.rate) for cell in own],
            y=[_number(cell, result) for cell in own],
            name=f"α/r = {words.scale(scale)}",
            mode="lines+markers",
            line={"color": colour, "width": 2.5},
            marker={"size": 10, "symbol": symbol},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[_said(cell, result) for cell in own],
        )
    figure.update_xaxes(type="category", categoryarray=[words.rate(rate) for rate in result.rates])
    figure.update_yaxes(rangemode="tozero", range=[-3, 104] if result.metric == "exact" else None)
    return Chart(figure, f"{finding}. Ранг {rank}; те же запуски, что на карте.")


def best_rate(result: Result, scale: float, rank: int) -> Cell | None:
    """The best point of a line."""
    return result.top(tuple(cell for cell in result.cells if (cell.scale, cell.rank) == (scale, rank)))


def _layer_finding(result: Result) -> str:
    top = result.top(result.shown)
    if top is None:
        return "Записей этого слоя пока нет"
    if result.missing:
        return "Записаны не все клетки: вывод делать рано"
    place = f"r = {top.rank}, скорость {words.rate(top.rate)}"
    return f"При α/r = {words.scale(result.scale)} лучше всего {place}: {_short(top, result)}"


def _ridge_finding(result: Result, rank: int) -> str:
    if result.missing:
        return "Записаны не все клетки: вывод делать рано"
    tops = [(scale, best_rate(result, scale, rank)) for scale in sorted({cell.scale for cell in result.cells})]
    known = [(scale, top.rate) for scale, top in tops if top]
    rates = [rate for _, rate in known]
    if all(one > other for one, other in pairwise(rates)):
        said = ", ".join(f"α/r = {words.scale(scale)} — {words.rate(rate)}" for scale, rate in known)
        return f"Чем больше α/r, тем меньше нужна скорость: {said}"
    return "Лучшая скорость: " + ", ".join(
        f"при α/r = {words.scale(scale)} — {words.rate(rate)}" for scale, rate in known
    )


def _numbers(result: Result) -> tuple[Number, ...]:
    best, level = result.best, sum(cell.level for cell in result.cells)
    if best is None:
        return ()
    return (
        Number("Лучшее на карте", _short(best, result), label(best)),
        Number("Ранг там", str(best.rank)),
        Number("Скорость там", words.rate(best.rate), f"При α/r = {words.scale(best.scale)}."),
        Number(
            "Ему равны",
            f"{numbers.integer(level)} из {numbers.integer(len(result.cells) - 1)}",
            "Клетки, чей интервал Уилсона перекрывается с интервалом лучшей. У потерь интервала нет.",
        ),
    )


def _table(result: Result) -> Table:
    rows: list[tuple[Value, ...]] = []
    for cell in result.cells:
        spot, interval = cell.spot, cell.spot.interval
        rows.append(
            (
                cell.scale,
                cell.rank,
                cell.rate,
                spot.value.mean if spot.value else None,
                interval.low if interval else None,
                interval.high if interval else None,
                words.state(spot),
            )
        )
    what = "доля точных" if result.metric == "exact" else "потери, нат на токен"
    return Table("Все клетки", ("α/r", "ранг", "скорость", what, "от", "до", "запись"), tuple(rows))


def _number(cell: Cell, result: Result) -> float | None:
    if cell.spot.value is None:
        return None
    return 100 * cell.spot.value.mean if result.metric == "exact" else cell.spot.value.mean


def _colour(cell: Cell | None, result: Result) -> float | None:
    return _number(cell, result) if cell else None


def _short(cell: Cell | None, result: Result) -> str:
    if cell is None or not cell.spot.recorded:
        return "нет"
    if cell.spot.value is None:
        return "разошлось"
    mean = cell.spot.value.mean
    return numbers.percent(mean, 0) if result.metric == "exact" else numbers.decimal(mean, 3)


def _said(cell: Cell, result: Result) -> str:
    return f"{label(cell)}: {words.said(cell.spot, result.metric)}"


def label(cell: Cell) -> str:
    """What a point is called."""
    return f"α/r = {words.scale(cell.scale)}, r = {cell.rank}, скорость {words.rate(cell.rate)}"


def _frame(figure: Any, cell: Cell | None, result: Result) -> None:
    """A frame around a cell: as large as the cell on any screen."""
    if cell is not None:
        column, row = result.rates.index(cell.rate), result.ranks.index(cell.rank)
        figure.add_shape(
            type="rect",
            x0=column - 0.48,
            x1=column + 0.48,
            y0=row - 0.47,
            y1=row + 0.47,
            line={"color": palette.ORANGE, "width": 4},
        )


def _dots(figure: Any, cells: list[Cell]) -> None:
    figure.add_scatter(
        x=[words.rate(cell.rate) for cell in cells],
        y=[str(cell.rank) for cell in cells],
        mode="markers+text",
        text=["<br><br>●"] * len(cells),
        textfont={"size": 11, "color": palette.ORANGE},
        marker={"size": 1, "opacity": 0},
        hoverinfo="skip",
        showlegend=False,
    )
