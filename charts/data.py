"""Training data drawn: lengths against the window, findings by line, balanced and unbalanced classes with their runs.

Leaves out computing (``demos.data``).
"""

from __future__ import annotations

from charts import theme
from charts.chart import Chart
from charts.drawing import Cell, Drawing, Number, Table
from common import numbers, palette
from demos.data.balance import Result as Balance
from demos.data.balance import Side
from demos.data.convert import FORM_TITLES
from demos.data.convert import Result as Converted
from demos.data.lint import Finding, Result

LEVELS = {"error": "ошибка", "warning": "замечание"}
SIDES = {"intents": palette.BLUE, "intents_skewed": palette.VERMILION}
MOST_BARS = 80


def linted(result: Result) -> Drawing:
    """How long the examples are and everything found in them."""
    share = numbers.percent(result.trained / result.tokens, 0) if result.tokens else "—"
    return Drawing(
        charts=(lengths(result),) if result.lengths else (),
        numbers=(
            Number("Ошибок", numbers.integer(result.errors), "С ними файл не примут в обучение."),
            Number("Замечаний", numbers.integer(result.warnings)),
            Number("Примеров", numbers.integer(result.train)),
            Number("Токенов", numbers.integer(result.tokens), "В шаблоне мини-переводчика, с метками."),
            Number("Из них в потерях", share, "Токены ответов вместе с концом."),
        ),
        tables=(_findings(result.findings, "Что найдено"), _answers(result)),
        notes=(f"И ещё {numbers.plural(result.more, 'находка', 'находки', 'находок')}.",) if result.more else (),
        warnings=(),
    )


def lengths(result: Result) -> Chart:
    """A bar for every example, or a histogram when there are many; the window as a line."""
    values = [length for _, length in result.lengths]
    longest = max(values)
    cut = numbers.plural(result.too_long, "пример не помещается", "примера не помещаются", "примеров не помещаются")
    finding = (
        f"{cut} в окно {numbers.integer(result.longest)}"
        if result.too_long
        else f"Все примеры помещаются в окно: самый длинный — {numbers.plural(longest, 'токен', 'токена', 'токенов')}"
    )
    many = len(values) > MOST_BARS
    figure = theme.figure(
        finding, x="длина примера, токены" if many else "строка файла", y="примеры" if many else "токены", height=300
    )
    if many:
        figure.add_histogram(
            x=values, nbinsx=40, marker={"color": palette.BLUE}, hovertemplate="%{x}: %{y}<extra></extra>"
        )
        figure.add_vline(x=result.longest, line={"color": palette.VERMILION, "dash": "dash"})
    else:
        figure.add_bar(
            x=[str(line) for line, _ in result.lengths],
            y=values,
            marker={"color": [palette.VERMILION if value > result.longest else palette.BLUE for value in values]},
            hovertemplate="строка %{x}: %{y} ток.<extra></extra>",
        )
        figure.add_hline(y=result.longest, line={"color": palette.VERMILION, "dash": "dash"})
        figure.update_xaxes(type="category")
    mean = numbers.decimal(sum(values) / len(values), 1)
    return Chart(figure, f"{finding}. Средняя длина {mean}, самая большая {longest}, окно {result.longest} токенов.")


def converted(result: Converted) -> Drawing:
    """How many records came through, and those that did not."""
    forms = ", ".join(f"{title} — {count}" for title, count in result.forms)
    return Drawing(
        numbers=(
            Number("Прочитано", numbers.integer(sum(count for _, count in result.forms))),
            Number("Записано", numbers.integer(len(result.lines))),
            Number(
                "Читается обратно", numbers.integer(result.same), "Разговоры, которые из новой записи читаются теми же."
            ),
            Number("Не поместилось", numbers.integer(len(result.faults))),
        ),
        tables=(
            _findings(result.faults, "Что не записано"),
            Table(f"Записи: {FORM_TITLES[result.target]}", ("строка", "запись"), result.lines),
        ),
        notes=(f"Узнаны форматы: {forms}.",) if forms else (),
    )


def balanced(result: Balance) -> Drawing:
    """Classes of both training sets, and what the runs on them came to."""
    known = [side for side in result.sides if side.outcomes]
    missing = [side.title for side in result.sides if not side.outcomes]
    return Drawing(
        charts=(classes(result), *((outcome(result, known),) if known else ())),
        numbers=tuple(
            Number(f"Верно: {side.title}", numbers.percent(side.accuracy, 1), _seeds(side)) for side in known
        ),
        tables=(_class_table(result), *((_run_table(known),) if known else ())),
        notes=("На проверке всех классов поровну, поэтому перекос виден в ответах, а не в потерях на обучении.",),
        warnings=(f"Ещё не записано: {', '.join(missing)}. Запустите сами — ссылки ниже.",) if missing else (),
    )


def classes(result: Balance) -> Chart:
    """Examples of every class, both sides."""
    chosen = next(side for side in result.sides if side.task == result.chosen)
    most, many = chosen.classes[0]
    total = sum(count for _, count in chosen.classes)
    share = numbers.percent(many / total, 0)
    even = many * len(chosen.classes) == total
    said = f"каждого класса по {share}" if even else f"«{most}» — {share}"
    finding = f"Обучение «{chosen.title}»: {said} из {numbers.integer(total)} примеров"
    figure = theme.figure(finding, x="обучающих примеров", height=350)
    for side in result.sides:
        figure.add_bar(
            y=[name for name, _ in side.classes],
            x=[count for _, count in side.classes],
            name=side.title,
            orientation="h",
            marker={"color": SIDES[side.task], "pattern": {"shape": "/" if side.task == "intents_skewed" else ""}},
            opacity=1 if side.task == result.chosen else 0.4,
            text=[str(count) for _, count in side.classes],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"{side.title}, %{{y}}: %{{x}}<extra></extra>",
        )
    figure.update_layout(barmode="group", legend_traceorder="normal")
    largest = max(count for side in result.sides for _, count in side.classes)
    figure.update_xaxes(range=[0, 1.15 * largest])  # room for the longest bar's number
    figure.update_yaxes(categoryorder="array", categoryarray=[name for name, _ in chosen.classes][::-1], showgrid=False)
    words = "; ".join(f"{name} — {numbers.integer(count)}" for name, count in chosen.classes)
    return Chart(figure, f"{finding}. {words}.")


def outcome(result: Balance, known: list[Side]) -> Chart:
    """Accuracy on the same balanced questions: the mean as a bar, every run as a dot, blind guessing as a line."""
    words = " и ".join(f"{side.title} — {numbers.percent(side.accuracy, 1)}" for side in known)
    finding = f"Один рецепт, разные данные: {words} верных ответов"
    figure = theme.figure(finding, x="верных, %; классов поровну", height=230)
    figure.add_bar(
        y=[side.title for side in known],
        x=[100 * side.accuracy for side in known],
        orientation="h",
        marker={"color": [SIDES[side.task] for side in known]},
        customdata=[f"{side.title}: {numbers.percent(side.accuracy, 1)}. {_seeds(side)}" for side in known],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )
    figure.add_scatter(
        y=[side.title for side in known for _ in side.outcomes],
        x=[100 * end.score.right / end.score.of for side in known for end in side.outcomes],
        mode="markers",
        marker={"color": palette.ORANGE, "size": 10, "symbol": "diamond", "line": {"width": 1, "color": palette.BLACK}},
        customdata=[
            f"зерно {end.seed}: {end.score.right} из {end.score.of}" for side in known for end in side.outcomes
        ],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )
    figure.add_vline(x=100 * result.guess, line={"color": palette.GREY, "dash": "dot"})
    figure.update_xaxes(range=[0, 103])
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    level = numbers.percent(result.guess, 0)
    return Chart(figure, f"{finding}. Пунктир — {level}: столько даст один и тот же ответ на всё.")


def _seeds(side: Side) -> str:
    return "Запуски: " + ", ".join(f"{end.score.right} из {end.score.of}" for end in side.outcomes) + "."


def _class_table(result: Balance) -> Table:
    counts = [dict(side.classes) for side in result.sides]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (name, *(each[name] for each in counts)) for name, _ in result.sides[0].classes
    )
    return Table("Классы в обучении", ("класс", *(side.title for side in result.sides)), rows)


def _run_table(known: list[Side]) -> Table:
    rows = tuple(
        (side.title, end.seed, end.score.right, end.score.of, end.score.low, end.score.high, end.loss, end.date[:10])
        for side in known
        for end in side.outcomes
    )
    head = ("данные", "зерно", "верно", "из", "не меньше", "не больше", "loss на проверке", "записано")
    return Table("Записанные запуски", head, rows, note="Границы доли верных — 95 %, по Уилсону.")


def _findings(found: tuple[Finding, ...], title: str) -> Table:
    rows = tuple((LEVELS[item.level], item.where.replace(" ", numbers.NBSP), item.text) for item in found)
    return Table(title, ("что", "где", "что не так и что делать"), rows, folded=False)


def _answers(result: Result) -> Table:
    shown = tuple((text if len(text) <= 80 else f"{text[:79]}…", count) for text, count in result.answers)
    note = f"Разных ответов: {numbers.integer(result.different)}." if result.different else ""
    return Table("Частые ответы", ("ответ", "раз"), shown, note=note)
