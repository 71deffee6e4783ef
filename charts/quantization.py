"""A tensor under quantization: before and after, levels over the density, one block under a magnifier.

Leaves out computing (``demos.quantization``) and comparing schemes (``charts.quantization_errors``).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from charts import quantization_words as words
from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.quantization.histogram import Lens, Result
from demos.quantization.schemes import SCHEMES

BEFORE, AFTER, WRONG = palette.ROLES["base"], palette.ROLES["quantized"], palette.VERMILION
FAR = 12
"""From so many standard deviations on, only a logarithmic axis shows the outliers."""


def lab(result: Result) -> Drawing:
    """Everything about one tensor and one scheme."""
    scheme = SCHEMES[result.scheme]
    whole = 4 * result.origin.count
    return Drawing(
        charts=(before_and_after(result), levels(result), magnifier(result)),
        numbers=(
            Number("Ошибка", words.error(result.errors.relative), "RMSE к среднеквадратичному значению чисел."),
            Number("Сигнал к шуму", words.decibels(result.errors), "10 lg (Σ w² / Σ ошибка²)."),
            Number(
                "Бит на число",
                numbers.decimal(result.size.bits, 3),
                f"{scheme.bits} бита кода и доля констант блока" if scheme.bits == 4 else "8 бит кода и доля констант",
            ),
            Number(
                "Байтов",
                numbers.size(result.size.total),
                f"Было {numbers.size(whole)} в FP32 и {numbers.size(whole / 2)} в FP16.",
            ),
        ),
        tables=(_codes(result), _errors(result), _bytes(result)),
        notes=(*words.origins(result.origin), words.who(result.scheme, result.block), *_short_blocks(result)),
    )


def before_and_after(result: Result) -> Chart:
    """Two histograms in the same bins."""
    distinct = numbers.plural(result.distinct, "разное число", "разных числа", "разных чисел")
    finding = f"{_named(result)}: после осталось {distinct}, ошибка {words.error(result.errors.relative)}"
    logarithmic = result.origin.absmax > FAR * (result.origin.sigma or 1) or result.outlier > FAR
    figure = theme.figure(finding, x="значение", y="доля чисел, %", height=340)
    edges = result.bins.edges
    middles = _middles(edges)
    for name, shares, colour, opacity, width in (
        ("до", result.bins.before, BEFORE, 0.55, 1.0),
        ("после", result.bins.after, AFTER, 0.85, 0.55),
    ):
        figure.add_bar(
            x=middles,
            y=[100 * share or None for share in shares],
            name=name,
            width=width * (edges[1] - edges[0]),
            marker={"color": colour, "opacity": opacity, "line": {"width": 0}},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[
                f"{name}: около {numbers.significant(x, 3)} — {numbers.percent(share)}"
                for x, share in zip(middles, shares, strict=True)
            ],
        )
    figure.update_layout(barmode="overlay", bargap=0)
    if logarithmic:
        figure.update_yaxes(type="log", title_text="доля чисел, % (лог. шкала)")
    tall = numbers.percent(max(result.bins.before)), numbers.percent(max(result.bins.after))
    return Chart(figure, f"{finding}. Самый высокий столбик до — {tall[0]} чисел, после — {tall[1]}.")


def levels(result: Result) -> Chart:
    """Numbers on the scale of their blocks, with the levels and how many numbers each of them got."""
    grid = result.grid
    used = sum(share > 0 for share in grid.usage)
    most = max(range(len(grid.usage)), key=lambda i: grid.usage[i])
    finding = (
        f"Занято уровней: {used} из {len(grid.usage)}; "
        f"больше всего чисел — {numbers.percent(grid.usage[most], 1)} — на уровне {_level(grid.levels[most])}"
    )
    axis = "число / absmax своего блока" if grid.relative else "число в шагах сетки своего блока (код)"
    figure = theme.figure(finding, x=axis, y="доля чисел, %", height=360)
    density(figure, grid.edges, grid.density, len(grid.levels), "плотность до")
    stems(figure, grid.levels, grid.usage)
    words_ = "; ".join(f"{_level(x)} — {numbers.percent(y, 1)}" for x, y in zip(grid.levels, grid.usage, strict=True))
    return Chart(figure, f"{finding}. {words_}." if len(grid.levels) <= 16 else f"{finding}.")


def magnifier(result: Result) -> Chart:
    """One block: its numbers, where they went, and the levels it has."""
    lens = result.lens
    finding = (
        f"Блок {lens.block} из {numbers.integer(lens.blocks)}: масштаб {numbers.significant(lens.scale, 3)}, "
        f"ошибка блока {words.error(lens.errors.relative)}"
    )
    figure = theme.figure(finding, x="номер числа в блоке", y="значение", height=360)
    for level in sorted(set(lens.levels)):
        figure.add_hline(y=level, line={"color": AFTER, "width": 0.7, "dash": "dot"}, opacity=0.55)
    places = list(range(1, len(lens.values) + 1))
    figure.add_scatter(
        x=[x for place in places for x in (place, place, None)],
        y=[y for pair in zip(lens.values, lens.restored, strict=True) for y in (*pair, None)],
        mode="lines",
        name="ошибка",
        line={"color": WRONG, "width": 1.5},
        hoverinfo="skip",
    )
    hovers = [_moved(*each) for each in zip(lens.values, lens.codes, lens.restored, strict=True)]
    for name, values, colour, symbol in (
        ("до", lens.values, BEFORE, "circle-open"),
        ("после", lens.restored, AFTER, "circle"),
    ):
        figure.add_scatter(
            x=places,
            y=list(values),
            mode="markers",
            name=name,
            marker={"color": colour, "size": 6, "symbol": symbol, "line": {"width": 1.5, "color": colour}},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=hovers,
        )
    figure.update_xaxes(range=[0, len(places) + 1])
    shown = f"Показаны первые {len(places)} из {numbers.integer(lens.length)}. " if len(places) < lens.length else ""
    return Chart(
        figure, f"{finding}. {shown}Наибольшая ошибка в блоке — {numbers.significant(lens.errors.largest, 3)}."
    )


def density(figure: Any, edges: tuple[float, ...], shares: tuple[float, ...], levels: int, name: str) -> None:
    """Shares of numbers as an area: a bin counts as one of ``levels`` evenly spaced ones, to compare with theirs."""
    wide = (len(edges) - 1) / levels
    figure.add_scatter(
        x=_middles(edges),
        y=[100 * share * wide for share in shares],
        name=name,
        mode="lines",
        line={"color": BEFORE, "width": 1, "shape": "hvh"},
        fill="tozeroy",
        hoverinfo="skip",
    )


def _middles(edges: tuple[float, ...]) -> list[float]:
    return [(low + high) / 2 for low, high in pairwise(edges)]


def stems(figure: Any, places: tuple[float, ...], usage: tuple[float, ...]) -> None:
    """A line up to each level's share of numbers."""
    figure.add_scatter(
        x=[x for place in places for x in (place, place, None)],
        y=[y for share in usage for y in (0, 100 * share, None)],
        mode="lines",
        line={"color": AFTER, "width": 2 if len(places) <= 16 else 1},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        x=list(places),
        y=[100 * share for share in usage],
        name="уровни и сколько чисел на них",
        mode="markers",
        marker={"color": AFTER, "size": 8 if len(places) <= 16 else 3},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[
            f"уровень {_level(x)}: {numbers.percent(share)} чисел" for x, share in zip(places, usage, strict=True)
        ],
    )


def _codes(result: Result) -> Table:
    """The block's numbers, codes and bytes as they lie in memory."""
    lens, bits = result.lens, SCHEMES[result.scheme].bits
    rows = tuple(
        (
            place + 1,
            lens.values[place],
            code,
            f"{code & (2**bits - 1):0{bits}b}",
            f"0x{lens.packed[place * bits // 8]:02X}",
            lens.restored[place],
            lens.restored[place] - lens.values[place],
        )
        for place, code in enumerate(lens.codes)
    )
    return Table(
        f"Блок {lens.block}: числа, коды и байты",
        ("№", "число", "код", "биты", "байт", "восстановлено", "ошибка"),
        rows,
        note=_constants(lens, result)
        + ("Два соседних кода лежат в одном байте: первый — в старших четырёх битах." if bits == 4 else ""),
    )


def _constants(lens: Lens, result: Result) -> str:
    scale = numbers.significant(lens.scale, 5)
    match SCHEMES[result.scheme].way:
        case "affine":
            return f"Шаг s = {scale}, нулевая точка z = {numbers.integer(lens.shift or 0)}: число = (код − z) · s. "
        case "minimum":
            return f"Шаг s = {scale}, минимум m = {numbers.significant(lens.shift or 0, 5)}: число = m + код · s. "
        case "table":
            return f"absmax = {scale}: число = уровень с этим номером · absmax. "
        case _:
            return f"absmax = {scale}: число = код / {2 ** (SCHEMES[result.scheme].bits - 1) - 1} · absmax. "


def _errors(result: Result) -> Table:
    rows = tuple(
        (name, whole, near)
        for name, whole, near in (
            ("RMSE", result.errors.rmse, result.lens.errors.rmse),
            ("RMSE / среднеквадратичное", result.errors.relative, result.lens.errors.relative),
            ("наибольшая ошибка", result.errors.largest, result.lens.errors.largest),
            ("сигнал к шуму, дБ", result.errors.snr, result.lens.errors.snr),
            ("1 − косинус", 1 - result.errors.cosine, 1 - result.lens.errors.cosine),
        )
    )
    return Table("Ошибка", ("мера", "весь тензор", f"блок {result.lens.block}"), rows)


def _bytes(result: Result) -> Table:
    count, size = result.origin.count, result.size
    rows = (
        ("FP32", 4 * count, 32.0),
        ("FP16 или BF16", 2 * count, 16.0),
        ("коды", size.codes, 8 * size.codes / count),
        ("константы блоков", size.constants, 8 * size.constants / count),
        ("коды и константы", size.total, size.stored),
    )
    note = (
        f"По формуле {numbers.decimal(size.bits, 3)} бита на число; здесь сосчитаны байты этого тензора. "
        "Сама таблица уровней — 64 байта, при двойном квантовании ещё килобайт — одна на тензор и не сосчитана."
    )
    return Table("Место", ("что", "байтов", "бит на число"), rows, note=note)


def _short_blocks(result: Result) -> tuple[str, ...]:
    """Where the formula promises less than these numbers take."""
    if result.size.stored < 1.01 * result.size.bits:
        return ()
    stored = numbers.decimal(result.size.stored, 3)
    return (f"Чисел мало, и константы неполного блока заметны: на деле здесь {stored} бита на число.",)


def _named(result: Result) -> str:
    nested = " с двойным квантованием" if result.double else ""
    return f"{SCHEMES[result.scheme].title}{nested}, {words.block(result.block)}"


def _moved(value: float, code: int, restored: float) -> str:
    return (
        f"{numbers.significant(value)} → код {numbers.integer(code)} → {numbers.significant(restored)}, "
        f"ошибка {numbers.significant(restored - value, 3)}"
    )


def _level(value: float) -> str:
    return numbers.decimal(value, 0 if float(value).is_integer() else 4)
