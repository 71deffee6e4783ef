"""A schedule dragged by hand, and what a step of the optimizer holds: device batch × accumulation × devices.

Closed form, so it happens right here (``demos.finetuning.schedule``). Leaves out the drawing (``charts.schedule``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import schedule
from common import numbers
from demos.finetuning.schedule import Result, code
from demos.params import Field
from ui.demos import form, frame
from ui.demos.frame import Look, Prediction

SHARES = (0.0, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5)
STEPS = (10, 30, 100, 160, 300, 1000, 3000, 10_000)
POWERS = (1, 2, 4, 8, 16, 32, 64)


def _controls(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    """Those that a hand wants to drag stand open."""
    values = {"schedule": form.choice(fields["schedule"], key, locked="schedule" in locked)}
    dragged = {"steps": STEPS, "warmup": SHARES, "batch": POWERS, "accumulation": POWERS, "devices": POWERS}
    if values["schedule"] == "warmup_stable_decay":
        dragged["decay"] = SHARES
    with st.grid(2, min_column_width=200):
        values |= {
            name: form.slider(fields[name], key, places, locked=name in locked) for name, places in dragged.items()
        }
    return values | frame.grid(fields, ["learning_rate", "examples"], locked, key)


def _epochs(result: Result) -> int:
    return 0 if result.epochs < 1 else 1 if result.epochs <= 4 else 2


def _tell(result: Result) -> str:
    return (
        f"На шаг уходит {numbers.plural(result.effective, 'пример', 'примера', 'примеров')}, в эпохе "
        f"{numbers.plural(result.steps_per_epoch, 'шаг', 'шага', 'шагов')}, значит, за {numbers.integer(result.steps)} "
        f"шагов пройдёт {numbers.decimal(result.epochs, 2)} эпохи."
    )


LOOKS: Mapping[str, Look] = {
    "finetuning.schedule": Look(
        title="Расписание скорости и примеры в шаге",
        group="Обучение",
        summary="Как скорость обучения идёт по шагам и сколько примеров на самом деле в одном шаге.",
        draw=schedule.drawn,
        ask=Prediction(
            "Тысяча примеров, по 16 на шаг, одна видеокарта, 160 шагов. Сколько раз модель увидит все данные?",
            ("меньше одного", "от одного до четырёх", "больше четырёх"),
            _epochs,
            _tell,
        ),
        controls=_controls,
        code=code,
    ),
}
