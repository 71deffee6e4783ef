"""Schemes side by side, and the error against the block's size and its price in bits.

Leaves out computing (``demos.quantization.compare``, ``.blocks``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from charts import quantization_words as words
from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.quantization.blocks import Curve
from demos.quantization.blocks import Result as Blocks
from demos.quantization.compare import Result as Compared

COLOURS = {
    "nf4": palette.PURPLE,
    "fp4": palette.ORANGE,
    "int4-absmax": palette.BLUE,
    "int4-affine": palette.GREEN,
    "int4-minimum": palette.SKY,
    "int8-absmax": palette.VERMILION,
    "int8-affine": palette.BLACK,
    "uniform": palette.GREY,
    "bins": palette.YELLOW,
}
_MARKS = ("circle", "square", "diamond", "triangle-up", "x", "star")


def side_by_side(result: Compared) -> Drawing:
    """Every scheme: error in blocks and with one scale, bits, bytes."""
    nf4, whole = result.row("nf4").errors, result.row("int4-absmax").whole
    return Drawing(
        charts=(bars(result), prices(result)),
        numbers=(
            Number("NF4", words.error(nf4.relative), f"{words.block(result.block)}: RMSE к среднеквадратичному."),
            Number("FP4", words.error(result.row("fp4").errors.relative)),
            Number("INT4 absmax", words.error(result.row("int4-absmax").errors.relative)),
            Number("INT4 без блоков", words.error(whole.relative), "absmax, один масштаб на весь тензор."),
        ),
        tables=(_table(result),),
        notes=words.origins(result.origin),
    )


def bars(result: Compared) -> Chart:
    """Relative error of the four-bit schemes: in blocks and with one scale for the tensor."""
    rows = [row for row in result.rows if not row.scheme.startswith("int8")]
    best = min(rows, key=lambda row: row.errors.relative)
    finding = (
        f"Из четырёхбитных точнее всех {best.title} ({words.error(best.errors.relative)}), "
        f"но и стоит {numbers.decimal(best.bits, 3)} бита; NF4 — {words.error(result.row('nf4').errors.relative)} "
        f"за {numbers.decimal(result.row('nf4').bits, 3)}"
    )
    if best.scheme == "nf4":
        finding = f"Из четырёхбитных точнее всех NF4: {words.error(best.errors.relative)}"
    figure = theme.figure(finding, x="ошибка, % (лог. шкала)", height=120 + 46 * len(rows))
    for name, colour, errors in (
        (words.block(result.block), palette.ROLES["quantized"], [row.errors.relative for row in rows]),
        (words.block(0), palette.ROLES["base"], [row.whole.relative for row in rows]),
    ):
        figure.add_bar(
            y=[row.title for row in rows],
            x=[100 * value for value in errors],
            name=name,
            orientation="h",
            marker={"color": colour},
            text=[words.error(value) for value in errors],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[f"{row.title}, {name}: {words.error(value)}" for row, value in zip(rows, errors, strict=True)],
        )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(type="log", tickvals=[1, 2, 5, 10, 20, 50, 100, 200, 500])
    figure.update_layout(legend={"y": -0.12}, bargap=0.25)
    return Chart(figure, f"{finding}. {_list(result)}")


def prices(result: Compared) -> Chart:
    """Error against bits per number."""
    four = [row for row in result.rows if row.bits < 8]
    eight = result.row("int8-absmax")
    times = result.row("int4-absmax").errors.relative / eight.errors.relative if eight.errors.relative else 0
    finding = f"Четыре лишних бита делают ошибку в {numbers.decimal(times, 0)} раз меньше: шаг сетки мельче"
    figure = theme.figure(finding, x="бит на число", y="ошибка, % (лог. шкала)", height=360)
    figure.add_scatter(
        x=[row.bits for row in result.rows],
        y=[100 * row.errors.relative for row in result.rows],
        mode="markers",
        marker={
            "size": 11,
            "color": [COLOURS.get(row.scheme, palette.PURPLE) for row in result.rows],
            "symbol": ["circle-open" if "double" in row.scheme else "circle" for row in result.rows],
            "line": {"width": 2},
        },
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[
            f"{row.title}: {numbers.decimal(row.bits, 3)} бита, ошибка {words.error(row.errors.relative)}"
            for row in result.rows
        ],
        showlegend=False,
    )
    for row in (result.row("nf4"), result.row("fp4"), result.row("nf4-double"), eight):
        figure.add_annotation(
            x=row.bits, y=_log(100 * row.errors.relative), text=row.title, showarrow=False, yshift=16, font={"size": 12}
        )
    figure.update_yaxes(type="log", tickvals=[0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200])
    figure.update_xaxes(range=[3.6, 9.4])
    spread = min(four, key=lambda row: row.bits), max(four, key=lambda row: row.bits)
    return Chart(
        figure,
        f"{finding}. Самая дешёвая четырёхбитная схема — {spread[0].title}, {numbers.decimal(spread[0].bits, 3)} бита, "
        f"самая дорогая — {spread[1].title}, {numbers.decimal(spread[1].bits, 3)}.",
    )


def by_block(result: Blocks) -> Drawing:
    """Error against block size, one line a scheme."""
    rows = tuple(
        (curve.title, point.block or "весь тензор", point.bits, point.relative)
        for curve in result.curves
        for point in curve.points
    )
    table = Table("Ошибка по блокам", ("тип", "блок", "бит на число", "ошибка (доля)"), rows)
    return Drawing(charts=(block_lines(result), frontier(result)), tables=(table,), notes=words.origins(result.origin))


def block_lines(result: Blocks) -> Chart:
    """Error against the block."""
    first = result.curves[0]
    small, large = first.points[0], first.points[-1]
    finding = (
        f"{first.title}: {_block(small.block)} — {words.error(small.relative)}, "
        f"{_block(large.block)} — {words.error(large.relative)}"
    )
    figure = theme.figure(finding, x="размер блока", y="ошибка, %", height=360)
    for place, curve in enumerate(result.curves):
        _line(figure, curve, place, [_tick(point.block) for point in curve.points])
    figure.update_xaxes(type="category")
    return Chart(figure, f"{finding}. {_curves(result.curves)}")


def frontier(result: Blocks) -> Chart:
    """The same points against their price."""
    first = result.curves[0]
    by_size = {point.block: point for point in first.points}
    if 64 in by_size and 16 in by_size:
        saved, paid = by_size[64].relative - by_size[16].relative, by_size[16].bits - by_size[64].bits
        finding = (
            f"{first.title}: блок 16 вместо 64 стоит {numbers.decimal(paid, 2)} бита на число "
            f"и снимает {numbers.decimal(100 * saved, 1)} п. п. ошибки"
        )
    else:
        finding = "Чем меньше блок, тем точнее — и тем больше констант"
    figure = theme.figure(finding, x="бит на число с константами", y="ошибка, %", height=360)
    for place, curve in enumerate(result.curves):
        _line(figure, curve, place, [point.bits for point in curve.points])
    return Chart(figure, f"{finding}. {_curves(result.curves)}")


def _line(figure: Any, curve: Curve, place: int, across: Sequence[str | float]) -> None:
    figure.add_scatter(
        x=across,
        y=[100 * point.relative for point in curve.points],
        name=curve.title,
        mode="lines+markers",
        line={"color": COLOURS[curve.scheme], "width": 2},
        marker={"size": 8, "symbol": _MARKS[place % len(_MARKS)]},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[
            f"{curve.title}, {_block(point.block)}: {numbers.decimal(point.bits, 3)} бита, "
            f"ошибка {words.error(point.relative)}"
            for point in curve.points
        ],
    )


def _table(result: Compared) -> Table:
    near = words.block(result.block)
    columns = ("тип", "бит на число", "байтов", f"ошибка, {near}", "ошибка, весь тензор")
    rows = tuple(
        (
            row.title,
            row.bits,
            row.bytes,
            row.errors.relative,
            row.whole.relative,
            row.errors.rmse,
            row.errors.largest,
            row.errors.snr,
            row.errors.cosine,
        )
        for row in result.rows
    )
    more = ("RMSE", "наибольшая", "сигнал к шуму, дБ", "косинус")
    return Table("Все схемы", (*columns, *more), rows, note=f"Последние четыре столбца — {near}.", folded=False)


def _list(result: Compared) -> str:
    return "; ".join(f"{row.title} — {words.error(row.errors.relative)}" for row in result.rows) + "."


def _curves(curves: tuple[Curve, ...]) -> str:
    parts = [f"{curve.title}: от {words.error(min(p.relative for p in curve.points))} до " for curve in curves]
    ends = [words.error(max(p.relative for p in curve.points)) for curve in curves]
    return "; ".join(part + end for part, end in zip(parts, ends, strict=True)) + "."


def _block(size: int) -> str:
    return f"блок {numbers.integer(size)}" if size else "весь тензор"


def _tick(size: int) -> str:
    return numbers.integer(size) if size else "тензор"


def _log(value: float) -> float:
    return math.log10(value) if value > 0 else -3.0
