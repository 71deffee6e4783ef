"""A learning curve with its spread, and bars of clean, dirty and unbalanced data.

Leaves out the numbers (``demos.finetuning.data_size``).
"""

from __future__ import annotations

import math

from charts import origin, theme
from charts import sweep_words as words
from charts.chart import Chart
from charts.drawing import Cell as Value
from charts.drawing import Drawing, Number, Table
from charts.sweeps import AXIS, errors
from common import numbers, palette
from demos.finetuning.data_size import Bar, Result
from demos.finetuning.sweeps import Spot

COLOURS = {
    "clean": palette.GREEN,
    "contradictory": palette.VERMILION,
    "misformatted": palette.ORANGE,
    "balanced": palette.GREEN,
    "skewed": palette.PURPLE,
}


def drawn(result: Result) -> Drawing:
    """Curve, bars, all values as a table."""
    if not any(spot.value for spot in (*result.sizes, *(bar.spot for bar in result.bars))):
        return Drawing(warnings=(result.notice,))
    return Drawing(
        charts=(curve(result), bars(result)),
        numbers=_numbers(result),
        tables=(_table(result),),
        notes=(*_skew(result), _note(result), *origin.said(result.origin)),
        warnings=(result.notice,) if result.notice else (),
    )


def curve(result: Result) -> Chart:
    """Over the number of examples, on a logarithmic axis; both draws as rings, a bar from one to the other."""
    finding = _curve_finding(result)
    figure = theme.figure(finding, x="обучающих примеров", y=AXIS[result.metric], height=370)
    scale = _scale(result)
    shown = [(spot, spot.value) for spot in result.sizes if spot.value]
    means = [scale * value.mean for _, value in shown]
    figure.add_scatter(
        x=[spot.x for spot, _ in shown],
        y=means,
        mode="lines+markers",
        line={"color": palette.BLUE, "width": 2.5},
        marker={"size": 10},
        error_y=errors([(scale * low, scale * high) for low, high in (words.reach(spot) for spot, _ in shown)], means),
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"{size(spot)}: {words.said(spot, result.metric)}" for spot, _ in shown],
        showlegend=False,
    )
    figure.add_scatter(
        x=[spot.x for spot, value in shown for _ in value.each],
        y=[scale * one for _, value in shown for one in value.each],
        mode="markers",
        marker={"size": 7, "color": palette.BLUE, "symbol": "circle-open"},
        hoverinfo="skip",
        showlegend=False,
    )
    places = [spot.x for spot in result.sizes]
    figure.update_xaxes(type="log", tickvals=places, ticktext=[numbers.integer(place) for place in places])
    figure.update_xaxes(range=[math.log10(places[0]) - 0.15, math.log10(places[-1]) + 0.15])
    figure.update_yaxes(range=[-3, 104] if result.metric == "exact" else None, rangemode="tozero")
    points = "; ".join(f"{size(spot)} — {words.said(spot, result.metric)}" for spot in result.sizes)
    return Chart(figure, f"{finding}. {points}.")


def bars(result: Result) -> Chart:
    """Clean data beside dirty: as many examples, as many steps, the same questions."""
    finding = _bars_finding(result)
    shown = [(bar, bar.spot.value) for bar in result.bars if bar.spot.value]
    figure = theme.figure(finding, x=AXIS[result.metric], height=150 + 34 * max(1, len(shown)))
    scale = _scale(result)
    values = [scale * value.mean for _, value in shown]
    figure.add_bar(
        x=values,
        y=[label(bar) for bar, _ in shown],
        orientation="h",
        marker={"color": [COLOURS[bar.kind] for bar, _ in shown]},
        error_x=errors(
            [(scale * low, scale * high) for low, high in (words.bounds(bar.spot) for bar, _ in shown)], values
        ),
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"{label(bar)}: {words.said(bar.spot, result.metric)}" for bar, _ in shown],
        showlegend=False,
    )
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_xaxes(range=[0, 104] if result.metric == "exact" else None, rangemode="tozero")
    said = "; ".join(f"{label(bar)} — {words.said(bar.spot, result.metric)}" for bar in result.bars)
    return Chart(figure, f"{finding}. {said}.")


def size(spot: Spot) -> str:
    """What a point of the curve is called."""
    return numbers.plural(round(spot.x), "пример", "примера", "примеров")


def label(bar: Bar) -> str:
    """What a bar is called."""
    return f"{bar.title}, {numbers.percent(bar.share, 0)}" if bar.share else bar.title


def _curve_finding(result: Result) -> str:
    known = [(spot, spot.value) for spot in result.sizes if spot.value]
    if len(known) < len(result.sizes):
        return "Записаны не все размеры: вывод делать рано"
    enough = next(spot for spot, _ in known if _level(spot, known[-1][0], result))
    first, last = known[0][1].mean, known[-1][1].mean
    return (
        f"От {numbers.integer(known[0][0].x)} до {numbers.integer(known[-1][0].x)} примеров: "
        f"{_short(first, result)} → {_short(last, result)}; с {numbers.integer(enough.x)} прибавки уже не видно"
        if enough is not known[-1][0]
        else f"Каждый шаг вверх заметен: от {_short(first, result)} до {_short(last, result)}"
    )


def _bars_finding(result: Result) -> str:
    """For each kind of dirt the share from which the answers are worse than after clean data, beyond chance."""
    clean = next(bar.spot for bar in result.bars if bar.kind == "clean")
    if any(bar.spot.recorded < bar.spot.wanted for bar in result.bars) or clean.value is None:
        return "Записаны не все наборы: вывод делать рано"
    said = []
    for kind in dict.fromkeys(bar.kind for bar in result.bars if bar.share):
        own = [bar for bar in result.bars if bar.kind == kind]
        worse = [bar.share for bar in own if not _level(bar.spot, clean, result)]
        least = f"с {numbers.percent(min(worse), 0)}" if worse else "и до половины незаметно"
        said.append(f"{own[0].title} {least}")
    return f"С какой доли грязи ответы хуже: {', '.join(said)}"


def _skew(result: Result) -> tuple[str, ...]:
    """What the unbalanced set costs."""
    even, skewed = (next(bar.spot for bar in result.bars if bar.kind == kind) for kind in ("balanced", "skewed"))
    if even.value is None or skewed.value is None:
        return ()
    differ = "разница в пределах погрешности" if _level(even, skewed, result) else "разница не случайна"
    return (
        f"Перекос (92 % примеров одного класса): {_short(even.value.mean, result)} поровну, "
        f"{_short(skewed.value.mean, result)} с перекосом — {differ}.",
    )


def _level(spot: Spot, other: Spot, result: Result) -> bool:
    """Whether two points cannot be told apart: by their intervals, or by their spread where losses are compared."""
    if result.metric == "exact" and spot.interval and other.interval:
        return spot.interval.high >= other.interval.low and other.interval.high >= spot.interval.low
    if spot.value is None or other.value is None:
        return False
    return spot.value.high >= other.value.low and other.value.high >= spot.value.low


def _numbers(result: Result) -> tuple[Number, ...]:
    first, last = result.sizes[0], result.sizes[-1]
    shown = [(spot, spot.value) for spot in (first, last) if spot.value]
    found = [
        Number(f"{size(spot)}", _short(value.mean, result), words.said(spot, result.metric)) for spot, value in shown
    ]
    return (
        *found,
        Number(
            "Повторов у малого",
            numbers.integer(result.repeats),
            f"Шагов у всех {numbers.integer(result.steps)}: {size(first)} модель видит целиком столько раз.",
        ),
    )


def _note(result: Result) -> str:
    largest = max(spot.x for spot in result.sizes)
    part = (
        f" Из {numbers.integer(largest)} примеров модель успевает увидеть {numbers.integer(result.seen)}, по разу."
        if result.seen < largest
        else ""
    )
    return (
        f"Шагов у всех запусков поровну: {numbers.integer(result.steps)} по {result.each_step} примеров, LoRA, r = 16."
        f"{part} У каждого размера два разных набора предложений и два зерна: кружки. Проверка у всех одна. "
        "Испорченные наборы — те же тысяча примеров; у классов — по тысяче примеров и QLoRA."
    )


def _table(result: Result) -> Table:
    rows: list[tuple[Value, ...]] = [("сколько", size(spot), *_values(spot)) for spot in result.sizes]
    rows += [("какие", label(bar), *_values(bar.spot)) for bar in result.bars]
    what = "доля точных" if result.metric == "exact" else "потери, нат на токен"
    return Table("Все точки", ("вопрос", "данные", what, "худшее зерно", "лучшее зерно", "запись"), tuple(rows))


def _values(spot: Spot) -> tuple[Value, ...]:
    value = spot.value
    return (*((value.mean, value.low, value.high) if value else (None, None, None)), words.state(spot))


def _scale(result: Result) -> float:
    return 100 if result.metric == "exact" else 1


def _short(mean: float, result: Result) -> str:
    return numbers.percent(mean, 0) if result.metric == "exact" else numbers.decimal(mean, 3)
