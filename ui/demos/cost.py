"""The view of cost: one's own model against an API, by the learner's own prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import cost
from common import numbers
from demos.cost.cost import Result
from demos.params import Field
from ui.demos.frame import Look, Prediction, grid
from ui.demos.memory import GROUP

FIRST = ("hour", "priced", "currency", "api_input", "api_output", "requests")
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Обучение: данные и скорость": (
        "examples",
        "tokens",
        "epochs",
        "architecture",
        "method",
        "checkpointing",
        "card",
        "cards",
        "mfu",
        "speed",
    ),
    "Ответы: запрос и сервер": ("prompt", "answer", "serving", "always_on", "months"),
}


def _controls(known: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values = grid(known, list(FIRST), locked, key)
    for place, (title, names) in enumerate(SECTIONS.items()):
        with st.expander(title, icon=":material/tune:", key=f"{key}-more-{place}"):
            values |= grid(known, list(names), locked, key)
    return values


def _largest(result: Result) -> int:
    return 0 if result.training > result.months * result.month_own else 1


def _tell(result: Result) -> str:
    server = f"{numbers.integer(result.months * result.month_own)} {result.currency}"
    return f"Обучение — {numbers.decimal(result.training)} {result.currency}, сервер за год — {server}."


LOOKS: Mapping[str, Look] = {
    "cost": Look(
        "Стоимость",
        GROUP,
        "Сколько стоит дообучить и отвечать у себя и при скольких запросах API обойдётся дороже.",
        cost.cost,
        Prediction(
            "Mistral-7B, LoRA, тысяча примеров, год круглосуточной работы одной карты. На что уйдёт больше денег?",
            ("на обучение", "на сервер для ответов"),
            _largest,
            _tell,
        ),
        _controls,
    ),
}
"""How the demo is shown."""
