"""Figures of the comparison of PEFT methods: what each trains, and what that costs. Leaves out computing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from charts.lora import decades, parameters, short
from common import numbers, palette
from demos.lora.methods import Result, Row

_COLOURS: Mapping[str, str] = {
    **dict.fromkeys(("lora", "rslora", "dora", "adalora", "vera"), palette.BLUE),
    "ia3": palette.ORANGE,
    **dict.fromkeys(("prompt", "prefix", "ptuning"), palette.GREEN),
    "bottleneck": palette.PURPLE,
    **dict.fromkeys(("modules_to_save", "trainable_tokens"), palette.VERMILION),
}
_FAMILIES = (
    ("низкий ранг", palette.BLUE),
    ("множители", palette.ORANGE),
    ("виртуальные токены", palette.GREEN),
    ("вставки", palette.PURPLE),
    ("LoRA и часть базы", palette.VERMILION),
)
_SHORT = {"bottleneck": "вставки", "modules_to_save": "LoRA + модули", "trainable_tokens": "LoRA + токены"}
"""What a phone has room for."""
FILE, MOMENTS = "файл адаптера", "моменты AdamW"


def draw(result: Result) -> Drawing:
    """The comparison: a figure of counts, a figure of bytes, everything exact in tables."""
    shown = [row for row in result.rows if row.accepted]
    notes = tuple(f"{row.title}: {row.note[0].lower()}{row.note[1:]}" for row in shown if row.note)
    return Drawing(
        charts=(trainable(result, shown), bytes_of(result, shown)),
        numbers=_numbers(shown),
        tables=_tables(result),
        notes=(*result.notes, *notes),
        warnings=(result.alarm,) if result.alarm else (),
    )


def trainable(result: Result, rows: list[Row]) -> Chart:
    """Trainable parameters of each method, on a logarithmic axis."""
    least, most = min(rows, key=_trained), max(rows, key=_trained)
    times = numbers.integer(most.trainable / least.trainable)
    finding = f"{most.title} обучает в {times} раз больше, чем {least.title}"
    figure = theme.figure(finding, x="обучаемые параметры", height=190 + 34 * len(rows))
    for name, colour in _FAMILIES:
        here = [row for row in rows if _COLOURS[row.method] == colour]
        if here:
            _dots(figure, name, here, _trained, parameters, color=colour)
            # the largest has no room on its right: its label stands on its left
            sides = ["middle left" if row.trainable == most.trainable else "middle right" for row in here]
            figure.data[-1].update(mode="markers+text", text=[short(row.trainable) for row in here], textposition=sides)
    figure.update_xaxes(type="log", **decades(least.trainable, most.trainable))
    _order(figure, rows)
    words = "; ".join(f"{row.title} — {parameters(row.trainable)}" for row in rows)
    return Chart(figure, f"{finding}. {result.title}: {words}.")


def bytes_of(result: Result, rows: list[Row]) -> Chart:
    """The file beside the optimizer's state, on a logarithmic axis."""
    small = min(rows, key=lambda row: row.file_bytes)
    finding = f"Самый маленький файл — {small.title}: {numbers.size(small.file_bytes)}"
    figure = theme.figure(finding, x="байты", height=190 + 34 * len(rows))
    _dots(figure, FILE, rows, lambda row: row.file_bytes, _size, color=palette.BLUE)
    _dots(figure, MOMENTS, rows, lambda row: row.optimizer_bytes, _size, color=palette.VERMILION, symbol="diamond")
    values = [value for row in rows for value in (row.file_bytes, row.optimizer_bytes)]
    powers = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)
    ticks = {"tickvals": [10**power for power in powers], "ticktext": [numbers.size(10**power, 0) for power in powers]}
    figure.update_xaxes(type="log", range=[powers[0], powers[-1] + 0.1], **ticks)
    _order(figure, rows)
    words = "; ".join(
        f"{row.title} — файл {_size(row.file_bytes)}, моменты {_size(row.optimizer_bytes)}" for row in rows
    )
    return Chart(figure, f"{finding}. {result.title}: {words}.")


def _dots(
    figure: Any,
    name: str,
    rows: list[Row],
    value: Callable[[Row], int],
    said: Callable[[int], str],
    **marker: str,
) -> None:
    """A mark for each method; ``marker`` says how it looks."""
    figure.add_scatter(
        x=[value(row) for row in rows],
        y=[_short(row) for row in rows],
        name=name,
        mode="markers",
        marker={"size": 13, **marker},
        textposition="middle right",
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"{row.title}, {name}: {said(value(row))}" for row in rows],
        cliponaxis=False,
    )


def _order(figure: Any, rows: list[Row]) -> None:
    """As in the table, from the top down."""
    names = [_short(row) for row in rows]
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], range=[-0.7, len(names) - 0.3])


def _numbers(rows: list[Row]) -> tuple[Number, ...]:
    lora = next((row for row in rows if row.method == "lora"), None)
    if lora is None:
        return ()
    inside = f"{numbers.integer(lora.header_bytes)} Б — заголовок с именами, остальное — сами числа."
    return (
        Number("LoRA: обучается", numbers.integer(lora.trainable)),
        Number("LoRA: доля", numbers.percent(lora.share, 3), "Обучаемые параметры к базе с адаптером."),
        Number("LoRA: файл", numbers.size(lora.file_bytes), inside),
        Number(
            "LoRA: Adam", numbers.size(lora.optimizer_bytes), "Моменты AdamW: два числа на каждый обучаемый параметр."
        ),
    )


def _tables(result: Result) -> tuple[Table, ...]:
    rows = result.rows
    return (
        Table(
            "Точные числа",
            ("метод", "обучается", "доля, %", "файл, Б", "моменты, Б"),
            tuple(
                (row.title, row.trainable, 100 * row.share, row.file_bytes, row.optimizer_bytes)
                if row.accepted
                else (row.title, None, None, None, None)
                for row in rows
            ),
            folded=False,
        ),
        Table(
            "Что обучает каждый метод",
            ("метод", "что обучает", "сколько"),
            tuple((row.title, row.trains, row.formula) for row in rows),
            folded=False,
        ),
        Table(
            "Из чего состоит файл",
            ("метод", "тензоров", "заголовок, Б", "числа, Б", "файл, Б"),
            tuple(
                (row.title, row.tensors, row.header_bytes, row.file_bytes - row.header_bytes, row.file_bytes)
                for row in rows
                if row.accepted
            ),
            "Заголовок — это 8 байт длины и JSON с именами и размерами, дополненный пробелами до кратного 8. Число "
            "адаптера занимает 4 байта, число копии модуля базы — 2. Рядом лежит ещё adapter_config.json, около "
            "килобайта.",
        ),
    )


def _short(row: Row) -> str:
    return _SHORT.get(row.method, row.title)


def _trained(row: Row) -> int:
    return row.trainable


def _size(count: int) -> str:
    return numbers.size(count)
