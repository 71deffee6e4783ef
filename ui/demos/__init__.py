"""Views of the demos: widgets → Params, Result → a figure of charts/. One look per demo of ``demos.registry``."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from ui.demos import (
    chat_templates,
    classifier,
    cost,
    data,
    finetuning_schedule,
    finetuning_studies,
    finetuning_sweeps,
    frame,
    inference,
    layers,
    lora_calculator,
    lora_methods,
    lora_spectrum,
    matrices,
    memory,
    merging,
    numeric,
    packing,
    quantization,
    router,
    sensitivity,
    timing,
    ways,
)
from ui.demos.frame import Look, View

LOOKS: Mapping[str, Look] = {
    **lora_calculator.LOOKS,
    **lora_methods.LOOKS,
    **matrices.LOOKS,
    **lora_spectrum.LOOKS,
    **quantization.LOOKS,
    **sensitivity.LOOKS,
    **numeric.LOOKS,
    **layers.LOOKS,
    **chat_templates.LOOKS,
    **packing.LOOKS,
    **data.LOOKS,
    **finetuning_schedule.LOOKS,
    **finetuning_studies.LOOKS,
    **finetuning_sweeps.LOOKS,
    **merging.LOOKS,
    **router.LOOKS,
    **inference.LOOKS,
    **classifier.LOOKS,
    **ways.LOOKS,
    **memory.LOOKS,
    **cost.LOOKS,
    **timing.LOOKS,
}
"""Demo name → how it is shown, in the order of the list of demos."""

VIEWS: Mapping[str, View] = frame.views(LOOKS)
"""Demo name → ``view(preset, locked, key)``."""


def show(name: str, preset: Mapping[str, str], locked: frozenset[str], key: str, *, asks: bool = True) -> None:
    """The demo of that name with its preset; ``key`` tells apart two of a page. ``asks``: its question comes first."""
    if name in VIEWS:
        with st.container(border=True, key=f"demo-{key}"):
            VIEWS[name](preset, locked, key, asks=asks)
    else:
        st.caption(f"Демонстрация «{name}» считает, но показать её пока нечем.")
