"""Old skills against the new one: along one thing that changes, and all runs in one plane.

Leaves out the numbers (``demos.finetuning.forgetting``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from charts import origin, theme
from charts import sweep_words as words
from charts.chart import Chart
from charts.drawing import Cell as Value
from charts.drawing import Drawing, Number, Table
from charts.retention import SKILLS, as_words, share_of
from common import numbers, palette
from demos.finetuning.events import Score
from demos.finetuning.forgetting import Kept, Line, Result

LOOKS: Mapping[str, tuple[str, str]] = {
    "steps": (palette.SKY, "circle"),
    "rate": (palette.BLUE, "square"),
    "rank": (palette.PURPLE, "diamond"),
    "replay": (palette.GREEN, "star"),
    "full": (palette.VERMILION, "cross"),
}
AXIS: Mapping[str, str] = {
    "steps": "шагов обучения",
    "rate": "скорость обучения, LoRA",
    "rank": "ранг r",
    "replay": "доля старых данных в обучении",
    "full": "скорость обучения, полное дообучение",
}
NAMES: Mapping[str, Callable[[float], str]] = {
    "steps": lambda x: numbers.plural(round(x), "шаг", "шага", "шагов"),
    "rate": lambda x: f"LoRA, скорость {words.rate(x)}",
    "rank": lambda x: f"r = {x:.0f}",
    "replay": lambda x: f"старых данных {numbers.percent(x, 0)}",
    "full": lambda x: f"полное дообучение, скорость {words.rate(x)}",
}
SHORT: Mapping[str, str] = {
    "steps": "Шагов",
    "rate": "Скорость",
    "rank": "Ранг",
    "replay": "Старых данных",
    "full": "Скорость полного дообучения",
}
TICKS: Mapping[str, Callable[[float], str]] = {
    "steps": lambda x: f"{x:.0f}",
    "rate": words.rate,
    "rank": lambda x: f"{x:.0f}",
    "replay": lambda x: numbers.percent(x, 0),
    "full": words.rate,
}
NOTE = (
    "Старое умение — доля точных ответов на отложенные вопросы о том, что база умела до обучения: перевод, повтор, "
    "сложение и другое. Ответ, верный по смыслу, но написанный в JSON, не считается: обычную просьбу модель больше не "
    "понимает. Отрезки — интервалы Уилсона, зерно одно. Всё, кроме названного, у точек линии одно: LoRA, r = 16, "
    "160 шагов, скорость 0,0015. Шагов поровну, поэтому чем больше старых данных, тем меньше новых примеров."
)


def drawn(result: Result) -> Drawing:
    """The chosen line, the plane of all lines, the skills one by one."""
    if not result.line.known:
        return Drawing(warnings=(result.notice,) if result.notice else ("У этой линии нет ни одной записи.",))
    return Drawing(
        charts=(path(result), plane(result)),
        numbers=_numbers(result),
        tables=(_table(result),),
        notes=(*compared(result), NOTE, *origin.said(result.origin)),
        warnings=(result.notice,) if result.notice else (),
    )


def path(result: Result) -> Chart:
    """New and old skills along what changes; the grey line is the old ones before tuning."""
    line = result.line
    finding = _finding(line)
    figure = theme.figure(finding, x=AXIS[line.name], y="точных ответов, %", height=380)
    places = [TICKS[line.name](point.x) for point in line.known]
    _scores(figure, places, [point.new for point in line.known], ("новое умение", palette.ORANGE, "solid"), line)
    _scores(figure, places, [point.old for point in line.known], ("старые умения", palette.BLUE, "dash"), line)
    before = [100 * share_of(point.before) for point in line.known if point.before]
    figure.add_scatter(
        x=places,
        y=before,
        name="старые до обучения",
        mode="lines",
        line={"color": palette.GREY, "width": 2, "dash": "dot"},
        hoverinfo="skip",
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(range=[-3, 104])
    points = "; ".join(_point(line, point) for point in line.known)
    return Chart(figure, f"{finding}. {points}.")


def plane(result: Result) -> Chart:
    """Every run: the new skill across, the old ones up; to the right and up is better."""
    finding = _plane_finding(result)
    figure = theme.figure(finding, x="новое умение, % точных", y="старые умения, % точных", height=430)
    for line in result.lines:
        colour, symbol = LOOKS[line.name]
        chosen = line.name == result.factor
        figure.add_scatter(
            x=[_percent(point.new) for point in line.known],
            y=[_percent(point.old) for point in line.known],
            name=line.title,
            mode="lines+markers",
            line={"color": colour, "width": 3 if chosen else 1.5},
            marker={"size": 13 if chosen else 9, "symbol": symbol, "color": colour},
            opacity=1 if chosen else 0.55,
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[_point(line, point) for point in line.known],
        )
    figure.update_xaxes(range=[-3, 104])
    figure.update_yaxes(range=[-3, 104])
    said = "; ".join(f"{line.title}: {_ends(line)}" for line in result.lines if line.known)
    return Chart(figure, f"{finding}. {said}.")


def label(line: Line, point: Kept) -> str:
    """What a point is called."""
    return NAMES[line.name](point.x)


def told(point: Kept) -> str:
    """Both scores of a point, or why there are none."""
    if not point.new or not point.old:
        return "обучение разошлось" if point.recorded else "записи нет"
    return f"новое — {as_words(point.new)}, старые — {as_words(point.old)}"


def _finding(line: Line) -> str:
    first, last = line.known[0], line.known[-1]
    if len(line.known) < 2:
        return "Записана одна точка: вывод делать рано"
    ends = f"{SHORT[line.name]} {TICKS[line.name](first.x)} → {TICKS[line.name](last.x)}"
    old = _moved(first.old, last.old, "старые умения")
    new = _moved(first.new, last.new, "новое")
    return f"{ends}: {old}, {new}"


def _moved(one: Score | None, other: Score | None, name: str) -> str:
    if not one or not other:
        return f"{name} — нет записи"
    if one.high >= other.low and other.high >= one.low:
        return f"{name} — разница в пределах погрешности"
    return f"{name} {_whole(one)} → {_whole(other)}"


def _whole(score: Score) -> str:
    return numbers.percent(share_of(score), 0)


def balanced(lines: Sequence[Line]) -> tuple[Line, Kept] | None:
    """The run whose worse side is best: of the new skill, and of what is left of the old ones."""
    known = [(line, point) for line in lines for point in line.known]
    return max(known, key=lambda each: _worse(each[1]), default=None)


def _worse(point: Kept) -> float:
    if not (point.new and point.old and point.before):
        return 0.0
    return min(share_of(point.new), share_of(point.old) / (share_of(point.before) or 1))


def _plane_finding(result: Result) -> str:
    found = balanced(result.lines)
    if found is None or result.missing:
        return "Записаны не все запуски: вывод делать рано"
    line, point = found
    return f"Лучшее равновесие — {label(line, point)}: {_both(point)}"


def _both(point: Kept) -> str:
    return f"новое {_whole(point.new)}, старое {_whole(point.old)}" if point.new and point.old else ""


def compared(result: Result) -> tuple[str, ...]:
    """What lies beside the finding: the run that gives up nothing of the new skill, and full tuning against LoRA."""
    if result.missing:
        return ()
    known = [(line, point, point.new, point.old) for line in result.lines for point in line.known]
    runs = [(line, point, new, old) for line, point, new, old in known if new and old]
    best = max((new for _, _, new, _ in runs), key=share_of)
    line, point, *_ = max((run for run in runs if run[2].high >= best.low), key=lambda run: share_of(run[3]))
    said = [f"Не уступая лучшему в новом, больше всего старого сохраняет точка «{label(line, point)}»: {_both(point)}."]
    pairs = [
        (one, other)
        for mine, one, new, old in runs
        for theirs, other, less, forgot in runs
        if (mine.name, theirs.name) == ("full", "rate")
        if new.low > less.high and share_of(old) >= share_of(forgot)
    ]
    if pairs:
        one, other = max(pairs, key=lambda pair: _worse(pair[0]))
        said.append(
            "«LoRA забывает меньше» верно не всегда. Здесь полное дообучение на скорости "
            f"{words.rate(one.x)} выучило больше и забыло не больше ({_both(one)}), чем LoRA на скорости "
            f"{words.rate(other.x)} ({_both(other)})."
        )
    return tuple(said)


def _ends(line: Line) -> str:
    return " → ".join(
        f"{_whole(point.new)} нового и {_whole(point.old)} старого" for point in line.known if point.new and point.old
    )


def _numbers(result: Result) -> tuple[Number, ...]:
    found = balanced([result.line])
    if found is None:
        return ()
    line, best = found
    if not (best.old and best.new and best.before):
        return ()
    return (
        Number("Старое до обучения", _whole(best.before), as_words(best.before)),
        Number(
            "Равновесие",
            TICKS[line.name](best.x),
            f"{label(line, best)}: худшая из двух сторон — новое или оставшееся старое — здесь выше, чем у других.",
        ),
        Number("Новое там", _whole(best.new), as_words(best.new)),
        Number("Старое там", _whole(best.old), as_words(best.old)),
    )


def _table(result: Result) -> Table:
    skills = [row.skill for row in result.line.known[0].skills]
    rows: list[tuple[Value, ...]] = [
        (
            line.title,
            NAMES[line.name](point.x),
            point.new.right if point.new else None,
            *(row.after.right for row in point.skills),
        )
        for line in result.lines
        for point in line.known
    ]
    before = {row.skill: row.before for row in result.line.known[0].skills}
    head = (f"{SKILLS.get(skill, skill)}, из {before[skill].of} (было {before[skill].right})" for skill in skills)
    return Table("Умение за умением, верных ответов", ("линия", "точка", "новое", *head), tuple(rows))


def _scores(
    figure: Any, places: Sequence[str], scores: Sequence[Score | None], look: tuple[str, str, str], line: Line
) -> None:
    name, colour, dash = look
    known = [score for score in scores if score]
    figure.add_scatter(
        x=places,
        y=[100 * share_of(score) for score in known],
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 2.5, "dash": dash},
        marker={"size": 10, "symbol": "circle" if dash == "solid" else "square"},
        error_y=theme.whiskers(
            [(100 * score.low, 100 * score.high) for score in known],
            [100 * share_of(score) for score in known],
            color=palette.GREY,
            thickness=1.5,
            width=5,
        ),
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[
            f"{name}, {NAMES[line.name](point.x)}: {as_words(score)}"
            for point, score in zip(line.known, known, strict=True)
        ],
    )


def _point(line: Line, point: Kept) -> str:
    return f"{label(line, point)}: {told(point)}"


def _percent(score: Score | None) -> float | None:
    return 100 * share_of(score) if score else None
