"""Views of the demos: widgets → Params, Result → a figure of charts/. One view per demo of ``demos.registry``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from ui.demos import finetuning_sweeps, lora_calculator, lora_spectrum

View = Callable[[Mapping[str, str], frozenset[str], str], None]

VIEWS: Mapping[str, View] = {
    "lora.count": lora_calculator.view,
    "lora.spectrum": lora_spectrum.view,
    **finetuning_sweeps.views(),
}
"""Demo name → ``view(preset, locked, key)``."""


def show(name: str, preset: Mapping[str, str], locked: frozenset[str], key: str) -> None:
    """The demo of that name with its preset; ``key`` tells apart two of a page."""
    if name in VIEWS:
        with st.container(border=True, key=f"demo-{key}"):
            VIEWS[name](preset, locked, key)
    else:
        st.caption(f"Демонстрация «{name}» считает, но показать её пока нечем.")
