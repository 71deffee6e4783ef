"""Charts of the router: its confusion matrix, risk against coverage, confidences, and one request's way.

Leaves out the numbers (``demos.router``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from charts import heat, theme
from charts.chart import Chart
from charts.drawing import Cell, Drawing, Number, Table
from common import numbers, palette
from demos.finetuning.adapters.routing import BASE
from demos.finetuning.events import Score
from demos.router.ask import Result as Asked
from demos.router.confusion import UNSURE, Result
from demos.router.requests import KINDS, OUTSIDE

SENT: Mapping[str, str] = {**KINDS, BASE: "база", UNSURE: "не уверен → база"}
"""Where a request went."""
COLOURS: Mapping[str, str] = {
    "json": palette.BLUE,
    "polite": palette.ORANGE,
    "intents": palette.GREEN,
    BASE: palette.ROLES["base"],
    OUTSIDE: palette.VERMILION,
}


def confusion(result: Result) -> Drawing:
    """Matrix, risk against coverage, confidences."""
    return Drawing(
        charts=(matrix(result), risk(result), confidences(result)),
        numbers=(
            Number("Попали куда надо", _share(result.routed), _interval(result.routed)),
            Number("Верных ответов", _share(result.answered), _interval(result.answered)),
            Number("Лучшее возможное", _share(result.best_possible), "Если каждый запрос послать к своему адаптеру."),
            Number("Ничьи — адаптеру", _share(result.false_accepts), _interval(result.false_accepts)),
        ),
        tables=(_matrix_table(result), _mistakes(result), _curve_table(result)),
        notes=(
            "Уверенность — наибольшая доля softmax от близости запроса к примерам каждого адаптера в скрытых "
            "состояниях базы. Ниже порога роутер воздерживается, и отвечает база. Покрытие — доля запросов, которые "
            "он решил; риск — доля неверных среди решённых; для ничьих запросов верно только «база».",
            f"Уверенность отличает свои запросы от ничьих с AUROC {numbers.decimal(result.separation)} "
            f"(0,5 — наугад). Запросы и ответы измерены заранее: {result.made}.",
        ),
    )


def matrix(result: Result) -> Chart:
    """Rows: where requests come from; columns: where they went."""
    rows, columns = [KINDS[kind] for kind in result.kinds], [SENT[place] for place in result.sent]
    totals = [sum(row) for row in result.matrix]
    finding = (
        f"Куда надо попали {_count(result.routed)}; чаще всего путаются {worst(result)}"
        if worst(result)
        else f"Куда надо попали {_count(result.routed)}"
    )
    figure = theme.figure(finding, x="куда отправлен", y="чей запрос", height=400)
    heat.draw(figure, result.matrix, totals, rows=rows, columns=columns, size=11)
    said = heat.spell(result.matrix, rows=rows, columns=columns)
    return Chart(figure, f"{finding}. {said}.")


def worst(result: Result) -> str:
    """The most frequent mistake among requests that have a place, in words; empty when there is none."""
    found = [
        (count, kind, place)
        for kind, row in zip(result.kinds, result.matrix, strict=True)
        for place, count in zip(result.sent, row, strict=True)
        if OUTSIDE != kind != place != UNSURE and count
    ]
    if not found:
        return ""
    _, kind, place = max(found, key=lambda one: one[0])
    return f"«{KINDS[kind]}» → «{SENT[place]}»"


def risk(result: Result) -> Chart:
    """Risk and right answers over coverage, with the threshold of now."""
    now = result.now
    finding = f"Покрытие {numbers.percent(now.coverage, 0)}, риск {numbers.percent(now.risk, 0)}"
    strict = [spot for spot in result.curve if spot.coverage > 0]
    figure = theme.figure(finding, x="покрытие: решено запросов, %", y="%", height=360)
    lines = (("риск: решено неверно", palette.VERMILION, "risk"), ("верных ответов системы", palette.BLUE, "answered"))
    for name, colour, pick in lines:
        figure.add_scatter(
            x=[100 * spot.coverage for spot in strict],
            y=[100 * getattr(spot, pick) for spot in strict],
            name=name,
            mode="lines",
            line={"color": colour},
            customdata=[numbers.decimal(spot.threshold, 3) for spot in strict],
            hovertemplate="порог %{customdata}: %{y:.1f} %<extra>" + name + "</extra>",
        )
        figure.add_scatter(
            x=[100 * now.coverage],
            y=[100 * getattr(now, pick)],
            mode="markers",
            marker={"color": colour, "size": 12, "line": {"width": 2, "color": "white"}},
            showlegend=False,
            hovertemplate="сейчас: %{y:.1f} %<extra></extra>",
        )
    figure.update_xaxes(range=[0, 103])
    figure.update_yaxes(range=[0, 103])
    answered = numbers.percent(now.answered, 0)
    return Chart(figure, f"{finding}, верных ответов системы {answered} при пороге {numbers.decimal(now.threshold)}.")


def confidences(result: Result) -> Chart:
    """Every request's confidence by where it comes from; filled where its nearest place is the right one."""
    own = [one.confidence for one in result.decisions if one.kind != OUTSIDE]
    strange = [one.confidence for one in result.decisions if one.kind == OUTSIDE]
    middle, other = numbers.decimal(_middle(own)), numbers.decimal(_middle(strange))
    finding = f"Медиана уверенности: свои запросы {middle}, ничьи {other}"
    figure = theme.figure(finding, x="уверенность роутера", height=380)
    for kind in result.kinds:
        for right, symbol in ((True, "circle"), (False, "x")):
            chosen = [one for one in result.decisions if one.kind == kind and (one.best == _home(kind)) == right]
            figure.add_scatter(
                x=[one.confidence for one in chosen],
                y=[KINDS[kind]] * len(chosen),
                mode="markers",
                marker={"color": COLOURS[kind], "symbol": symbol, "size": 9, "opacity": 0.6},
                showlegend=False,
                customdata=[[_short(one.text), SENT[one.best]] for one in chosen],
                hovertemplate="«%{customdata[0]}»<br>ближе всего: %{customdata[1]}, %{x:.3f}<extra></extra>",
            )
    figure.add_vline(x=result.now.threshold, line={"color": palette.GREY, "dash": "dot"})
    figure.update_xaxes(range=[0.2, 1.02])
    figure.update_yaxes(autorange="reversed", type="category")
    return Chart(figure, f"{finding}. Круг — ближайший адаптер верен, крест — нет; пунктир — порог.")


def asked(result: Asked) -> Drawing:
    """One request: shares of the places, then all answers."""
    return Drawing(
        charts=(shares(result),),
        numbers=(
            Number("Уверенность", numbers.decimal(result.confidence)),
            Number("Выбор", f"{numbers.significant(1000 * result.route_seconds, 2)}{numbers.NBSP}мс"),
            Number("Четыре ответа разом", f"{numbers.significant(1000 * result.answer_seconds, 3)}{numbers.NBSP}мс"),
        ),
        tables=(
            Table(
                "Кто что ответил бы",
                ("Кто", "Доля", "Ответ", "Выбран"),
                tuple(
                    (SENT[one.name], share, one.text or "(пусто)", one.name == result.chosen)
                    for one in result.said
                    for share in (next(each.share for each in result.shares if each.name == one.name),)
                ),
                "Все ответы — из одного пакета: у каждой строки свой адаптер, у последней — ни одного.",
                folded=False,
            ),
        ),
    )


def shares(result: Asked) -> Chart:
    """The softmax over the places, and the threshold."""
    if result.abstained:
        finding = (
            f"Роутер не уверен: {numbers.decimal(result.confidence)} ниже порога "
            f"{numbers.decimal(result.threshold)}, отвечает база"
        )
    else:
        finding = f"Роутер выбрал «{SENT[result.chosen]}» с уверенностью {numbers.decimal(result.confidence)}"
    figure = theme.figure(finding, x="доля softmax", height=260)
    figure.add_bar(
        x=[one.share for one in result.shares],
        y=[SENT[one.name] for one in result.shares],
        orientation="h",
        marker={"color": [COLOURS[one.name] for one in result.shares]},
        customdata=[numbers.decimal(one.cosine, 3) for one in result.shares],
        hovertemplate="%{y}: %{x:.3f}, близость %{customdata}<extra></extra>",
    )
    figure.add_vline(x=result.threshold, line={"color": palette.GREY, "dash": "dot"})
    figure.update_xaxes(range=[0, 1.02])
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    said = "; ".join(f"{SENT[one.name]} {numbers.decimal(one.share, 3)}" for one in result.shares)
    return Chart(figure, f"{finding}. Доли: {said}.")


def _matrix_table(result: Result) -> Table:
    rows: list[tuple[Cell, ...]] = [(KINDS[kind], *row) for kind, row in zip(result.kinds, result.matrix, strict=True)]
    return Table("Матрица ошибок", ("Чей запрос", *(SENT[place] for place in result.sent)), tuple(rows))


def _mistakes(result: Result) -> Table:
    wrong = [one for one in result.decisions if one.best != _home(one.kind)]
    rows = tuple(
        (one.text, KINDS[one.kind], SENT[one.best], one.confidence, SENT[one.sent], one.right)
        for one in sorted(wrong, key=lambda one: -one.confidence)
    )
    columns = ("Запрос", "Чей", "Ближе всего", "Уверенность", "Отправлен", "Ответ верен")
    return Table("Где роутер неправ", columns, rows, "Сначала самые уверенные ошибки.")


def _curve_table(result: Result) -> Table:
    rows = tuple((spot.threshold, spot.coverage, spot.risk, spot.answered) for spot in result.curve)
    return Table("Риск и покрытие", ("Порог", "Покрытие", "Риск", "Верных ответов"), rows)


def _home(kind: str) -> str:
    return BASE if kind == OUTSIDE else kind


def _share(score: Score) -> str:
    return numbers.percent(score.right / score.of, 0)


def _count(score: Score) -> str:
    return f"{score.right} из {score.of}"


def _interval(score: Score) -> str:
    return f"{_count(score)}, интервал Уилсона от {100 * score.low:.0f} до {100 * score.high:.0f}{numbers.NBSP}%."


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _short(text: str) -> str:
    line = text.replace("<", "‹").replace(">", "›")  # Plotly reads tags
    return line if len(line) <= 60 else f"{line[:59]}…"
