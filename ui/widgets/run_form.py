"""The fields of a recipe as widgets, the important ones first, and a RunSpec back from them.

A field that the chosen method does not use is not shown. Leaves out starting (``run_panel``, the pages) and checking:
``RunSpec`` refuses what it cannot use, in words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import streamlit as st

from demos.finetuning.spec import LOW_RANK, METHODS, QUANTIZATIONS, VIRTUAL, WITH_TARGETS, RunSpec
from demos.params import Field, describe, read
from ui import session

MAIN = ("task", "method", "quantization", "rank", "alpha", "targets", "learning_rate", "steps", "batch", "seed")
"""What most people change; the rest unfolds."""
FIELDS: Mapping[str, Field] = {item.name: item for item in describe(RunSpec)}
WORDS: Mapping[str, Mapping[str, str]] = {
    "method": METHODS,
    "quantization": {**QUANTIZATIONS, "none": "Без квантования"},
    "dtype": {"auto": "Подобрать", "float32": "float32", "bfloat16": "bfloat16", "float16": "float16"},
    "schedule": {
        "linear": "Линейное",
        "cosine": "Косинусное",
        "constant": "Постоянное",
        "constant_with_warmup": "Постоянное после разогрева",
    },
}  # fmt: skip
"""What a learner reads instead of a value."""
ON_ANY_BASE = frozenset(METHODS) - {"full", "pissa"}
METHODS_OF: Mapping[str, Collection[str]] = {
    "rank": LOW_RANK,
    "alpha": LOW_RANK,
    "dropout": LOW_RANK,
    "targets": WITH_TARGETS,
    "virtual_tokens": VIRTUAL,
    "bottleneck": {"bottleneck"},
    "quantization": ON_ANY_BASE,
    "double_quantization": ON_ANY_BASE,
}
"""Which methods use a field; one that is not here is used by all."""


def begin(key: str, spec: RunSpec) -> None:
    """Give the widgets of ``key`` their first values; what the learner has changed stays."""
    for name, item in FIELDS.items():
        if session.recall(widget(key, name), None) is None:
            session.remember(widget(key, name), _held(item, getattr(spec, name)))


def fill(key: str, spec: RunSpec) -> None:
    """Give the widgets of ``key`` the values of a recipe, whatever they held."""
    for name, item in FIELDS.items():
        session.remember(widget(key, name), _held(item, getattr(spec, name)))


def widget(key: str, name: str) -> str:
    """The state key of a field's widget."""
    return f"{key}-run-{name}"


def fields(key: str, names: Collection[str], tasks: Mapping[str, str], locked: Collection[str] = ()) -> dict[str, Any]:
    """The widgets of these fields in a grid; what they hold. ``tasks``: name → title."""
    chosen: dict[str, Any] = {}
    with st.grid(2, min_column_width=200):
        for name in names:
            if used(name, {**_method(key), **chosen}):
                chosen[name] = _field(FIELDS[name], widget(key, name), tasks, locked=name in locked)
    return chosen


def used(name: str, chosen: Mapping[str, Any]) -> bool:
    """Whether a field means anything to the chosen method."""
    if name == "double_quantization" and chosen.get("quantization") not in ("nf4", "fp4"):
        return False
    return name not in METHODS_OF or chosen.get("method", "lora") in METHODS_OF[name]


def spec(chosen: Mapping[str, Any], rest: RunSpec) -> RunSpec:
    """The recipe of the widgets; fields that are not shown are those of ``rest``.

    Raises:
        ParamsError: a value that a run cannot use, in words.
    """
    values = {name: getattr(rest, name) for name in FIELDS} | dict(chosen)
    if values["method"] in {"full", "pissa"}:
        values["quantization"] = "none"
    return read(RunSpec, values)


def _method(key: str) -> dict[str, Any]:
    return {name: session.recall(widget(key, name), FIELDS[name].default) for name in ("method", "quantization")}


def _held(item: Field, value: Any) -> Any:
    """A value as its widget holds it: fractions with a comma, lists as text."""
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}".replace(".", ",") if item.type is float else value


def _field(item: Field, key: str, tasks: Mapping[str, str], *, locked: bool) -> Any:
    words = tasks if item.name == "task" else WORDS.get(item.name, {})
    note = item.note or None
    if item.type is bool:
        return st.checkbox(item.title, key=key, help=note, disabled=locked)
    if words:
        held = session.recall(key, item.default)
        options = list(words) if held in words else [*words, held]
        return st.selectbox(
            item.title, options, key=key, help=note, disabled=locked, format_func=lambda value: words.get(value, value)
        )
    if item.type is int:
        low, high = (None if limit is None else int(limit) for limit in (item.low, item.high))
        return st.number_input(item.title, low, high, key=key, step=1, help=note, disabled=locked, format="%d")
    return st.text_input(item.title, key=key, help=note, disabled=locked)
