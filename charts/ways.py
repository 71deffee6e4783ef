"""Charts of one task in four ways: who wins where, how sure that is, and what it costs.

Leaves out the counting: every number comes in a Result of ``demos.ways``.
"""

from __future__ import annotations

from charts import origin, theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.finetuning.events import Score
from demos.ways.compare import Result, Row, Verdict
from demos.ways.once import Result as Once
from demos.ways.tasks import SHOTS, WAYS

COLOURS = {"zero": palette.GREY, "few": palette.ORANGE, "retrieval": palette.SKY, "tuned": palette.ROLES["lora"]}
SHORT = {"zero": "запрос", "few": "примеры", "retrieval": "поиск", "tuned": "обучение"}
BRIEF = {"rules": "правило", "codes": "справочник", "json": "JSON", "new_rules": "новое правило"}
"""Tasks in a word, for a narrow screen."""
FOR = {"zero": "без подсказок", "few": "с примерами", "retrieval": "с поиском", "tuned": "после дообучения"}
PARTS = ("", "/")
"""Patterns of a task's parts."""
USELESS = 0.5
"""A task whose best way is right less often was solved by none."""


def compared(result: Result) -> Drawing:
    """Everything about the chosen task, and the verdict on all of them first."""
    if result.problem:
        return Drawing(warnings=(result.problem,))
    return Drawing(
        charts=(verdicts(result), scores(result), *((costs(result),) if _priced(result) else ())),
        numbers=tuple(_number(row) for row in result.rows),
        tables=(_exact(result), _asked(result), _shots(result)),
        notes=(
            f"{result.summary} Поиск: {result.collection}. Обучение: {result.tuning}.",
            *_told(result),
            *origin.said(result.origin),
        ),
    )


def verdicts(result: Result) -> Chart:
    """Tasks against ways: the share of exact answers in every cell."""
    shown = result.verdicts
    figure = theme.figure(_verdict_finding(shown), x="точных ответов, %", height=170 + 48 * len(shown))
    cells = [[score.right / score.of for score in each.scores] for each in shown]
    figure.add_heatmap(
        z=[[100 * share for share in row] for row in cells],
        x=[SHORT[way] for way in WAYS],
        y=[BRIEF[each.task] for each in shown],
        colorscale=[[0, "#E3EDF5"], [1, palette.BLUE]],
        zmin=0,
        zmax=100,
        showscale=False,
        xgap=3,
        ygap=3,
        text=[[numbers.percent(share, 0) for share in row] for row in cells],
        texttemplate="%{text}",
        customdata=[
            [_hover(title, score) for title, score in zip(WAYS.values(), each.scores, strict=True)] for each in shown
        ],
        hovertemplate="%{y}<br>%{customdata}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(showgrid=False, tickangle=0, tickfont={"size": 12})
    words = ". ".join(
        f"{each.title}: "
        + ", ".join(f"{SHORT[way]} {s.right} из {s.of}" for way, s in zip(WAYS, each.scores, strict=True))
        for each in shown
    )
    return Chart(figure, f"{_verdict_finding(shown)}. {words}.")


def scores(result: Result) -> Chart:
    """The chosen task: the share of exact answers of every way with Wilson's interval, by parts where it has some."""
    finding = score_finding(result)
    figure = theme.figure(finding, x="точных ответов, %", height=330 if result.rows[0].parts else 270)
    rows = result.rows[::-1]
    names = [name for name, _ in result.rows[0].parts] or [""]
    for place, name in reversed(list(enumerate(names))):
        known = [row.parts[place][1] if row.parts else row.score for row in rows]
        shares = [100 * score.right / score.of for score in known]
        figure.add_bar(
            x=shares,
            y=[row.title for row in rows],
            orientation="h",
            name=name,
            showlegend=bool(name),
            marker={"color": [COLOURS[row.way] for row in rows], "pattern": {"shape": PARTS[place % len(PARTS)]}},
            error_x=theme.whiskers(
                [(100 * score.low, 100 * score.high) for score in known], shares, thickness=1.5, color=palette.GREY
            ),
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[
                _hover(f"{row.title}{f', {name}' if name else ''}", s) for row, s in zip(rows, known, strict=True)
            ],
        )
    figure.update_layout(bargap=0.3, legend_traceorder="reversed")
    figure.update_xaxes(range=[0, 104])
    words = "; ".join(_row_words(row) for row in result.rows)
    return Chart(figure, f"{finding}. {words}.")


def costs(result: Result) -> Chart:
    """Money for all requests: training and requests stacked."""
    finding, rows = _cost_finding(result), result.rows[::-1]
    figure = theme.figure(finding, x=f"цена {_requests(result.requests)}", height=290)
    parts = (("обучение", palette.PURPLE, lambda row: row.training_cost), ("запросы", palette.SKY, _asking))
    for name, colour, take in parts:
        figure.add_bar(
            x=[take(row) for row in rows],
            y=[row.title for row in rows],
            orientation="h",
            name=name,
            marker={"color": colour},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[f"{row.title}, {name}: {numbers.significant(take(row))}" for row in rows],
        )
    figure.update_layout(barmode="stack")
    words = "; ".join(f"{row.title} — {numbers.significant(row.total_cost)}" for row in result.rows)
    return Chart(figure, f"{finding}. {words}.")


def repeated(result: Once) -> Drawing:
    """One request asked again in all four ways."""
    if result.problem:
        return Drawing(warnings=(result.problem,))
    rows = tuple(
        (one.title, one.prompt, one.text, one.right, one.recorded, one.prompt_tokens, one.seconds, one.training_seconds)
        for one in result.answers
    )
    head = ("Способ", "Что спросили", "Ответ сейчас", "Верно", "В записи", "Токенов", "Ответ, с", "Подготовка, с")
    tables = [Table(f"Запрос {result.number} из {result.of}, верный ответ: {result.right}", head, rows, folded=False)]
    if result.found:
        found = tuple((each.text, each.score) for each in result.found)
        tables.append(Table("Что нашёл поиск", ("Текст", "Сходство BM25"), found))
    other = [one.title for one in result.answers if one.recorded is not None and one.recorded != one.text]
    said = f"Ответ не тот, что в записи: {', '.join(other)}." if other else "Все ответы — те же, что в записи."
    return Drawing(tables=tuple(tables), notes=(said,))


def _verdict_finding(shown: tuple[Verdict, ...]) -> str:
    """Which way wins which task, only where it does so for sure."""
    said = [f"{BRIEF[each.task]} — {SHORT[each.winner]}" for each in shown if each.sure and _solved(each)]
    return f"У задач разные победители: {', '.join(said)}" if len(said) > 1 else "Уверенно не выигрывает никто"


def _solved(verdict: Verdict) -> bool:
    best = verdict.scores[list(WAYS).index(verdict.winner)]  # type: ignore[arg-type]
    return best.right >= USELESS * best.of


def score_finding(result: Result) -> str:
    """Who won the chosen task and who came next, in one sentence without a full stop."""
    verdict = next(each for each in result.verdicts if each.task == result.task)
    by_way = {row.way: row for row in result.rows}
    best, second = by_way[verdict.winner], by_way[verdict.second]
    if not verdict.sure:
        return f"Лучший способ не выделить: {_count(best.score)} и {_count(second.score)}"
    tail = "" if _solved(verdict) else ", и этого мало"
    if not second.score.right:
        return f"{best.title}: {_count(best.score)}{tail}; у остальных ни одного верного ответа"
    return f"{best.title}: {_count(best.score)}{tail}; ближайший — {_lower(second.title)}, {_count(second.score)}"


def _cost_finding(result: Result) -> str:
    cheap = min(result.rows, key=lambda row: row.total_cost / max(row.score.right / row.score.of, 1e-9))
    if not cheap.score.right:
        return "Верных ответов нет ни у одного способа: сравнивать цену не с чем"
    each = cheap.total_cost / (result.requests * cheap.score.right / cheap.score.of)
    return f"Дешевле всего верный ответ {FOR[cheap.way]}: {numbers.significant(1000 * each, 3)} за тысячу"


def _told(result: Result) -> list[str]:
    """What the numbers mean and what this model does not show."""
    said = []
    if result.turns is not None:
        few = next(row.score for row in result.rows if row.way == "few")
        said.append(
            f"Примеры стоят в одной строке с запросом: так модель видела их при предобучении ({_count(few)}). "
            f"Те же примеры в виде разговора: {_count(result.turns)}."
        )
    if result.task in ("rules", "new_rules"):
        unseen = next(each for each in result.verdicts if each.task == "new_rules")
        few = unseen.scores[list(WAYS).index("few")]
        said.append(
            f"Правила, которых не было при предобучении, маленькая модель из примеров не подхватывает: {_count(few)}. "
            "Здесь примеры выбирают из уже известного; учиться по ним новому умеют только большие модели."
        )
    if result.break_even is not None and _priced(result):
        said.append(
            "Если бы все способы отвечали одинаково, обучение окупалось бы против примеров через "
            f"{numbers.plural(round(result.break_even), 'запрос', 'запроса', 'запросов')}."
        )
    return said


def _number(row: Row) -> Number:
    return Number(
        SHORT[row.way].capitalize(),
        numbers.percent(row.score.right / row.score.of, 0),
        f"{_count(row.score)}; запрос — {numbers.significant(row.prompt_tokens, 3)} токена, "
        f"{numbers.significant(1000 * row.seconds, 3)} мс",
    )


def _exact(result: Result) -> Table:
    head = (
        "Способ",
        "Верно",
        "Из",
        "Интервал от, %",
        "до, %",
        "Токенов в запросе",
        "Токенов в ответе",
        "Один запрос, мс",
        "из них поиск, мс",
        "Прочитано при обучении, токенов",
        "Обучение, с",
        "Адаптеров",
        "Тысяча запросов",
        "Всё вместе",
    )
    rows = tuple(
        (
            row.title,
            row.score.right,
            row.score.of,
            100 * row.score.low,
            100 * row.score.high,
            row.prompt_tokens,
            row.answer_tokens,
            1000 * row.seconds,
            1000 * row.search_seconds,
            row.training_tokens,
            row.training_seconds,
            row.adapters,
            1000 * row.request_cost,
            row.total_cost,
        )
        for row in result.rows
    )
    note = "Интервал Уилсона, 95 %. Время — медиана одного запроса на процессоре, поиск включён. Цены — ваши."
    return Table("Точные значения", head, rows, note)


def _asked(result: Result) -> Table:
    example = result.example
    rows = tuple(zip(WAYS.values(), example.prompts, example.answers, strict=True)) if example is not None else ()
    right = f"Верный ответ: {example.right}" if example is not None else ""
    return Table("Один запрос в четырёх видах", ("Способ", "Что видит модель", "Ответ"), rows, right)


def _shots(result: Result) -> Table:
    rows = tuple((count, score.right, score.of) for count, score in result.by_shots)
    return Table(f"Сколько примеров нужно, до {SHOTS}", ("Примеров", "Верно", "Из"), rows)


def _priced(result: Result) -> bool:
    return any(row.total_cost for row in result.rows)


def _asking(row: Row) -> float:
    return row.total_cost - row.training_cost


def _row_words(row: Row) -> str:
    parts = ", ".join(f"{name} {_count(score)}" for name, score in row.parts)
    return f"{row.title} — {_count(row.score)}{f' ({parts})' if parts else ''}"


def _hover(title: str, score: Score) -> str:
    low, high = (numbers.decimal(100 * each, 1) for each in (score.low, score.high))
    return f"{title}: {_count(score)}, интервал {low}–{high}{numbers.NBSP}%"


def _count(score: Score) -> str:
    return f"{numbers.integer(score.right)} из {numbers.integer(score.of)}"


def _requests(count: int) -> str:
    return numbers.plural(count, "запроса", "запросов", "запросов")


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
