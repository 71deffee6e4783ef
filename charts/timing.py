"""Charts of time: a profiled step, torch.compile, transfers over PCIe, stages of ZeRO, tools for bottlenecks.

Leaves out computing: every number comes in a Result of ``demos.timing``.
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
from demos.timing.tools import BOTTLENECKS
from demos.timing.tools import Result as Tools
from demos.timing.transfer import Result as Transfer
from demos.timing.zero import Result as Zero

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
    figure = theme.figure(finding, x="мс от начала шага", height=320)
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
    figure = theme.figure(finding, x="своё время операторов, мс", height=150 + 34 * len(result.kinds))
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
    figure.update_xaxes(range=[0, 1.25 * most])
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


def transfer(result: Transfer) -> Drawing:
    """The same bytes over three generations of PCIe."""
    slow, fast = result.rows[0], result.rows[-1]
    moved = numbers.size(result.bytes * result.passes)
    finding = f"{moved} едут {_seconds(slow.seconds)} по PCIe 3.0 и {_seconds(fast.seconds)} по PCIe 5.0"
    figure = theme.figure(finding, x="время переноса, с", height=260)
    words = [
        f"PCIe {row.generation}.0 ×{result.lanes}: {_rate(row.reached)} из {_rate(row.theoretical)}, "
        f"{_seconds(row.seconds)}, "
        f"шаг длиннее в {numbers.decimal(row.slower)} раза"
        for row in result.rows
    ]
    figure.add_bar(
        x=[row.seconds for row in result.rows],
        y=[f"PCIe {row.generation}.0 ×{result.lanes}" for row in result.rows],
        orientation="h",
        marker={"color": palette.BLUE},
        text=[_seconds(row.seconds) for row in result.rows],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata}<extra></extra>",
        customdata=words,
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    figure.update_xaxes(range=[0, 1.3 * slow.seconds])
    rows = tuple(
        (f"PCIe {row.generation}.0", row.theoretical / 1e9, row.reached / 1e9, row.seconds, row.slower)
        for row in result.rows
    )
    names = ("Шина", "Теоретически, ГБ/с", "Достигается, ГБ/с", "Перенос, с", "Шаг дольше, раз")
    notes = (
        "Закреплённую (pinned) память видеокарта читает сама. Обычную драйвер сначала копирует в свой буфер, "
        "и перенос дольше — так в CUDA C++ Best Practices Guide; здесь не измерено.",
        "Шаг дольше — если перенос не идёт одновременно со счётом. "
        "Скорость шины: 8, 16, 32 ГТ/с на линию, 128 бит данных из 130.",
    )
    size = Number("Переносим", moved, numbers.size(result.bytes * result.passes, binary=True))
    return Drawing(
        (Chart(figure, f"{finding}. {'; '.join(words)}."),), (size,), (Table("По поколениям", names, rows),), notes
    )


def zero(result: Zero) -> Drawing:
    """Memory of one card at each stage."""
    stages = result.stages
    finding = f"{_gigabytes(stages[0].total)} на карту без ZeRO, {_gigabytes(stages[3].total)} — на стадии 3"
    figure = theme.figure(finding, x="память одной карты, ГБ (10⁹ байт)", height=320)
    parts = (
        ("веса", palette.ROLES["base"], [stage.weights for stage in stages]),
        ("градиенты", palette.SKY, [stage.gradients for stage in stages]),
        ("оптимизатор", palette.GREEN, [stage.optimizer for stage in stages]),
    )
    for name, colour, values in parts:
        figure.add_bar(
            x=[value / 1e9 for value in values],
            y=[stage.title for stage in stages],
            name=name,
            orientation="h",
            marker={"color": colour},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[f"{name}: {numbers.size(value, 2)}" for value in values],
        )
    figure.update_layout(barmode="stack")
    figure.add_vline(x=result.memory / 1e9, line={"color": palette.VERMILION, "width": 2, "dash": "dot"})
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    rows = tuple(
        (
            s.title,
            s.weights / 1e9,
            s.gradients / 1e9,
            s.optimizer / 1e9,
            s.total / 1e9,
            s.total / 2**30,
            s.traffic / 1e9,
            s.fits,
        )
        for s in stages
    )
    names = (
        "Стадия",
        "Веса, ГБ",
        "Градиенты, ГБ",
        "Оптимизатор, ГБ",
        "Всего, ГБ",
        "Всего, ГиБ",
        "Отправит за шаг, ГБ",
        "Влезет",
    )
    notes = (
        "Формула статьи ZeRO (Rajbhandari и др., 2020): веса 2 байта, градиенты 2, оптимизатор 12 на параметр; "
        "стадия 1 делит между картами оптимизатор, 2 — ещё градиенты, 3 — ещё веса. "
        "Пример статьи: 7,5 млрд параметров, 64 карты — 120, 31,4, 16,6 и 1,9 ГБ.",
        "Активации стадии не делят: прибавьте их из калькулятора памяти. Пунктир — память карты.",
    )
    words = "; ".join(f"{stage.title} — {_gigabytes(stage.total)}" for stage in stages)
    return Drawing((Chart(figure, f"{finding}. {words}."),), (), (Table("По стадиям", names, rows),), notes)


def tools(result: Tools) -> Drawing:
    """What helps where: a table."""
    rows = tuple(
        (BOTTLENECKS[tool.bottleneck], tool.name, tool.gives, tool.how, tool.costs, tool.measures)
        for tool in result.tools
    )
    names = ("Узкое место", "Инструмент", "Что даёт", "Как включить", "Чем платим", "Измеряет?")
    note = (
        "Сначала измерьте. Профилировщики — torch.profiler и torch.cuda.max_memory_allocated; "
        "accelerate, DeepSpeed и torch.compile ничего не измеряют."
    )
    return Drawing(tables=(Table("Какой инструмент для какого узкого места", names, rows, note, folded=False),))


def _milliseconds(value: float) -> str:
    return f"{numbers.decimal(value, 1 if value < 100 else 0)}{NBSP}мс"


def _seconds(value: float) -> str:
    return _milliseconds(1000 * value) if value < 1 else f"{numbers.decimal(value, 2 if value < 100 else 0)}{NBSP}с"


def _rate(value: float) -> str:
    return f"{numbers.decimal(value / 1e9, 1)}{NBSP}ГБ/с"


def _gigabytes(value: float) -> str:
    return numbers.size(value)
