"""Schemes side by side, and the error against the block's size and its price in bits.

Leaves out computing (``demos.quantization.compare``, ``.blocks``).
"""

from __future__ import annotations

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
from demos.quantization.compare import Row

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
FAR = 15
"""From so many times between errors on, only a logarithmic axis shows them all."""
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
        tables=_tables(result),
        notes=words.origins(result.origin),
    )


def bars(result: Compared) -> Chart:
    """Relative error of the four-bit schemes: in blocks and with one scale for the tensor, joined by a line."""
    rows = _four(result)
    finding = _best(result)
    figure = theme.figure(finding, x="ошибка, %", height=130 + 40 * len(rows))
    values = [100 * error for row in rows for error in (row.errors.relative, row.whole.relative)]
    figure.add_scatter(
        x=[x for row in rows for x in (100 * row.errors.relative, 100 * row.whole.relative, None)],
        y=[name for row in rows for name in (row.title, row.title, None)],
        mode="lines",
        line={"color": palette.GREY, "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )
    for name, colour, symbol, errors in (
        (words.block(result.block), palette.ROLES["quantized"], "circle", [row.errors.relative for row in rows]),
        (words.block(0), palette.ROLES["base"], "diamond", [row.whole.relative for row in rows]),
    ):
        figure.add_scatter(
            y=[row.title for row in rows],
            x=[100 * value for value in errors],
            name=name,
            mode="markers",
            marker={"color": colour, "size": 11, "symbol": symbol},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[f"{row.title}, {name}: {words.error(value)}" for row, value in zip(rows, errors, strict=True)],
        )
    figure.update_yaxes(autorange="reversed", type="category")
    if max(values) > FAR * min(values):
        figure.update_xaxes(type="log", title_text="ошибка, % (лог. шкала)", tickvals=[1, 2, 5, 10, 20, 50, 100, 200])
    else:
        figure.update_xaxes(range=[0, 1.08 * max(values)])
    return Chart(figure, f"{finding}. {_list(result)}")


def prices(result: Compared) -> Chart:
    """Error of the four-bit schemes against bits per number."""
    rows = _four(result)
    nested, fp4 = result.row("nf4-double"), result.row("fp4")
    finding = (
        f"NF4 с двойным квантованием: {_price(nested)}; FP4 — {_price(fp4)}. "
        f"INT8 absmax: {_price(result.row('int8-absmax'))}"
    )
    figure = theme.figure(finding, x="бит на число с константами", y="ошибка, %", height=500)
    for row in rows:  # named in the legend: four of them lie so near that labels would cover one another
        colour = COLOURS.get(row.scheme, palette.PURPLE)
        figure.add_scatter(
            x=[row.bits],
            y=[100 * row.errors.relative],
            name=row.title,
            mode="markers",
            marker={
                "size": 11,
                "color": colour,
                "symbol": "circle-open" if "double" in row.scheme else "circle",
                "line": {"width": 2, "color": colour},
            },
            cliponaxis=False,
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[f"{row.title}: {_price(row)}"],
        )
    low, high = min(row.bits for row in rows), max(row.bits for row in rows)
    wide = max(high - low, 0.1)
    figure.update_xaxes(range=[low - 0.15 * wide, high + 0.15 * wide])
    return Chart(figure, f"{finding}. {'; '.join(f'{row.title}: {_price(row)}' for row in rows)}.")


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
    figure = theme.figure(finding, x="размер блока", y="ошибка, %", height=430)
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
    figure = theme.figure(finding, x="бит на число с константами", y="ошибка, %", height=400)
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


def _tables(result: Compared) -> tuple[Table, Table]:
    """What is compared first, and the other measures."""
    near = words.block(result.block)
    first = tuple((row.title, row.bits, row.bytes, row.errors.relative, row.whole.relative) for row in result.rows)
    more = tuple(
        (row.title, row.errors.rmse, row.errors.largest, row.errors.snr, 1 - row.errors.cosine) for row in result.rows
    )
    return (
        Table(
            "Все схемы", ("тип", "бит на число", "байтов", f"ошибка, {near}", "ошибка без блоков"), first, folded=False
        ),
        Table(f"Другие меры, {near}", ("тип", "RMSE", "наибольшая ошибка", "дБ", "1 − косинус"), more),
    )


def _four(result: Compared) -> list[Row]:
    return [row for row in result.rows if not row.scheme.startswith("int8")]


def _best(result: Compared) -> str:
    best, nf4 = min(_four(result), key=lambda row: row.errors.relative), result.row("nf4")
    if best.scheme.startswith("nf4"):
        return f"Из четырёхбитных точнее всех NF4: {words.error(nf4.errors.relative)}"
    return f"Из четырёхбитных точнее всех {best.title}: {_price(best)}; NF4 — {_price(nf4)}"


def _price(row: Row) -> str:
    return f"{words.error(row.errors.relative)} за {numbers.decimal(row.bits, 3)}{numbers.NBSP}бита"


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
