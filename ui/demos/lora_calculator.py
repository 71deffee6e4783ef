"""The LoRA calculator: a real architecture, rank and target layers → parameters, bytes, a chart, the code to copy.

Counting is closed form, so it happens right here (``demos.lora.parameters``). Leaves out the drawing (``charts.lora``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts.lora import counted
from demos.lora.architectures import Architecture
from demos.lora.models import ARCHITECTURES, CUSTOM
from demos.lora.parameters import Params, count, resolve
from demos.params import Field, ParamsError
from ui.demos import peft_check, target_layers
from ui.demos.form import choice, field
from ui.demos.frame import Look

NAME = "lora.count"
SIZES = ("family", "hidden", "layers", "heads", "kv_heads", "head_dim", "intermediate", "vocab", "tied")


def _controls(known: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    arguments["architecture"] = target_layers.model((*ARCHITECTURES, CUSTOM), key, locked="architecture" in locked)
    if arguments["architecture"] == CUSTOM:
        with st.grid(3, min_column_width=150):
            arguments |= {name: field(known[name], key, locked=name in locked) for name in SIZES}
    with st.grid(2, min_column_width=150):
        for name in ("rank", "alpha"):
            arguments[name] = field(known[name], key, locked=name in locked)
    arguments["targets"] = target_layers.pick(_shape(arguments), key, locked="targets" in locked)
    with st.container(horizontal=True):
        for name in ("bias", "dtype"):
            arguments[name] = choice(known[name], key, locked=name in locked)
    arguments["rslora"] = field(known["rslora"], key, locked="rslora" in locked)
    return arguments


def _shape(arguments: Mapping[str, Any]) -> Architecture:
    """The architecture to name layers of; sizes that make no model borrow the names until they are mended."""
    sizes = {name: arguments[name] for name in SIZES if name in arguments}
    try:
        return resolve(Params(architecture=arguments["architecture"], **sizes))
    except ParamsError:
        return resolve(Params(architecture=CUSTOM))


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
        below=peft_check.counted,
    )
}
