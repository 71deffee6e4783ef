"""What became of the old skills, as a chart, and how a score is said. Leaves out measuring (``demos.finetuning``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from charts import theme
from charts.chart import Chart
from common import numbers, palette
from demos.finetuning.events import Retention, Score

SKILLS = {
    "to_english": "перевод на английский",
    "to_russian": "перевод на русский",
    "repeat": "повтор",
    "symbols": "знаки",
    "count": "счёт слов",
    "add": "сложение",
    "reverse": "наоборот",
    "pick": "выбор",
    "ask": "вопрос о предложении",
    "pattern": "по образцу",
    "passage": "ответ по тексту",
    "look_up": "поиск в списке",
}
"""The base model's skills as people call them."""


def retention(rows: Sequence[Retention]) -> Chart:
    """Old skills before and after: a grey ring, a coloured dot, a line between them."""
    finding = _kept(rows)
    figure = theme.figure(finding, x="точных ответов, %", height=150 + 32 * max(1, len(rows)))
    names = [SKILLS.get(row.skill, row.skill) for row in rows]
    for name, row in zip(names, rows, strict=True):
        figure.add_scatter(
            x=[100 * share_of(row.before), 100 * share_of(row.after)],
            y=[name, name],
            mode="lines",
            line={"color": palette.GREY, "width": 2},
            hoverinfo="skip",
            showlegend=False,
        )
    _dots(figure, names, [row.before for row in rows], ("до", palette.GREY, "circle-open"))
    _dots(figure, names, [row.after for row in rows], ("после", palette.ACCENT, "circle"))
    figure.update_xaxes(range=[-3, 104])
    figure.update_yaxes(autorange="reversed", type="category")
    words = "; ".join(
        f"{name}: {as_words(row.before)} → {as_words(row.after)}" for name, row in zip(names, rows, strict=True)
    )
    return Chart(figure, f"{finding}. {words}." if words else f"{finding}.")


def _dots(figure: Any, names: list[str], scores: list[Score], look: tuple[str, str, str]) -> None:
    title, colour, symbol = look
    figure.add_scatter(
        x=[100 * share_of(one) for one in scores],
        y=names,
        mode="markers",
        name=title,
        marker={"size": 12, "color": colour, "symbol": symbol, "line": {"width": 2, "color": colour}},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"{name}, {title}: {as_words(one)}" for name, one in zip(names, scores, strict=True)],
    )


def _kept(rows: Sequence[Retention]) -> str:
    hurt = [row for row in rows if row.after.high < row.before.low]
    if not rows:
        return "Старые умения не проверялись"
    if not hurt:
        return "Старые умения на месте: разница в пределах погрешности"
    worst = max(hurt, key=lambda row: share_of(row.before) - share_of(row.after))
    before, after = (numbers.percent(share_of(one), 0) for one in (worst.before, worst.after))
    return f"Больше всего забыто «{SKILLS.get(worst.skill, worst.skill)}»: {before} → {after}"


def share_of(found: Score) -> float:
    """The part that was right; 0 of nothing."""
    return found.right / found.of if found.of else 0.0


def as_words(found: Score) -> str:
    """«189 из 200 (интервал 90 % – 97 %)»."""
    low, high = numbers.percent(found.low, 0), numbers.percent(found.high, 0)
    return f"{found.right} из {found.of} (интервал {low} – {high})"
