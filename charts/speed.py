"""Charts of speed: forms of the weights, batches, lengths of the request, the KV cache. Measured, not counted.

Leaves out measuring (``demos.inference.timing``).
"""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go

from charts import origin, theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.inference.speed import BATCHES, LENGTHS, Point, Result
from demos.inference.timing import FORMS
from demos.inference.timing import Result as Measured

COLOURS = {
    "float32": palette.ROLES["base"],
    "bfloat16": palette.BLUE,
    "int8": palette.ORANGE,
    "nf4": palette.ROLES["quantized"],
    "adapter": palette.SKY,
    "merged": palette.GREEN,
}
CPU = (
    "Модель крошечная, а считает процессор: распаковка 4-битных весов здесь дороже, чем чтение несжатых. "
    "На видеокарте с большой моделью соотношение другое: там узкое место — память."
)


def recorded(result: Result) -> Drawing:
    """One comparison of recorded points."""
    if result.problem:
        return Drawing(warnings=(result.problem,))
    drawn = {"forms": forms, "batch": batches, "prompt": lengths, "cache": caches}[result.against](result)
    return Drawing(
        charts=(drawn, *((sizes(result),) if result.against == "forms" else ())),
        tables=(_table(result),),
        notes=(CPU, *origin.said(result.origin)),
    )


def forms(result: Result) -> Chart:
    """Tokens a second of one request in every form."""
    by_form = {point.form: point for point in result.points}
    full, four = by_form["float32"], by_form["nf4"]
    finding = (
        f"NF4 занимает в {numbers.decimal(full.weights / four.weights, 1)} раза меньше памяти, а скорость — "
        f"{numbers.percent(four.rate / full.rate, 0)} от float32"
    )
    figure = theme.figure(finding, x="токенов в секунду, один запрос", height=330)
    _bars(
        figure, result.points, lambda point: point.rate, lambda point: f"{numbers.significant(point.rate, 3)} токенов/с"
    )
    return Chart(
        figure, f"{finding}. {_listed(result.points, lambda p: f'{numbers.significant(p.rate, 3)} токенов/с')}."
    )


def sizes(result: Result) -> Chart:
    """Bytes of the weights in every form."""
    least = min(result.points, key=lambda point: point.weights)
    finding = (
        f"Меньше всего места у {FORMS[least.form]}: {numbers.size(least.weights)}; эмбеддинги в 8 и 4 бита не сжимают"
    )
    figure = theme.figure(finding, x="веса в памяти, МБ", height=330)
    _bars(figure, result.points, lambda point: point.weights / 1e6, lambda point: numbers.size(point.weights, 2))
    return Chart(figure, f"{finding}. {_listed(result.points, lambda p: numbers.size(p.weights, 2))}.")


def batches(result: Result) -> Chart:
    """Tokens a second of the whole batch against its size."""
    one, many = (_at(result, "float32", batch=batch) for batch in (BATCHES[0], BATCHES[-1]))
    finding = (
        f"Пачка из {many.batch} запросов: в {numbers.decimal(many.rate / one.rate, 1)} раза больше токенов в секунду, "
        f"но первый токен — через {_milliseconds(many.first)}, а не через {_milliseconds(one.first)}"
    )
    figure = theme.figure(finding, x="запросов в пачке", y="токенов/с на всех", height=440)
    _lines(figure, result, lambda point: point.batch, lambda point: point.rate, " токенов/с")
    figure.update_xaxes(tickvals=list(BATCHES))
    return Chart(
        figure, f"{finding}. {_listed(result.points, lambda p: f'{p.batch}: {numbers.significant(p.rate, 3)}')}."
    )


def lengths(result: Result) -> Chart:
    """Time to the first token against the length of the request."""
    short, long = (_at(result, "float32", prompt=length) for length in (LENGTHS[0], LENGTHS[-1]))
    finding = (
        f"Запрос длиннее в {round(long.prompt / short.prompt)} раз: первый токен — через {_milliseconds(long.first)} "
        f"вместо {_milliseconds(short.first)}, следующий — за {_milliseconds(long.each)} "
        f"вместо {_milliseconds(short.each)}"
    )
    figure = theme.figure(finding, x="токенов в запросе", y="первый токен, мс", height=440)
    _lines(figure, result, lambda point: point.prompt, lambda point: 1000 * point.first, " мс")
    figure.update_xaxes(tickvals=list(LENGTHS))
    words = _listed(result.points, lambda p: f"{_tokens(p)} — {numbers.significant(1000 * p.first, 3)} мс")
    return Chart(figure, f"{finding}. {words}.")


def caches(result: Result) -> Chart:
    """Time of one further token with the cache and without, in float32."""
    with_, without = (_at(result, "float32", prompt=LENGTHS[-1], cache=cache) for cache in (True, False))
    finding = (
        f"Следующий токен после {LENGTHS[-1]}: с кэшем {_milliseconds(with_.each)}, без кэша "
        f"{_milliseconds(without.each)}; кэш занимает {numbers.size(with_.cache_bytes)}"
    )
    figure = theme.figure(finding, x="токенов в запросе", y="следующий токен, мс", height=380)
    for cache, name, colour, dash in (
        (True, "с KV-кэшем", palette.BLUE, "solid"),
        (False, "без кэша", palette.VERMILION, "dash"),
    ):
        points = [point for point in result.points if point.form == "float32" and point.cache == cache]
        points.sort(key=lambda point: point.prompt)
        figure.add_scatter(
            x=[point.prompt for point in points],
            y=[1000 * point.each for point in points],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2.5, "dash": dash},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[f"{name}, {_tokens(p)}: {numbers.significant(1000 * p.each, 3)} мс" for p in points],
        )
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(tickvals=list(LENGTHS))
    kept = [point for point in result.points if point.form == "float32"]
    words = _listed(
        kept,
        lambda p: f"{_tokens(p)} {'с кэшем' if p.cache else 'без кэша'} — {numbers.significant(1000 * p.each, 3)} мс",
    )
    return Chart(figure, f"{finding}. {words}.")


def live(result: Measured) -> Drawing:
    """One point measured now."""
    if result.problem:
        return Drawing(warnings=(result.problem,))
    return Drawing(
        numbers=(
            Number("До первого токена", f"{numbers.significant(1000 * result.first, 3)} мс"),
            Number("Следующий токен", f"{numbers.significant(1000 * result.each, 3)} мс"),
            Number("Токенов в секунду", numbers.significant(result.rate, 3), "на всю пачку, после первого токена"),
            Number("KV-кэш в конце", numbers.size(result.cache_bytes) if result.cache_bytes else "нет"),
            Number("Веса", numbers.size(result.weights, 2)),
        ),
        notes=(
            f"Медиана {numbers.plural(result.repeats, 'повтора', 'повторов', 'повторов')} на этой машине прямо сейчас: "
            "если она занята другим, числа хуже записанных.",
        ),
    )


def _tokens(point: Point) -> str:
    return numbers.plural(point.prompt, "токен", "токена", "токенов")


def _milliseconds(seconds: float) -> str:
    return f"{numbers.significant(1000 * seconds, 2)}{numbers.NBSP}мс"


def _at(result: Result, form: str, **wanted: object) -> Point:
    return next(
        point
        for point in result.points
        if point.form == form and all(getattr(point, name) == value for name, value in wanted.items())
    )


def _bars(
    figure: go.Figure, points: tuple[Point, ...], take: Callable[[Point], float], words: Callable[[Point], str]
) -> None:
    rows = points[::-1]
    figure.add_bar(
        x=[take(point) for point in rows],
        y=[FORMS[point.form] for point in rows],
        orientation="h",
        marker={"color": [COLOURS[point.form] for point in rows]},
        text=[words(point) for point in rows],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    figure.update_xaxes(range=[0, 1.35 * max(take(point) for point in points)])


def _lines(
    figure: go.Figure, result: Result, x: Callable[[Point], int], y: Callable[[Point], float], unit: str
) -> None:
    for form, title in FORMS.items():
        points = sorted((point for point in result.points if point.form == form), key=x)
        figure.add_scatter(
            x=[x(point) for point in points],
            y=[y(point) for point in points],
            name=title,
            mode="lines+markers",
            line={"color": COLOURS[form], "width": 2.5},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[f"{title}, {x(point)}: {numbers.significant(y(point), 3)}{unit}" for point in points],
        )
    figure.update_yaxes(rangemode="tozero")


def _listed(points: tuple[Point, ...] | list[Point], words: Callable[[Point], str]) -> str:
    return "; ".join(f"{FORMS[point.form]}: {words(point)}" for point in points)


def _table(result: Result) -> Table:
    head = (
        "Веса",
        "Запросов в пачке",
        "Токенов в запросе",
        "KV-кэш",
        "До первого токена, мс",
        "Следующий токен, мс",
        "Токенов в секунду",
        "Кэш, Б",
        "Веса, Б",
        "Повторов",
    )
    rows = tuple(
        (
            FORMS[point.form],
            point.batch,
            point.prompt,
            point.cache,
            1000 * point.first,
            1000 * point.each,
            point.rate,
            point.cache_bytes,
            point.weights,
            point.repeats,
        )
        for point in result.points
    )
    return Table(
        "Все измеренные точки",
        head,
        rows,
        f"После запроса — ещё {result.new} токенов, без досрочного конца. Время процессора, "
        "один поток, лучшее из повторов: столько ждут на свободной машине.",
    )
