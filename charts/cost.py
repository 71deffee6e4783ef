"""Chart of money: one's own model against an API, total against the number of requests.

Leaves out computing: every number comes in a Result of ``demos.cost``.
"""

from __future__ import annotations

import math

from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from common.numbers import NBSP
from demos.cost.cost import Result


def cost(result: Result) -> Drawing:
    """Both totals, what training took, and where they meet."""
    shown = (
        Number("Обучение", _money(result.training, result), _hours(result)),
        Number("Свой сервер в месяц", _money(result.month_own, result)),
        Number("API в месяц", _money(result.month_api, result)),
        Number("Сравняются при", _even(result, ""), "Запросов в месяц, за весь срок вместе с обучением."),
    )
    table = Table(
        "Запросы и деньги",
        ("Запросов в месяц", f"Своя модель, {result.currency}", f"API, {result.currency}"),
        result.curve,
    )
    return Drawing((total(result),), shown, (_steps(result), table), _notes(result), _warnings(result))


def total(result: Result) -> Chart:
    """Total of the whole term against requests in a month."""
    months = numbers.plural(result.months, "месяц", "месяца", "месяцев")
    finding = _finding(result)
    figure = theme.figure(finding, x="запросов в месяц", y=f"за {months}, {result.currency}", height=360)
    for place, name, colour in ((1, "своя модель", palette.ROLES["lora"]), (2, "API", palette.VERMILION)):
        figure.add_scatter(
            x=[point[0] for point in result.curve],
            y=[point[place] for point in result.curve],
            name=name,
            mode="lines",
            line={"color": colour, "width": 2.5, "dash": "solid" if place == 1 else "dash"},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[
                f"{name}: {numbers.integer(point[0])} запросов — {_money(point[place], result)}"
                for point in result.curve
            ],
        )
    figure.add_vline(x=result.requests, line={"color": palette.ORANGE, "width": 1.5})
    figure.add_annotation(
        x=result.requests, y=1, yref="paper", text="ваши запросы", showarrow=False, xanchor="left", xshift=4
    )
    if math.isfinite(result.even):
        figure.add_vline(x=result.even, line={"color": palette.ROLES["base"], "width": 1, "dash": "dot"})
    figure.update_xaxes(rangemode="tozero", tickformat=",.0f", nticks=5)
    figure.update_yaxes(rangemode="tozero", tickformat=",.0f")
    words = f"Своя модель — {_money(result.total_own, result)}, API — {_money(result.total_api, result)}"
    return Chart(figure, f"{finding}. {words}. Сравняются при {_even(result)}.")


def _finding(result: Result) -> str:
    own, api = result.total_own, result.total_api
    if own == api:
        return "Своя модель и API стоят поровну"
    cheaper, less, more = ("Своя модель", own, api) if own < api else ("API", api, own)
    if more >= 100 * less:
        return f"{cheaper} дешевле больше чем в 100 раз" if less else f"{cheaper}: даром против {_money(more, result)}"
    return f"{cheaper} дешевле в {_times(more / less)} раза"


def _times(value: float) -> str:
    return numbers.decimal(value, 2 if value < 2 else 1)


def _even(result: Result, unit: str = f"{NBSP}в{NBSP}месяц") -> str:
    return f"{numbers.integer(result.even)}{unit}" if math.isfinite(result.even) else "никогда"


def _money(value: float, result: Result) -> str:
    return f"{numbers.decimal(value, 2 if abs(value) < 100 else 0)}{NBSP}{result.currency}"


def _hours(result: Result) -> str:
    where = "оценка по пику карты и MFU" if result.estimated else "ваша скорость"
    return f"{numbers.decimal(result.hours)} ч GPU при {numbers.integer(result.speed)} токенов/с ({where})."


def _steps(result: Result) -> Table:
    """The arithmetic, step by step."""
    own = "карта уже оплачена" if not result.own_each else _each(result.own_each, result)
    rows = (
        ("Обучающих токенов", numbers.integer(result.trained_tokens), "примеры · токены · эпохи"),
        (
            "Операций на токен",
            f"{numbers.decimal(result.operations / 1e9, 1)}{NBSP}млрд",
            "6 на обучаемый вес, 4 на прочий, чекпоинтинг + 2",
        ),
        (
            "Скорость обучения",
            f"{numbers.integer(result.speed)}{NBSP}токенов/с",
            "своя или пик · MFU · карт / операции",
        ),
        ("Время обучения", f"{numbers.decimal(result.wall_hours)}{NBSP}ч", "токены / скорость / 3600"),
        ("Часы GPU", f"{numbers.decimal(result.hours)}{NBSP}ч", "время · карт"),
        ("Обучение", _money(result.training, result), "часы GPU · цена часа"),
        ("Ещё один запрос у себя", own, "токены / скорость сервера · цена часа"),
        ("Ещё один запрос в API", _each(result.api_each, result), "вход · цена + выход · цена"),
        (
            "Карта ответит за месяц",
            f"{numbers.integer(result.capacity)}{NBSP}запросов",
            "730 ч · 3600 · токенов/с / токенов в запросе",
        ),
        ("Сравняются при", _even(result), "(обучение / месяцы + сервер) / (цена API − своя)"),
    )
    return Table("Расчёт по шагам", ("Что", "Сколько", "Как"), rows)


def _each(value: float, result: Result) -> str:
    return f"{numbers.significant(value)}{NBSP}{result.currency}"


def _notes(result: Result) -> tuple[str, ...]:
    dated = f"Цены на {result.priced}. Не учтены налоги, люди, хранение и простой."
    return (dated, "Качество здесь не сравнивается: API другой модели отвечает иначе.")


def _warnings(result: Result) -> tuple[str, ...]:
    found = []
    if result.example:
        found.append("Цены взяты для примера, это ничьё предложение. Впишите свои и дату, на которую они верны.")
    if result.servers > 1:
        cards = numbers.plural(result.servers, "карта", "карты", "карт")
        found.append(f"Одна карта ответит за месяц на {numbers.integer(result.capacity)} запросов: посчитаны {cards}.")
    return tuple(found)
