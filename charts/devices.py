"""Charts of several devices: transfers over PCIe, stages of ZeRO; and the table of tools for bottlenecks.

Leaves out computing: every number comes in a Result of ``demos.timing``.
"""

from __future__ import annotations

from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from common.numbers import NBSP
from demos.timing.tools import BOTTLENECKS
from demos.timing.tools import Result as Tools
from demos.timing.transfer import Result as Transfer
from demos.timing.zero import Result as Zero


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
    finding = f"{numbers.size(stages[0].total)} без ZeRO, {numbers.size(stages[3].total)} на стадии 3"
    figure = theme.figure(finding, x="память карты, ГБ (10⁹ байт)", height=370)
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
    words = "; ".join(f"{stage.title} — {numbers.size(stage.total)}" for stage in stages)
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
    return Drawing(tables=(Table("То же таблицей", names, rows, note),))


def _seconds(value: float) -> str:
    if value < 1:
        return f"{numbers.decimal(1000 * value, 1 if value < 0.1 else 0)}{NBSP}мс"
    return f"{numbers.decimal(value, 2 if value < 100 else 0)}{NBSP}с"


def _rate(value: float) -> str:
    return f"{numbers.decimal(value / 1e9, 1)}{NBSP}ГБ/с"
