"""Charts of time: a profiled step and torch.compile.

Leaves out computing (``demos.timing``), and what goes between devices (``charts.devices``).
"""

from __future__ import annotations

import math
from typing import Any

from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from common.numbers import NBSP
from demos.timing.compiled import Result as Compiled
from demos.timing.step import PHASES
from demos.timing.step import Result as Step

PHASE = {"forward": "прямой проход", "backward": "обратный проход", "optimizer": "оптимизатор"}
KIND = {
    "matmul": "умножение матриц",
    "attention": "внимание",
    "elementwise": "поэлементные",
    "loss": "потери",
    "embedding": "эмбеддинги",
    "memory": "копирование",
    "optimizer": "шаг AdamW",
}
COLOURS = {
    "matmul": palette.BLUE,
    "attention": palette.ORANGE,
    "elementwise": palette.GREEN,
    "loss": palette.VERMILION,
    "embedding": palette.YELLOW,
    "memory": palette.GREY,
    "optimizer": palette.PURPLE,
}


def step(result: Step) -> Drawing:
    """A profiled step: timeline, sums by kind, operators."""
    forward, backward, optimizer = result.phases
    shown = (
        Number("Шаг", _milliseconds(result.total), f"Под профилировщиком, потоков: {result.threads}."),
        Number("Прямой проход", _milliseconds(forward)),
        Number(
            "Обратный проход",
            _milliseconds(backward),
            f"В {numbers.decimal(backward / forward, 1)} раза дольше прямого.",
        ),
        Number("Оптимизатор", _milliseconds(optimizer)),
    )
    rows = tuple(
        (row.name, KIND[row.kind], PHASE[row.phase], row.calls, row.milliseconds, row.milliseconds / result.total * 100)
        for row in result.rows
    )
    table = Table(
        "Операторы",
        ("Оператор", "Что делает", "Когда", "Вызовов", "Своё время, мс", "% шага"),
        rows,
        "Своё время — без того, что оператор вызывает внутри. Короткие операторы профилировщик показывает длиннее.",
    )
    notes = (
        f"Настоящий шаг модели курса на этой машине: {numbers.integer(result.operators)} вызовов, "
        f"{numbers.integer(result.tokens_per_second)} токенов/с. Соседние расчёты сдвигают время: "
        "повторите измерение с другим номером.",
    )
    return Drawing((timeline(result), kinds(result)), shown, (table,), notes)


def timeline(result: Step) -> Chart:
    """What runs when: a lane for each phase, a colour for each kind of work."""
    forward, backward, _ = result.phases
    back, there = (numbers.percent(part / result.total, 0) for part in (backward, forward))
    finding = f"Обратный проход — {back} шага, прямой — {there}"
    figure = theme.figure(finding, x="мс от начала шага", height=370)
    for kind, colour in COLOURS.items():
        spans = [span for span in result.spans if span.kind == kind]
        if not spans:
            continue
        figure.add_bar(
            base=[span.start for span in spans],
            x=[span.length for span in spans],
            y=[PHASE[span.phase] for span in spans],
            name=KIND[kind],
            orientation="h",
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[f"{span.name}: {_milliseconds(span.length)}" for span in spans],
        )
    figure.update_layout(barmode="overlay")
    names = [PHASE[phase] for phase in PHASES]
    figure.update_yaxes(
        categoryorder="array", categoryarray=names, autorange="reversed", showgrid=False, type="category"
    )
    figure.update_xaxes(range=[0, result.total])
    parts = "; ".join(
        f"{PHASE[phase]} — {_milliseconds(length)}" for phase, length in zip(PHASES, result.phases, strict=True)
    )
    return Chart(figure, f"{finding}. {parts}.")


def kinds(result: Step) -> Chart:
    """Own time by kind of work."""
    whole = sum(value for _, value in result.kinds)
    first, most = result.kinds[0]
    finding = f"{numbers.percent(most / whole, 0)} времени — {KIND[first]}"
    figure = theme.figure(finding, x="своё время, мс", height=150 + 34 * len(result.kinds))
    figure.add_bar(
        x=[value for _, value in result.kinds],
        y=[KIND[kind] for kind, _ in result.kinds],
        orientation="h",
        marker={"color": [COLOURS[kind] for kind, _ in result.kinds]},
        text=[numbers.percent(value / whole, 1) for _, value in result.kinds],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"{KIND[kind]}: {_milliseconds(value)}" for kind, value in result.kinds],
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    figure.update_xaxes(range=[0, 1.4 * most])
    return Chart(
        figure, f"{finding}. {'; '.join(f'{KIND[kind]} — {_milliseconds(value)}' for kind, value in result.kinds)}."
    )


def compiled(result: Compiled) -> Drawing:
    """Steps with and without torch.compile."""
    worked = [way for way in result.ways if not way.failed]
    best = min(worked, key=lambda way: way.median)
    eager = worked[0]
    finding = (
        "torch.compile здесь шаг не ускорил"
        if best is eager
        else f"{best.title}: шаг в {numbers.decimal(best.speedup)} раза быстрее"
    )
    figure = theme.figure(finding, x="шаг, мс", height=300)
    for way in worked:
        figure.add_box(
            x=[1000 * step for step in way.steps],
            name=way.title,
            boxpoints="all",
            marker={"color": palette.BLUE if way is best else palette.GREY, "size": 4},
            orientation="h",
            hoverinfo="x",
        )
    figure.update_layout(showlegend=False)
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(rangemode="tozero")
    rows = tuple((way.title, *_way(way), way.failed or None) for way in result.ways)
    names = ("Способ", "Первый шаг, с", "Обычный шаг, мс", "Ускорение", "Окупится через шагов", "Почему нет")
    versions = ", ".join(f"{name} {version}" for name, version in result.versions)
    notes = (
        f"Записано {result.made[:10]} скриптом scripts/timing.py: {result.machine}; {versions}. "
        "Способы шли по очереди, шаг за шагом.",
        "Прямой и обратный проходы и AdamW на модели курса. На видеокарте Inductor пишет ядра Triton "
        "и выигрывает больше; здесь не измерено.",
    )
    words = "; ".join(f"{way.title}: {_milliseconds(1000 * way.median)}" for way in worked)
    return Drawing(
        (Chart(figure, f"{finding}. {words}."),), (), (Table("Измерения", names, rows, folded=False),), notes
    )


def _way(way: Any) -> tuple[float | None, float | None, str | None, str | None]:
    if way.failed:
        return None, None, None, None
    repaid = numbers.integer(way.repaid) if math.isfinite(way.repaid) else "никогда"
    speedup = f"{numbers.decimal(way.speedup)}{NBSP}×"
    return way.first, 1000 * way.median, speedup, None if way.backend == "eager" else repaid


def _milliseconds(value: float) -> str:
    return f"{numbers.decimal(value, 1 if value < 100 else 0)}{NBSP}мс"
