"""The LoRA calculator: a real architecture, rank and target layers → parameters, bytes, a chart, the code to copy.

Counting is closed form, so it happens right here (``demos.lora.parameters``). Leaves out the drawing (``charts.lora``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import streamlit as st

from charts.chart import Chart
from charts.lora import by_kind
from common import numbers
from demos import registry
from demos.lora.architectures import Architecture
from demos.lora.models import ARCHITECTURES, CUSTOM, Preset, presets
from demos.lora.parameters import Params, Result, count, resolve
from demos.params import ParamsError
from ui import links, session
from ui.demos.form import field, start, widget, words

NAME = "lora.count"
SIZES = ("family", "hidden", "layers", "heads", "kv_heads", "head_dim", "intermediate", "vocab", "tied")


@st.fragment
def view(preset: Mapping[str, str], locked: frozenset[str], key: str) -> None:
    """The calculator, preset; fields in ``locked`` cannot be changed."""
    try:
        start(NAME, preset, key)
        arguments = _controls(locked, key)
        result, chart = _counted(registry.params(NAME, arguments))
    except ParamsError as problem:
        st.warning(str(problem), icon=":material/edit:")
        return
    _show(result, chart, key)
    links.go("Этот расчёт по ссылке", links.DEMO, _address(arguments), icon=":material/link:")


@lru_cache(maxsize=256)
def _counted(params: Params) -> tuple[Result, Chart]:
    """A count and its chart: counting takes microseconds, drawing takes most of a page's time."""
    result = count(params)
    return result, by_kind(result)


def _controls(locked: frozenset[str], key: str) -> dict[str, Any]:
    known = {item.name: item for item in registry.describe_fields(NAME)}
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


def _show(result: Result, chart: Chart, key: str) -> None:
    if result.alarm:
        show = st.error if result.level == "error" else st.warning
        show(result.alarm, icon=":material/warning:")
    with st.grid(4, min_column_width=145, key=f"numbers-{key}"):
        st.metric("Обучается параметров", numbers.integer(result.trainable))
        st.metric("Доля", numbers.percent(result.share, 3), help="Обучаемые параметры к базовой модели с адаптером.")
        st.metric("Файл адаптера", numbers.size(result.adapter_bytes))
        st.metric("Моменты AdamW", numbers.size(result.optimizer_bytes), help="Два числа на каждый обучаемый параметр.")
    for note in result.notes:
        st.caption(note)
    if result.trainable:
        st.plotly_chart(chart.figure, key=f"chart-{key}", alt=chart.alt, config={"displayModeBar": False})
    with st.expander("Слой за слоем", icon=":material/table_rows:"):
        st.markdown(_table(result))
    st.code(result.config_code, language="python")


def _table(result: Result) -> str:
    head = "| слой | вход → выход | взято слоёв | на один слой | всего |\n|---|---|--:|--:|--:|\n"
    rows = (
        f"| `{row.name}` | {numbers.integer(row.inputs)} → {numbers.integer(row.outputs)} "
        f"| {row.count} из {row.available} | {numbers.integer(row.each)} | {numbers.integer(row.parameters)} |"
        for row in result.by_module
    )
    return head + "\n".join(rows)


def _address(arguments: Mapping[str, Any]) -> dict[str, str]:
    plain = {name: ",".join(value) if isinstance(value, tuple) else str(value) for name, value in arguments.items()}
    return {"name": NAME, **plain}
