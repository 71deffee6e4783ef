"""Partial sums in a narrow format against the true ones.

Leaves out computing (``demos.numeric.sums``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.numeric.sums import Result

_LINES = {
    "naive": (palette.VERMILION, "solid"),
    "wide": (palette.BLUE, "dash"),
    "kahan": (palette.GREEN, "dashdot"),
    "stochastic": (palette.ORANGE, "dot"),
}


def sums(result: Result) -> Drawing:
    """The curves and where each way ends."""
    naive, wide = result.ways[0], result.ways[1]
    return Drawing(
        charts=(curve(result),),
        numbers=(
            Number("Должно быть", numbers.significant(result.true, 6)),
            Number(f"Сумма в {result.title}", numbers.significant(naive.last, 6)),
            Number("Накопитель FP32", numbers.significant(wide.last, 6), f"Прочитан в {result.title}."),
            Number(
                "Потолок суммы",
                "—" if result.limit is None else numbers.significant(result.limit),
                "С этой суммы слагаемое не больше половины шага и теряется.",
            ),
        ),
        tables=(
            Table(
                "Чем кончилось",
                ("Как складывали", "Итог", "Ошибка", "Ошибка, % от верного"),
                tuple((way.title, way.last, way.error, _percent(way.error, result.true)) for way in result.ways),
                folded=False,
            ),
            Table(
                "Промежуточные суммы",
                ("Слагаемых", "Верно", *(way.title for way in result.ways)),
                tuple(
                    (step, result.truth[place], *(way.curve[place] for way in result.ways))
                    for place, step in enumerate(result.steps)
                ),
            ),
        ),
        notes=tuple(_notes(result)),
        warnings=tuple(_warnings(result)),
    )


def curve(result: Result) -> Chart:
    """Every way's partial sums over the number of terms."""
    finding = _finding(result)
    figure = theme.figure(finding, x="сложено слагаемых", y="сумма", height=380)
    figure.add_scatter(
        x=list(result.steps),
        y=list(result.truth),
        name="верная сумма",
        mode="lines",
        line={"color": palette.GREY, "width": 5},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[_hover("верная сумма", *pair) for pair in zip(result.steps, result.truth, strict=True)],
    )
    for way in result.ways:
        colour, dash = _LINES[way.name]
        figure.add_scatter(
            x=list(result.steps),
            y=[value if math.isfinite(value) else None for value in way.curve],
            name=way.title,
            mode="lines",
            line={"color": colour, "width": 2.2, "dash": dash, "shape": "hv"},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[_hover(way.title, *pair) for pair in zip(result.steps, way.curve, strict=True)],
        )
    ends = "; ".join(f"{way.title} — {numbers.significant(way.last, 6)}" for way in result.ways)
    return Chart(figure, f"{finding}. Верно {numbers.significant(result.true, 6)}; {ends}.")


def value(number: float) -> str:
    """A sum as far as it is worth reading."""
    return numbers.significant(number, 6)


def _finding(result: Result) -> str:
    naive, times = result.ways[0], numbers.plural(result.count, "раз", "раза", "раз")
    term, start = numbers.significant(result.asked_term), numbers.significant(result.asked_start)
    if not math.isfinite(naive.last):
        return f"{result.title} переполняется: {start} + {times} по {term} в него не помещается"
    if result.lost:
        return f"{times} прибавили {term} к {start} в {result.title}: не изменилось ничего"
    if result.stuck_at is not None:
        step = numbers.integer(result.stuck_at)
        return f"После {step}-го слагаемого сумма в {result.title} встала: {numbers.significant(naive.last)}"
    miss = _percent(naive.error, result.true)
    return f"Сумма в {result.title} ошибается на {numbers.significant(miss or 0, 3)}{numbers.NBSP}%"


def _notes(result: Result) -> Iterator[str]:
    if result.step is not None:
        half = numbers.significant(result.step / 2)
        yield (
            f"Шаг {result.title} у начала — {numbers.significant(result.step)}. Прибавка меньше половины шага, {half}, "
            "округляется обратно. Поэтому мастер-веса и накопители держат в FP32."
        )
    term = numbers.significant(result.term)
    yield (
        f"В {result.title} слагаемое {numbers.significant(result.asked_term)} — это {term}: накопитель FP32 складывает "
        "уже его. Поправка Кэхэна помнит потерянное вторым числом формата. Случайное округление верно в среднем: "
        "другое зерно даст другой итог."
    )


def _warnings(result: Result) -> Iterator[str]:
    if result.asked_term and not result.term:
        yield f"Слагаемое {numbers.significant(result.asked_term)} само исчезает в {result.title}: это ноль."


def _hover(title: str, step: int, value: float) -> str:
    return f"{title}: {numbers.integer(step)} — {numbers.significant(value, 6)}"


def _percent(error: float, true: float) -> float | None:
    return 100 * error / abs(true) if true and math.isfinite(error) else None
