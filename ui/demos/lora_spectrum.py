"""How many directions an update uses: computed by torch, so in the compute process, with a sentence when it is away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import lora as charts
from common import numbers
from demos import registry
from demos.lora.spectrum import Result
from demos.params import ParamsError
from jobs import compute
from ui.demos import form

NAME = "lora.spectrum"
SHOWN = ("rank", "directions", "noise", "seed")


@st.fragment
def view(preset: Mapping[str, str], locked: frozenset[str], key: str) -> None:
    """The spectrum of a learned update beside noise; fields in ``locked`` cannot be changed."""
    try:
        values = form.start(NAME, preset, key) | _controls(locked, key)
        with st.spinner("Обучаем слой и раскладываем поправку…"):
            result: Result = compute.call(NAME, values)
    except ParamsError as problem:
        st.warning(str(problem), icon=":material/edit:")
    except compute.ComputeError as problem:
        st.warning(str(problem), icon=":material/hourglass:")
        st.button("Попробовать ещё раз", key=f"{key}-retry", icon=":material/replay:")
    else:
        _show(result, key)


def _controls(locked: frozenset[str], key: str) -> dict[str, Any]:
    fields = [item for item in registry.describe_fields(NAME) if item.name in SHOWN]
    with st.grid(2, min_column_width=160):
        return {item.name: form.field(item, key, locked=item.name in locked) for item in fields}


def _show(result: Result, key: str) -> None:
    with st.grid(3, min_column_width=150):
        st.metric(f"Энергия при r = {result.rank}", numbers.percent(result.energy, 1))
        st.metric("Ранг для 90 %: поправка", numbers.integer(result.adapted_rank_for_90))
        st.metric("Ранг для 90 %: шум", numbers.integer(result.random_rank_for_90))
    chart = charts.spectrum(result)
    st.plotly_chart(chart.figure, key=f"chart-{key}", alt=chart.alt, config={"displayModeBar": False})
