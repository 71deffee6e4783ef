"""Kinds of classifier by the number of examples, and two of them answer for answer.

Leaves out the numbers (``demos.classifier.compare``) and thresholds (``charts.classifier``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from charts import origin, theme
from charts.chart import Chart
from charts.drawing import Cell, Drawing, Number, Table
from common import numbers, palette
from demos.classifier.compare import Line, Point, Result
from demos.finetuning.events import Score

COLOURS: Mapping[str, str] = {
    "words": palette.ORANGE,
    "probe": palette.GREEN,
    "head": palette.PURPLE,
    "lora": palette.ROLES["lora"],
    "longer": palette.SKY,
}
SYMBOLS: Mapping[str, str] = {"words": "square", "probe": "diamond", "head": "x", "lora": "circle", "longer": "star"}
SURE = 0.05
"""A difference counts when McNemar's exact test gives less."""


def drawn(result: Result) -> Drawing:
    """Curves of all kinds, the chosen pair in numbers, the requests on which they differ."""
    if result.first is None or result.second is None:
        return Drawing(warnings=(result.problem,))
    return Drawing(
        charts=(curves(result), pair(result)),
        numbers=_numbers(result),
        tables=(_exact(result), _changed(result)),
        notes=(_seeds(result), *origin.said(result.origin)),
    )


def curves(result: Result) -> Chart:
    """Right answers over the number of examples, on a logarithmic axis; other seeds as rings."""
    finding = curves_finding(result)
    figure = theme.figure(finding, x="обучающих примеров", y="верно, %", height=420)
    for line in result.lines:
        shares = [100 * share(point.score) for point in line.points]
        colour = COLOURS[line.method]
        figure.add_scatter(
            x=[point.examples for point in line.points],
            y=shares,
            mode="lines+markers",
            name=line.short,
            line={"color": colour, "width": 2.5},
            marker={"size": 10, "symbol": SYMBOLS[line.method]},
            error_y=theme.whiskers(
                [(100 * one.score.low, 100 * one.score.high) for one in line.points], shares, thickness=1
            ),
            customdata=[f"{line.title}, {_examples(one.examples)}: {interval(one.score)}" for one in line.points],
            hovertemplate="%{customdata}<extra></extra>",
        )
        figure.add_scatter(
            x=[result.seed_size] * len(line.seeds),
            y=[100 * right / result.of for right in line.seeds],
            mode="markers",
            marker={"size": 7, "color": colour, "symbol": "circle-open"},
            hoverinfo="skip",
            showlegend=False,
        )
    places = [point.examples for point in result.lines[0].points]
    figure.update_xaxes(type="log", tickvals=places, ticktext=[numbers.integer(place) for place in places])
    figure.update_xaxes(range=[math.log10(places[0]) - 0.1, math.log10(places[-1]) + 0.1])
    figure.update_yaxes(range=[0, 104])
    words = "; ".join(
        f"{line.short}: {', '.join(f'{one.examples} — {count(one.score)}' for one in line.points)}"
        for line in result.lines
    )
    return Chart(figure, f"{finding}. {words}.")


def curves_finding(result: Result) -> str:
    """Who is ahead at the chosen number of examples, without a full stop."""
    now = [(line, _at(line, result.examples)) for line in result.lines]
    best, point = max(now, key=lambda one: one[1].score.right)
    return f"{_examples(result.examples)}: впереди «{best.short}», {count(point.score)}"


def pair(result: Result) -> Chart:
    """What the second mends and what it spoils."""
    finding = pair_finding(result)
    figure = theme.figure(finding, x="ответов экзамена", height=230)
    names = ("исправил второй", "испортил второй")
    values, colours = (result.gained, result.lost), (palette.GREEN, palette.VERMILION)
    figure.add_bar(
        x=values,
        y=names,
        orientation="h",
        marker={"color": colours},
        text=[str(value) for value in values],
        textposition="auto",
        hovertemplate="%{y}: %{x}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_xaxes(rangemode="tozero")
    same = f"Оба верны в {result.both}, оба неверны в {result.neither} из {result.of}."
    return Chart(figure, f"{finding}. Исправлено {result.gained}, испорчено {result.lost}. {same}")


def pair_finding(result: Result) -> str:
    """Whether the second is better than the first for sure, without a full stop."""
    first, second = (line.short if line is not None else "" for line in (result.first, result.second))
    chance = f"p{numbers.NBSP}={numbers.NBSP}{numbers.significant(result.p_value, 2)}"
    if first == second:
        return "Это один и тот же способ"
    if result.p_value >= SURE:
        return f"«{second}» против «{first}»: разница может быть случайной, {chance}"
    word = "лучше" if result.gained > result.lost else "хуже"
    return f"«{second}» {word}, чем «{first}»: {chance}"


def _numbers(result: Result) -> tuple[Number, ...]:
    shown = []
    for line, point in ((result.first, result.first_now), (result.second, result.second_now)):
        if line is not None and point is not None:
            told = f"{line.title}: {interval(point.score)}. На своих обучающих — {count(point.fitted)}."
            name = line.short[:1].upper() + line.short[1:]
            shown.append(Number(name, count(point.score), told))
    return (
        *shown,
        Number(
            "Плюсы и минусы", f"{result.gained} и {result.lost}", "Сколько ответов второй исправил и сколько испортил."
        ),
        Number("p Макнемара", numbers.significant(result.p_value, 2), "Так часто такой перекос выпадает у равных."),
    )


def _seeds(result: Result) -> str:
    told = [f"{line.short} — от {line.least} до {line.most}" for line in result.lines if len(line.seeds) > 1]
    count_ = numbers.plural(max(len(line.seeds) for line in result.lines), "зерно", "зерна", "зёрен")
    return (
        f"Кружки — {count_} одного рецепта на {result.seed_size} примерах, верных из {result.of}: {'; '.join(told)}. "
        "Планки — интервал Уилсона. Зерно меняет голову, A и порядок примеров, не сами примеры."
    )


def _exact(result: Result) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            line.title,
            point.examples,
            point.score.right,
            point.score.of,
            100 * point.score.low,
            100 * point.score.high,
            point.fitted.right,
            point.seconds,
        )
        for line in result.lines
        for point in line.points
    ]
    columns = ("Способ", "Примеров", "Верно", "Из", "Интервал от, %", "до, %", "Верно на обучающих", "Обучение, с")
    return Table("Точные значения", columns, tuple(rows), "Секунды — время процессора, одно ядро.")


def _changed(result: Result) -> Table:
    rows = tuple((one.text, one.right, one.first, one.second) for one in result.changed)
    return Table("Где двое разошлись", ("Обращение", "На самом деле", "Первый", "Второй"), rows)


def _at(line: Line, examples: int) -> Point:
    return next(point for point in line.points if point.examples == examples)


def _examples(value: int) -> str:
    return numbers.plural(value, "пример", "примера", "примеров")


def share(score: Score) -> float:
    """The part that was right."""
    return score.right / score.of


def count(score: Score) -> str:
    """«450 из 500»."""
    return f"{score.right} из {score.of}"


def interval(score: Score) -> str:
    """The count with its interval."""
    low, high = (numbers.decimal(100 * each, 1) for each in (score.low, score.high))
    return f"{count(score)}, интервал {low}–{high}{numbers.NBSP}%"
