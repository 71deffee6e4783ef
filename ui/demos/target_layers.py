"""Widgets for a model and its target layers: by name, or all at once by a named set, traps included.

Leaves out what a choice comes to: the demo says so (``demos.lora.matching``).
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from demos.lora.architectures import Architecture
from demos.lora.models import ARCHITECTURES, CUSTOM, Preset, presets
from ui import session
from ui.demos.form import widget


def model(offered: Sequence[str], key: str, *, locked: bool = False) -> str:
    """One of the models; another one takes its own set of layers with it."""
    chosen: str = st.selectbox(
        "Модель",
        offered,
        key=widget(key, "architecture"),
        disabled=locked,
        format_func=_title,
        on_change=_model_changed,
        args=(key,),
        placeholder="Выберите модель",
    )
    return chosen


def pick(architecture: Architecture, key: str, *, locked: bool = False) -> tuple[str, ...]:
    """Names of layers, or PEFT's word for all of them."""
    named = [architecture.label(module) for module in architecture.linear]
    chosen: list[str] = session.recall(widget(key, "targets"), [])
    if chosen == ["all-linear"]:
        chosen = named
        session.remember(_all(key), value=True)
    foreign = [name for name in chosen if name not in named]
    session.remember(widget(key, "targets"), chosen)
    st.pills(
        "Целевые слои",
        [*named, *foreign],
        selection_mode="multi",
        key=widget(key, "targets"),
        disabled=locked,
        on_change=session.forget,
        args=(_all(key),),
    )
    with st.container(horizontal=True, gap="xsmall", key=f"presets-{key}"):
        for ready in presets(architecture):
            st.button(
                ready.title,
                key=f"{key}-preset-{ready.id}",
                type="tertiary",
                disabled=locked,
                icon=":material/warning:" if ready.trap else ":material/done_all:",
                on_click=_use,
                args=(key, ready),
            )
    return ("all-linear",) if session.recall(_all(key), default=False) else tuple(chosen)


def _title(architecture: str) -> str:
    return "Своя модель: ввести размеры" if architecture == CUSTOM else ARCHITECTURES[architecture].title


def _all(key: str) -> str:
    return f"{key}-all-linear"


def _use(key: str, ready: Preset) -> None:
    session.remember(widget(key, "targets"), list(ready.targets))
    session.forget(_all(key))


def _model_changed(key: str) -> None:
    """Another model has other names: take its own set for queries and values, never one that half matches."""
    chosen = session.recall(widget(key, "architecture"), CUSTOM)
    if chosen != CUSTOM:
        _use(key, presets(ARCHITECTURES[chosen])[0])
