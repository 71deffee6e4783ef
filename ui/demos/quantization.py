"""Quantization to be touched: one tensor under a magnifier, schemes, levels, blocks, LLM.int8().

Leaves out drawing (``charts.quantization`` and its siblings) and computing (``demos.quantization``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import quantization, quantization_errors, quantization_levels
from charts import quantization_words as words
from common import numbers
from demos.params import Field
from demos.quantization import outliers, snippets
from demos.quantization.blocks import Result as Blocks
from demos.quantization.compare import Result as Compared
from demos.quantization.histogram import Result as Lab
from demos.quantization.levels import Result as Levels
from demos.quantization.outliers import Result as Split
from demos.quantization.schemes import NESTABLE, SCHEMES
from ui import session
from ui.demos import form
from ui.demos import quantization_source as source
from ui.demos.frame import Look, Prediction

GROUP = "Квантование"
DRAGGED = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200)
THRESHOLDS = (0, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 60, 80, 100)
OFFSETS = (0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.9677083, 0.975, 0.98, 0.985, 0.99, 0.995, 0.999, 0.9999)
RIVALS = ("nf4", "fp4", "int4-absmax")
FEW, MANY = 1000, 10_000
"""Different numbers after quantization, as the guesses name them."""


def _lab(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values = source.choose(fields, locked, key)
    with st.grid(2, min_column_width=180):
        values["scheme"] = form.field(fields["scheme"], key, locked="scheme" in locked)
        values["block"] = source.block(fields["block"], key, locked="block" in locked)
    with st.grid(2, min_column_width=180):
        values["outlier"] = form.slider(fields["outlier"], key, DRAGGED, locked="outlier" in locked)
        values["lens"] = form.field(fields["lens"], key, locked="lens" in locked)
    values["double"] = _double(fields["double"], values["scheme"] in NESTABLE, key, locked="double" in locked)
    return values


def _double(item: Field, able: bool, key: str, *, locked: bool) -> bool:
    """Double quantization; switched off and out of reach where a block has two constants."""
    if not able:
        session.remember(form.widget(key, item.name), value=False)
    return st.checkbox(
        item.title,
        key=form.widget(key, item.name),
        disabled=locked or not able,
        help="Сами absmax блоков тоже пишутся в 8 битах, по 256 на один масштаб.",
    )


def _schemes(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values = source.choose(fields, locked, key)
    return values | {"block": source.block(fields["block"], key, locked="block" in locked)}


def _levels(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values: dict[str, Any] = {"table": form.choice(fields["table"], key, locked="table" in locked)}
    with st.grid(2, min_column_width=180):
        if values["table"] == "nf4":
            values["offset"] = st.select_slider(
                fields["offset"].title,
                sorted({*OFFSETS, float(session.recall(form.widget(key, "offset"), fields["offset"].default))}),
                key=form.widget(key, "offset"),
                help=fields["offset"].note,
                disabled="offset" in locked,
                format_func=lambda value: numbers.significant(value, 7),
            )
        values["block"] = source.block(fields["block"], key, locked="block" in locked)
    return values


def _blocks(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values = source.choose(fields, locked, key)
    values["schemes"] = st.pills(
        fields["schemes"].title,
        list(SCHEMES),
        selection_mode="multi",
        key=form.widget(key, "schemes"),
        disabled="schemes" in locked,
        format_func=lambda name: SCHEMES[name].title,
    )
    values["double"] = form.field(fields["double"], key, locked="double" in locked)
    return values


def _split(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "layer": st.selectbox(
            fields["layer"].title, outliers.layers(), key=form.widget(key, "layer"), disabled="layer" in locked
        )
    }
    with st.grid(2, min_column_width=180):
        values["threshold"] = form.slider(fields["threshold"], key, THRESHOLDS, locked="threshold" in locked)
        values["size"] = form.slider(fields["size"], key, THRESHOLDS[2:], locked="size" in locked)
    with st.expander("Ещё настройки", icon=":material/tune:", key=f"{key}-more"), st.grid(2, min_column_width=180):
        for name in ("planted", "phrase", "seed"):
            values[name] = form.field(fields[name], key, locked=name in locked)
    return values


def _distinct(result: Lab) -> int:
    return 0 if result.distinct <= FEW else 1 if result.distinct <= MANY else 2


def _tell_distinct(result: Lab) -> str:
    many = numbers.plural(result.distinct, "разное число", "разных числа", "разных чисел")
    return f"Осталось {many}: уровней в каждом блоке не больше 16, но у каждого блока свой absmax."


def _most_exact(result: Compared) -> int:
    return min(range(len(RIVALS)), key=lambda place: result.row(RIVALS[place]).errors.relative)


def _tell_schemes(result: Compared) -> str:
    rows = [result.row(name) for name in RIVALS]
    listed = ", ".join(f"{row.title} — {words.error(row.errors.relative)}" for row in rows)
    return f"Ошибка: {listed}. Уровни NF4 стоят чаще там, где нормальных чисел больше."


def _positive(result: Levels) -> int:
    return (7, 8, 9).index(sum(one.value > 0 for one in result.levels))


def _tell_levels(result: Levels) -> str:
    above, below = (sum(sign * one.value > 0 for one in result.levels) for sign in (1, -1))
    return f"Выше нуля {above}, ниже {below}, и один уровень — точный ноль: таблица несимметрична."


def _gain(result: Blocks) -> float:
    """By what share NF4's error falls from block 64 to block 16."""
    points = {point.block: point.relative for point in result.curves[0].points}
    return 1 - points[16] / points[64]


def _tell_blocks(result: Blocks) -> str:
    bits = {point.block: point.bits for point in result.curves[0].points}
    return (
        f"Ошибка упала на {numbers.percent(_gain(result), 0)}, а бит на число стало "
        f"{numbers.decimal(bits[16], 1)} вместо {numbers.decimal(bits[64], 1)}: константы блоков не бесплатны."
    )


def _times(result: Split) -> float:
    return result.plain.relative / result.mixed.relative


def _tell_split(result: Split) -> str:
    return (
        f"Было {words.error(result.plain.relative)}, стало {words.error(result.mixed.relative)} — "
        f"в {numbers.decimal(_times(result), 1)} раза меньше. Дальше не пускает округление самих весов: "
        f"{words.error(result.weights.relative)}."
    )


LOOKS: Mapping[str, Look] = {
    "quantization.histogram": Look(
        title="Квантование под лупой",
        group=GROUP,
        summary="Настоящий слой до и после: гистограмма, уровни, коды и байты, один блок крупно, цена в битах.",
        draw=quantization.lab,
        ask=Prediction(
            "В слое модели курса 110 592 числа. Квантуем их в NF4 блоками по 64. "
            "Сколько разных чисел останется во всём слое?",
            ("16", "от тысячи до десяти тысяч", "больше десяти тысяч"),
            _distinct,
            _tell_distinct,
        ),
        controls=_lab,
        code=snippets.histogram,
    ),
    "quantization.schemes": Look(
        title="Все схемы рядом",
        group=GROUP,
        summary="Одни и те же числа в INT8, INT4, FP4 и NF4: ошибка, биты, байты — в блоках и без них.",
        draw=quantization_errors.side_by_side,
        ask=Prediction(
            "Нормальные числа, блок 64, четыре бита. У кого ошибка меньше?",
            ("NF4", "FP4", "INT4 absmax"),
            _most_exact,
            _tell_schemes,
        ),
        controls=_schemes,
    ),
    "quantization.levels": Look(
        title="Откуда уровни NF4",
        group=GROUP,
        summary="Шестнадцать уровней из квантилей нормального распределения — и те же числа в таблице bitsandbytes.",
        draw=quantization_levels.origins,
        ask=Prediction("Сколько из шестнадцати уровней NF4 больше нуля?", ("7", "8", "9"), _positive, _tell_levels),
        controls=_levels,
    ),
    "quantization.blocks": Look(
        title="Размер блока: точность и цена",
        group=GROUP,
        summary="Чем меньше блок, тем точнее — и тем больше битов уходит на константы.",
        draw=quantization_errors.by_block,
        ask=Prediction(
            "Слой модели курса в NF4. Возьмём блок 16 вместо 64. На сколько упадёт ошибка?",
            ("меньше чем на 10 %", "на 10–30 %", "больше чем на 30 %"),
            lambda result: (_gain(result) > 0.1) + (_gain(result) > 0.3),
            _tell_blocks,
        ),
        controls=_blocks,
    ),
    "quantization.outliers": Look(
        title="LLM.int8(): выбросы отдельно",
        group=GROUP,
        summary="Несколько огромных столбцов активаций портят INT8 всем остальным; порог отделяет их.",
        draw=quantization_levels.split,
        ask=Prediction(
            "В четырёх столбцах активаций из 192 числа около 40, в остальных — около 1. Отделим эти четыре и посчитаем "
            "их без INT8. Во сколько раз упадёт ошибка произведения?",
            ("почти не упадёт", "в 2–10 раз", "больше чем в 10 раз"),
            lambda result: (_times(result) > 1.5) + (_times(result) > 10),
            _tell_split,
        ),
        controls=_split,
    ),
}
