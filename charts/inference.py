"""Charts of an answer: how sure the model was of every token, what else could have come, three models side by side.

Leaves out speed (``speed``) and the computing: every number comes in a Result of ``demos.inference``.
"""

from __future__ import annotations

import math

from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.inference.compare import TITLES
from demos.inference.compare import Result as Compared
from demos.inference.sample import Candidate, Result, Step

CERTAIN = 0.5
"""Bits: a step below this is hardly a choice."""
COLOURS = {"base": palette.ROLES["base"], "tuned": palette.ROLES["lora"], "merged": palette.GREEN}
LIKELIEST, OTHER = palette.BLUE, palette.ORANGE


def answered(result: Result) -> Drawing:
    """The answer as a whole: its tokens and how sure each was. One step is drawn by ``step``."""
    if result.problem:
        return Drawing(warnings=(result.problem,))
    return Drawing(
        charts=(tokens(result),),
        numbers=(
            Number("Токенов в ответе", numbers.integer(len(result.steps))),
            Number("Не самых вероятных", numbers.integer(sum(each.place > 1 for each in result.steps))),
            Number(
                "Шанс ответа",
                numbers.significant(math.prod(each.chosen.plain for each in result.steps), 3),
                "произведение вероятностей всех токенов при T = 1, без отсечений",
            ),
            Number("Токенов в запросе", numbers.integer(result.prompt_tokens)),
        ),
        tables=(_table(result),),
        notes=(
            "«·» — пробел. Модель пишет слева направо и не возвращается: выбранный токен она уже не поправит. "
            f"Словарь — {numbers.integer(result.vocabulary)} токенов.",
            *([] if result.ended else ["Ответ оборван: вышло число токенов, а конца модель не назвала."]),
        ),
    )


def tokens(result: Result) -> Chart:
    """Every token of the answer and its own probability; those that were not the likeliest stand out."""
    finding = _answer_finding(result)
    figure = theme.figure(finding, x="токены ответа по порядку", y="вероятность, %", height=380)
    for name, colour, kept in (("самый вероятный", LIKELIEST, True), ("не самый вероятный", OTHER, False)):
        chosen = [(place, each) for place, each in enumerate(result.steps) if (each.place == 1) == kept]
        figure.add_bar(
            x=[place for place, _ in chosen],
            y=[100 * each.chosen.plain for _, each in chosen],
            name=name,
            marker={"color": colour},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[_step_hover(place, each) for place, each in chosen],
        )
    _ticks(figure, [each.token for each in result.steps])
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(range=[0, 104])
    words = ", ".join(f"{each.token} {numbers.percent(each.chosen.plain, 1)}" for each in result.steps)
    return Chart(figure, f"{finding}. Токены: {words}.")


def step(result: Result, place: int) -> Chart:
    """One step: candidates by probability, what was cut, what came, and where top-p drew the line."""
    made = result.steps[place]
    finding = _step_finding(result, place)
    figure = theme.figure(finding, x="кандидаты, от вероятного к редкому", y="вероятность, %", height=440)
    shown = made.candidates
    for name, colour, kept in (("можно выбрать", LIKELIEST, True), ("отсечён", palette.GREY, False)):
        of_kind = [(spot, one) for spot, one in enumerate(shown) if (one.left > 0) == kept]
        figure.add_bar(
            x=[spot for spot, _ in of_kind],
            y=[100 * one.heated for _, one in of_kind],
            name=name,
            marker={
                "color": [OTHER if one.chosen else colour for _, one in of_kind],
                "line": {"width": 0},
            },
            opacity=1 if kept else 0.55,
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[_candidate_hover(one) for _, one in of_kind],
        )
    if result.temperature != 1 and not result.greedy:
        figure.add_scatter(
            x=list(range(len(shown))),
            y=[100 * one.plain for one in shown],
            mode="markers",
            name="при T = 1",
            marker={"symbol": "line-ew-open", "size": 16, "color": palette.PURPLE, "line": {"width": 2}},
            hoverinfo="skip",
        )
    if not result.greedy:
        _top_p(figure, result, shown)
    _ticks(figure, [one.token for one in shown])
    chosen = next(spot for spot, one in enumerate(shown) if one.chosen)
    figure.add_annotation(
        x=chosen, y=100 * shown[chosen].heated, text="выбран", showarrow=False, yshift=11, font={"size": 13}
    )
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(range=[0, 109])
    words = "; ".join(_candidate_hover(one) for one in shown)
    return Chart(figure, f"{finding}. {words}.")


def beside(result: Compared) -> Drawing:
    """Base, tuned and merged: the first token and the whole answers."""
    if result.problem:
        return Drawing(warnings=(result.problem,))
    said = tuple((TITLES[each.name], each.text, len(each.tokens)) for each in result.answers)
    by_token = tuple(
        (TITLES[each.name], place + 1, token.text, token.probability)
        for each in result.answers
        for place, token in enumerate(each.tokens)
    )
    share = result.beside / result.weights
    return Drawing(
        charts=(first(result),),
        numbers=(
            Number(
                "Сдвиг от адаптера", numbers.significant(result.shift, 3), "наибольшее изменение логита по всему ответу"
            ),
            Number("Сдвиг от слияния", numbers.significant(result.gap, 3), "слитая модель против адаптера рядом"),
            Number("Адаптер", numbers.percent(share, 1), f"{numbers.integer(result.beside)} параметров"),
        ),
        tables=(
            Table("Ответы", ("Модель", "Ответ", "Токенов"), said, folded=False),
            Table("Вероятность каждого токена", ("Модель", "Место", "Токен", "Вероятность"), by_token),
        ),
        notes=(_merge_note(result),),
    )


def first(result: Compared) -> Chart:
    """The likeliest first tokens: three bars each."""
    finding = _first_finding(result)
    figure = theme.figure(finding, x="первый токен ответа", y="вероятность, %", height=400)
    for place, (name, title) in enumerate(TITLES.items()):
        figure.add_bar(
            x=list(range(len(result.first))),
            y=[100 * each.probabilities[place] for each in result.first],
            name=title,
            marker={"color": COLOURS[name]},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[
                f"{title}: «{each.text}» — {numbers.significant(100 * each.probabilities[place], 4)}{numbers.NBSP}%"
                for each in result.first
            ],
        )
    _ticks(figure, [each.text for each in result.first])
    figure.update_yaxes(range=[0, 104])
    words = "; ".join(
        f"«{each.text}»: " + ", ".join(numbers.percent(share, 1) for share in each.probabilities)
        for each in result.first
    )
    return Chart(figure, f"{finding}. По порядку {', '.join(TITLES.values())}: {words}.")


def widest(result: Result) -> int:
    """The step at which the model was least sure."""
    return max(range(len(result.steps)), key=lambda place: result.steps[place].entropy)


def step_table(result: Result, place: int) -> Table:
    """The candidates of one step, exactly."""
    head = ("Токен", "При T = 1", "После температуры", "Накоплено", "После отсечений", "Выбран")
    rows = tuple(
        (one.token, one.plain, one.heated, one.cumulative, one.left, one.chosen)
        for one in result.steps[place].candidates
    )
    return Table(f"Кандидаты шага {place + 1}", head, rows)


def _top_p(figure: object, result: Result, shown: tuple[Candidate, ...]) -> None:
    """The running sum and the line that it must reach."""
    figure.add_scatter(  # type: ignore[attr-defined]
        x=list(range(len(shown))),
        y=[100 * one.cumulative for one in shown],
        mode="lines+markers",
        name="накопленная сумма",
        line={"color": palette.GREEN, "width": 2, "shape": "hv"},
        marker={"size": 5},
        hoverinfo="skip",
    )
    if result.top_p < 1:
        figure.add_hline(  # type: ignore[attr-defined]
            y=100 * result.top_p,
            line={"color": palette.VERMILION, "width": 1.5, "dash": "dash"},
            annotation_text=f"top-p = {numbers.significant(result.top_p, 3)}",
            annotation_position="bottom right",
        )


def _ticks(figure: object, names: list[str]) -> None:
    """Tokens under their bars: places are numbers, because one token may come twice."""
    figure.update_xaxes(  # type: ignore[attr-defined]
        tickvals=list(range(len(names))),
        ticktext=[theme_text(name) for name in names],
        tickangle=-50 if len(names) > 6 else 0,
        range=[-0.7, len(names) - 0.3],
    )


def theme_text(token: str) -> str:
    """A token for a label: Plotly reads «<» as markup."""
    return token.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _answer_finding(result: Result) -> str:
    least = widest(result)
    made, text = result.steps[least], theme_text(result.text)
    shown = text if len(text) <= 60 else f"{text[:59]}…"
    if made.entropy < CERTAIN:
        return f"«{shown}»: модель уверена в каждом токене"
    return f"«{shown}»: самый неуверенный токен — {least + 1}-й, «{theme_text(made.token)}»"


def _step_finding(result: Result, place: int) -> str:
    made = result.steps[place]
    token = theme_text(made.token)
    if result.greedy:
        return f"Шаг {place + 1}: взят самый вероятный, «{token}» ({numbers.percent(made.chosen.plain, 1)})"
    left = numbers.plural(made.kept, "токена", "токенов", "токенов")
    return (
        f"Шаг {place + 1}: из {left} вышел «{token}», {made.place}-й по вероятности; его шанс — "
        f"{numbers.percent(made.chosen.left, 1)}"
    )


def _first_finding(result: Compared) -> str:
    base, tuned, _ = (max(result.first, key=lambda each, spot=spot: each.probabilities[spot]).text for spot in range(3))  # type: ignore[misc]
    if base == tuned:
        return f"Первый токен у базы и с адаптером один: «{theme_text(base)}»"
    return f"База начинает с «{theme_text(base)}», с адаптером — «{theme_text(tuned)}»"


def _merge_note(result: Compared) -> str:
    if result.same:
        return (
            f"Слитая модель ({result.merged}) отвечает токен в токен как с адаптером рядом: проверено одним проходом "
            "по всему ответу. Лишних умножений в ней нет, а вернуть базу без её файла уже нельзя."
        )
    return f"Слитая модель ({result.merged}) расходится с адаптером на токене {result.parted}: слияние округлило веса."


def _step_hover(place: int, made: Step) -> str:
    return (
        f"{place + 1}. «{theme_text(made.token)}»: {numbers.percent(made.chosen.plain)}, {made.place}-й по вероятности"
        f"<br>осталось для выбора: {numbers.integer(made.kept)}, энтропия {numbers.decimal(made.entropy)} бит"
    )


def _candidate_hover(one: Candidate) -> str:
    tail = f"после отсечений {numbers.percent(one.left)}" if one.left else "отсечён"
    return (
        f"«{theme_text(one.token)}»: при T = 1 {numbers.percent(one.plain)}, после температуры "
        f"{numbers.percent(one.heated)}, накоплено {numbers.percent(one.cumulative)}, {tail}"
    )


def _table(result: Result) -> Table:
    head = ("Место", "Токен", "Вероятность при T = 1", "Шанс после отсечений", "По вероятности", "Осталось", "Бит")
    rows = tuple(
        (place + 1, each.token, each.chosen.plain, each.chosen.left, each.place, each.kept, each.entropy)
        for place, each in enumerate(result.steps)
    )
    return Table("Все токены ответа", head, rows)
