"""Charts of a classifier under a threshold: matrix, what the threshold buys, whether its shares come true.

Leaves out the numbers (``demos.classifier.threshold``) and comparing kinds (``charts.classifiers``).
"""

from __future__ import annotations

from charts import heat, origin, theme
from charts.chart import Chart
from charts.drawing import Cell, Drawing, Number, Table
from common import numbers, palette
from demos.classifier.threshold import FREQUENT, Result, Spot
from demos.finetuning.events import Score

BAND = "rgba(0,114,178,0.18)"
NONE = "нет ответа"
FEW = 10
"""Thresholds that leave fewer answers are not drawn: their interval is everything. The table has them."""


def drawn(result: Result) -> Drawing:
    """Matrix, curve, trust; every class as a table."""
    if result.problem or result.now is None:
        return Drawing(warnings=(result.problem,))
    return Drawing(
        charts=(matrix(result), curve(result), trust(result)),
        numbers=_numbers(result),
        tables=(_classes(result), _mistakes(result), _curve_table(result), _groups_table(result)),
        notes=(*_checked(result), *_rare(result), *origin.said(result.origin)),
    )


def matrix(result: Result) -> Chart:
    """Rows: the truth; columns: the answers, those withheld last."""
    columns = [*result.names, NONE] if result.rule == "sure" else list(result.names)
    rows = [row[: len(columns)] for row in result.matrix]
    totals = [sum(row) for row in result.matrix]
    finding = matrix_finding(result)
    figure = theme.figure(finding, x="ответ", y="на самом деле", height=390)
    heat.draw(figure, rows, totals, rows=result.names, columns=columns, size=10)
    said = heat.spell(rows, rows=result.names, columns=columns)
    return Chart(figure, f"{finding}. Строки — на самом деле, столбцы — ответ. {said}.")


def matrix_finding(result: Result) -> str:
    """How many are right and which mistake is the most frequent, without a full stop."""
    right = f"Верны {_count(result.accuracy)}"
    wrong = [
        (count, name, said)
        for name, row in zip(result.names, result.matrix, strict=True)
        for said, count in zip(result.names, row, strict=False)
        if name != said and count
    ]
    if not wrong:
        return f"{right}, ошибок нет"
    count, name, said = max(wrong, key=lambda one: one[0])
    return f"{right}; чаще всего путает «{name}» → «{said}»: {count}"


def curve(result: Result) -> Chart:
    """Coverage against accuracy, or recall against precision, with Wilson's band and the thresholds of now."""
    sure = result.rule == "sure"
    finding = curve_finding(result)
    x, y = ("охват, %", "верно из отвеченных, %") if sure else ("полнота, %", "точность класса, %")
    figure = theme.figure(finding, x=x, y=y, height=370)
    shown = [spot for spot in result.curve if spot.score.of >= FEW] or list(result.curve)
    places = [100 * spot.share for spot in shown]
    for bound, fill in (("high", None), ("low", "tonexty")):
        figure.add_scatter(
            x=places,
            y=[100 * getattr(spot.score, bound) for spot in shown],
            mode="lines",
            line={"width": 0},
            fill=fill,
            fillcolor=BAND,
            hoverinfo="skip",
            showlegend=False,
        )
    figure.add_scatter(
        x=places,
        y=[100 * _share(spot.score) for spot in shown],
        mode="lines",
        line={"color": palette.BLUE, "width": 2.5},
        customdata=[_hover(spot) for spot in shown],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )
    for spot, name, symbol, colour in (
        (result.now, "экзамен", "circle", palette.BLUE),
        (result.validation, "проверочная часть", "diamond-open", palette.VERMILION),
    ):
        if spot is not None and spot.score.of:
            figure.add_scatter(
                x=[100 * spot.share],
                y=[100 * _share(spot.score)],
                mode="markers",
                name=f"ваш порог: {name}",
                marker={"color": colour, "size": 13, "symbol": symbol, "line": {"width": 2}},
                customdata=[_hover(spot)],
                hovertemplate=f"{name}: %{{customdata}}<extra></extra>",
            )
    figure.update_xaxes(range=[-2, 103])
    return Chart(figure, f"{finding}. Полоса — интервал Уилсона, 95{numbers.NBSP}%.")


def curve_finding(result: Result) -> str:
    """What the threshold of now buys, without a full stop."""
    now, least = result.now, numbers.significant(result.now.threshold if result.now else 0)
    if now is None or not now.score.of:
        return (
            f"При пороге {least} не отвечает ни разу"
            if result.rule == "sure"
            else f"«{result.watched}» не названа ни разу"
        )
    if result.rule == "sure" and now.share == 1:
        return f"Порог {least}: ответ есть на всё, верны {_percent(_share(now.score))}"
    if result.rule == "sure":
        told = f"Порог {least}: охват {_percent(now.share)}, верны {_percent(_share(now.score))}"
        return f"{told}; без порога верны {_percent(_share(result.argmax))}"
    return f"«{result.watched}», порог {least}: полнота {_percent(now.share)}, точность {_percent(_share(now.score))}"


def trust(result: Result) -> Chart:
    """Promised shares against what came true, in groups of nearly one confidence."""
    finding = trust_finding(result)
    figure = theme.figure(finding, x="обещает softmax, %", y="верно, %", height=360)
    figure.add_scatter(
        x=[0, 100],
        y=[0, 100],
        mode="lines",
        name="обещания сбываются",
        line={"color": palette.GREY, "dash": "dot"},
        hoverinfo="skip",
    )
    shares = [100 * _share(one.score) for one in result.groups]
    figure.add_scatter(
        x=[100 * one.promised for one in result.groups],
        y=shares,
        mode="markers",
        name="на экзамене",
        marker={"color": palette.BLUE, "size": 12},
        error_y=theme.whiskers(
            [(100 * one.score.low, 100 * one.score.high) for one in result.groups],
            shares,
            thickness=1.5,
            color=palette.BLUE,
        ),
        customdata=[f"обещано {_percent(one.promised, 1)}, верны {_count(one.score)}" for one in result.groups],
        hovertemplate="%{customdata}<extra></extra>",
    )
    figure.update_xaxes(range=[15, 104])
    figure.update_yaxes(range=[-3, 104])
    words = "; ".join(f"обещано {_percent(one.promised, 1)}, верны {_count(one.score)}" for one in result.groups)
    return Chart(figure, f"{finding}. {words}.")


def trust_finding(result: Result) -> str:
    """Whether the shares of softmax may be taken at their word, without a full stop."""
    promised, came = result.confidence, result.argmax
    told = f"Softmax обещает в среднем {_percent(promised, 1)}, верны {_percent(_share(came), 1)}"
    if came is None or came.low <= promised <= came.high:
        return f"{told}: в пределах случая"
    return f"{told}: самоуверен" if promised > came.high else f"{told}: скромничает"


def _numbers(result: Result) -> tuple[Number, ...]:
    low, high = numbers.decimal(result.macro_low), numbers.decimal(result.macro_high)
    return (
        Number("Верные ответы", _percent(_share(result.answered), 1), _interval(result.answered)),
        Number(
            "Охват",
            _percent(result.coverage, 1),
            f"Ответов: {result.answered.of if result.answered else 0} из {result.of}.",
        ),
        Number(
            "Macro-F1",
            numbers.decimal(result.macro),
            f"От {low} до {high} у 95{numbers.NBSP}% пересобранных экзаменов. Нет ответа — класс не найден.",
        ),
        Number(
            "Обещает softmax",
            _percent(result.confidence, 1),
            f"Средняя наибольшая доля. Без порога верны {_count(result.argmax)}.",
        ),
    )


def _checked(result: Result) -> tuple[str, ...]:
    """The same threshold on the validation part: there it should be chosen."""
    spot = result.validation
    if spot is None:
        return ()
    share = "охват" if result.rule == "sure" else "полнота"
    return (
        f"На проверочной части тот же порог даёт: {share} {_percent(spot.share)}, верно {_count(spot.score)}. "
        "Порог выбирают по ней, а экзамен смотрят один раз.",
    )


def _rare(result: Result) -> tuple[str, ...]:
    if not result.skewed:
        return ()
    return (
        f"Экзамен из ста обращений, как в почте: «{FREQUENT}» — 92, остальных по два. "
        "По двум обращениям о классе почти ничего не сказать: смотрите на интервал macro-F1.",
    )


def _classes(result: Result) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.name, one.support, one.said, one.hits, one.precision, one.recall, one.f1) for one in result.classes
    )
    columns = ("Класс", "Было", "Назван", "Верно", "Точность", "Полнота", "F1")
    return Table("По классам", columns, rows, "Пустая точность: класс не назван ни разу.", folded=False)


def _mistakes(result: Result) -> Table:
    rows = tuple((one.text, one.right, one.said, one.confidence) for one in result.mistakes)
    return Table(
        "Где ошибся", ("Обращение", "На самом деле", "Ответ", "Доля softmax"), rows, "Сначала самые уверенные."
    )


def _curve_table(result: Result) -> Table:
    share = "Охват" if result.rule == "sure" else "Полнота"
    rows = tuple(
        (spot.threshold, spot.share, spot.score.right, spot.score.of, spot.score.low, spot.score.high)
        for spot in result.curve
    )
    return Table("Все пороги", ("Порог", share, "Верно", "Из", "Интервал от", "до"), rows)


def _groups_table(result: Result) -> Table:
    rows = tuple((one.low, one.high, one.promised, one.score.right, one.score.of) for one in result.groups)
    return Table("Обещано и сбылось", ("Доля от", "до", "В среднем", "Верно", "Из"), rows)


def _share(score: Score | None) -> float:
    return score.right / score.of if score is not None and score.of else 0.0


def _count(score: Score | None) -> str:
    return f"{score.right} из {score.of}" if score is not None else ""


def _percent(share: float, digits: int = 0) -> str:
    return numbers.percent(share, digits)


def _interval(score: Score | None) -> str:
    if score is None:
        return ""
    low, high = (numbers.decimal(100 * each, 1) for each in (score.low, score.high))
    return f"{_count(score)}, интервал Уилсона от {low} до {high}{numbers.NBSP}%."


def _hover(spot: Spot) -> str:
    return f"порог {numbers.decimal(spot.threshold, 3)}: {_percent(spot.share, 1)}, верны {_count(spot.score)}"
