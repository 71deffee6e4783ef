"""The LoRA calculator: a real architecture, rank and target layers → parameters, bytes, a chart, the code to copy.

Counting is closed form, so it happens right here (``demos.lora.parameters``). Leaves out the drawing (``charts.lora``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts.lora import counted
from demos.lora.architectures import Architecture
from demos.lora.models import ARCHITECTURES, CUSTOM, Preset, presets
from demos.lora.parameters import Params, count, resolve
from demos.params import Field, ParamsError
from ui import session
from ui.demos.form import field, widget, words
from ui.demos.frame import Look

NAME = "lora.count"
SIZES = ("family", "hidden", "layers", "heads", "kv_heads", "head_dim", "intermediate", "vocab", "tied")


def _controls(known: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    arguments["architecture"] = st.selectbox(
        "Модель",
        [*ARCHITECTURES, CUSTOM],
        key=widget(key, "architecture"),
        disabled="architecture" in locked,
        format_func=_title,
        on_change=_model_changed,
        args=(key,),
        placeholder="Выберите модель",
    )
    if arguments["architecture"] == CUSTOM:
        with st.grid(3, min_column_width=150):
            arguments |= {name: field(known[name], key, locked=name in locked) for name in SIZES}
    with st.grid(2, min_column_width=150):
        for name in ("rank", "alpha"):
            arguments[name] = field(known[name], key, locked=name in locked)
    arguments["targets"] = _targets(arguments, key, locked="targets" in locked)
    with st.container(horizontal=True):
        for name in ("bias", "dtype"):
            arguments[name] = st.segmented_control(
                known[name].title,
                known[name].choices,
                key=widget(key, name),
                format_func=words,
                required=True,
                disabled=name in locked,
            )
    arguments["rslora"] = field(known["rslora"], key, locked="rslora" in locked)
    return arguments


def _title(architecture: str) -> str:
    return "Своя модель: ввести размеры" if architecture == CUSTOM else ARCHITECTURES[architecture].title


def _targets(arguments: Mapping[str, Any], key: str, *, locked: bool) -> tuple[str, ...]:
    """Layers to adapt: by name, or all at once by a named set, traps included."""
    architecture = _shape(arguments)
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


def _shape(arguments: Mapping[str, Any]) -> Architecture:
    """The architecture to name layers of; sizes that make no model borrow the names until they are mended."""
    sizes = {name: arguments[name] for name in SIZES if name in arguments}
    try:
        return resolve(Params(architecture=arguments["architecture"], **sizes))
    except ParamsError:
        return resolve(Params(architecture=CUSTOM))


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


def _code(params: Params) -> str:
    return count(params).config_code


LOOKS: Mapping[str, Look] = {
    NAME: Look(
        title="Калькулятор LoRA",
        group="LoRA",
        summary="Сколько параметров обучается, сколько займёт файл и что из этого попадёт мимо слоёв.",
        draw=counted,
        controls=_controls,
        code=_code,
    )
}
