"""Figures of LoRA's matrices: maps of W, A, B and the update, energy by rank.

A map's colours diverge from zero. W, the update and their sum have one scale, so that their sizes can be compared; the
update once more by itself and A and B have their own, and each says where it ends. Leaves out computing.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from charts.lora import energy_curve
from common import numbers, palette
from demos.lora.matrices import SOURCES, Map, Result

DIVERGING = [[0.0, palette.BLUE], [0.5, "#F7F7F7"], [1.0, palette.VERMILION]]
NAMES = {"full": "полное дообучение", "adapter": "адаптер LoRA", "random": "случайная матрица"}
_LINES = {
    "full": (palette.ROLES["full"], "solid"),
    "adapter": (palette.ROLES["lora"], "dot"),
    "random": (palette.ROLES["base"], "dash"),
}
DIGITS = 5
"""Digits of a cell after the comma: the table has them all."""
GAP, HEAD = 0.05, 0.04
"""Parts of the figure between two columns of maps, and above each row of them."""


def draw(result: Result) -> Drawing:
    """Maps of one layer, the spectrum beside, and what it all comes to."""
    return Drawing(
        charts=(maps(result), spectra(result)),
        numbers=_numbers(result),
        tables=(_energies(result), _cells(result.update)),
        notes=_notes(result),
    )


def maps(result: Result) -> Chart:
    """Six maps: W and the sum, the update on W's scale and on its own, B and A."""
    finding = f"{result.title}: поправка — {numbers.percent(result.ratio, 1)} от W"
    figure = theme.figure(finding, x="", height=980)
    shared = max(result.weight.largest, result.merged.largest)
    places = (
        (result.weight, shared, "W"),
        (result.merged, shared, "W + s·B·A"),
        (result.update, shared, "s·B·A"),
        (result.update, result.update.largest, "s·B·A ярче"),
        (result.b, result.b.largest, "B"),
        (result.a, result.a.largest, "A"),
    )
    for place, (one, limit, title) in enumerate(places):
        _map(figure, place, one, limit, title)
    return Chart(
        figure, f"{finding}. {'; '.join(_said(one) for one in (result.weight, result.update, result.b, result.a))}."
    )


def spectra(result: Result) -> Chart:
    """Energy by rank: full fine-tuning, the adapter, noise."""
    full, _, random = result.spectra
    many = numbers.plural(full.rank_for_90, "направление", "направления", "направлений")
    finding = f"90 % поправки — это {many} из {len(full.curve)}, если учить всё; у шума — {random.rank_for_90}"
    figure = theme.figure(finding, x="оставлено направлений (ранг)", y="сохранённая энергия, %", height=380)
    for one in result.spectra:
        energy_curve(figure, NAMES[one.name], one.curve, *_LINES[one.name])
    figure.add_vline(x=result.rank, line={"color": palette.ORANGE, "width": 1.5})
    figure.update_yaxes(range=[0, 103])
    figure.update_xaxes(rangemode="tozero")
    at = min(result.rank, len(full.curve)) - 1
    kept = "; ".join(f"{NAMES[one.name]} — {numbers.percent(one.curve[at], 1)}" for one in result.spectra)
    words = f"{finding}. При ранге {result.rank} сохраняют: {kept}. У адаптера направлений {result.trained_rank}"
    return Chart(figure, f"{words}, дальше добавлять нечего.")


def _map(figure: Any, place: int, one: Map, limit: float, title: str) -> None:
    """One of two columns and three rows; its colours end at ±limit, and its title says so."""
    row, column = divmod(place, 2)
    wide, high = (1 - GAP) / 2, (1 - 3 * HEAD) / 3
    left, top = column * (wide + GAP), 1 - row * (high + HEAD) - HEAD
    axes = f"{place + 1}" if place else ""
    end = limit or 1.0
    figure.add_trace(
        go.Heatmap(
            z=[[round(value, DIGITS) for value in cells] for cells in one.cells],
            zmin=-end,
            zmax=end,
            colorscale=DIVERGING,
            showscale=False,
            xaxis=f"x{axes}",
            yaxis=f"y{axes}",
            name=title,
            x=_spans("столбец", "столбцы", one.block[1], one.columns),
            y=_spans("строка", "строки", one.block[0], one.rows),
            hovertemplate="%{y}, %{x}: %{z:.5f}<extra></extra>",
        )
    )
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False, "title": ""}
    across = {**bare, "domain": [left, left + wide], "anchor": f"y{axes}"}
    down = {**bare, "domain": [top - high, top], "anchor": f"x{axes}", "autorange": "reversed"}
    figure.update_layout({f"xaxis{axes}": across, f"yaxis{axes}": down})
    figure.add_annotation(
        x=left,
        y=top,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="bottom",
        text=f"<b>{title}</b> ±{numbers.significant(limit, 2)}",
        showarrow=False,
        font={"size": 13},
    )


def _spans(one: str, many: str, block: int, size: int) -> list[str]:
    """What each cell of a side stands for: «строки 4–6», one after another."""
    ends = ((first + 1, min(first + block, size)) for first in range(0, size, block))
    return [f"{one} {first}" if first == last else f"{many} {first}–{last}" for first, last in ends]


def _said(one: Map) -> str:
    largest, norm = numbers.significant(one.largest, 3), numbers.significant(one.norm, 4)
    return f"{one.name}, {one.rows} × {one.columns}: норма {norm}, наибольшее по модулю {largest}"


def _numbers(result: Result) -> tuple[Number, ...]:
    return (
        Number("‖s·B·A‖ / ‖W‖", numbers.percent(result.ratio, 2), "Нормы Фробениуса: корень из суммы квадратов."),
        Number("Множитель s", numbers.significant(result.scale), f"α / {result.trained_rank}: ранг адаптера."),
        Number(f"Энергия при r = {result.rank}", numbers.percent(result.energy, 1), f"{SOURCES[result.source]}."),
        Number(
            f"Верных из {result.asked}",
            f"{result.adapter_right} и {result.full_right}",
            f"Адаптер и полное дообучение на отложенных примерах; до обучения — {result.base_right}.",
        ),
    )


def _notes(result: Result) -> tuple[str, ...]:
    high, wide = result.weight.block
    notes = [
        "Синее меньше нуля, красное больше, белое — ноль; край шкалы — число с ± над картой. У W, W + s·B·A и s·B·A "
        "шкала одна, поэтому поправка почти белая: рядом она же ярче, а A и B — каждая в своей шкале.",
        f"Клетка W — это {high} × {wide} чисел, из них показано наибольшее по модулю, со знаком: выброс не пропадёт, "
        "но карта ярче самой матрицы. Точные нормы — в числах сверху.",
    ]
    if result.overlap is not None:
        out, random = (numbers.percent(value, 0) for value in (result.overlap.outputs, result.overlap.random_outputs))
        notes.append(
            f"{result.overlap.directions} главных направления адаптера (по выходам) на {out} лежат среди стольких же "
            f"главных направлений полного дообучения; у случайных было бы {random}."
        )
    notes.append("Адаптер и полное дообучение учили одной задаче: одни данные, 160 шагов, зерно 0.")
    return tuple(notes)


def _energies(result: Result) -> Table:
    ranks = range(1, len(result.spectra[0].curve) + 1)
    columns = (one.curve for one in result.spectra)
    rows = tuple((rank, *shares) for rank, shares in zip(ranks, zip(*columns, strict=True), strict=True))
    return Table("Энергия по рангам", ("ранг", *(NAMES[one.name] for one in result.spectra)), rows)


def _cells(one: Map) -> Table:
    """Cell by cell, as a spreadsheet can take them; a page shows the first few."""
    down = _spans("строка", "строки", one.block[0], one.rows)
    across = _spans("столбец", "столбцы", one.block[1], one.columns)
    rows = (
        (row, column, value)
        for row, cells in zip(down, one.cells, strict=True)
        for column, value in zip(across, cells, strict=True)
    )
    return Table(f"Клетки {one.name}", ("строки", "столбцы", "наибольшее по модулю"), tuple(rows))
