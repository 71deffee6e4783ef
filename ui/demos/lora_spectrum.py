"""How many directions an update uses: computed by torch, so in the compute process, with a sentence when it is away."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import streamlit as st

from charts.chart import Chart
from charts.lora import spectrum
from common import numbers
from demos import registry
from demos.lora.spectrum import Params, Result
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
            result, chart = _measured(registry.params(NAME, values))
    except ParamsError as problem:
        st.warning(str(problem), icon=":material/edit:")
    except compute.ComputeError as problem:
        st.warning(str(problem), icon=":material/hourglass:")
        st.button("Попробовать ещё раз", key=f"{key}-retry", icon=":material/replay:")
    else:
        _show(result, chart, key)


@lru_cache(maxsize=64)
def _measured(params: Params) -> tuple[Result, Chart]:
    """The same seed gives the same spectrum: the class computes each only once. A failure is not kept."""
    result: Result = compute.call(NAME, dataclasses.asdict(params))
    return result, spectrum(result)


def _controls(locked: frozenset[str], key: str) -> dict[str, Any]:
    fields = [item for item in registry.describe_fields(NAME) if item.name in SHOWN]
    with st.grid(2, min_column_width=160):
        return {item.name: form.field(item, key, locked=item.name in locked) for item in fields}


def _show(result: Result, chart: Chart, key: str) -> None:
    with st.grid(3, min_column_width=150):
        st.metric(f"Энергия при r = {result.rank}", numbers.percent(result.energy, 1))
        st.metric("Ранг для 90 %: поправка", numbers.integer(result.adapted_rank_for_90))
        st.metric("Ранг для 90 %: шум", numbers.integer(result.random_rank_for_90))
    st.plotly_chart(chart.figure, key=f"chart-{key}", alt=chart.alt, config={"displayModeBar": False})
