"""The map of a model's tensors through QLoRA's steps; any step's tensors with what changed highlighted.

Leaves out drawing (``charts.layers``) and computing (``demos.layers``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import layers
from charts.drawing import Table
from common import numbers
from demos.layers import snippets
from demos.layers.layer_map import Params, Result
from demos.params import Field
from ui.demos import form
from ui.demos.frame import Look, Prediction
from ui.widgets.safe import cell

SHOWN = 60
"""Tensors of a table that a page shows at once."""
FIRST = "layers.0.self_attn.q_proj"
"""The layer that is shown at first: its insides fit a phone."""


def _controls(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values = {name: form.choice(fields[name], key, locked=name in locked) for name in ("quantization", "dtype")}
    if values["quantization"] in ("nf4", "fp4"):
        values["double_quantization"] = form.field(
            fields["double_quantization"], key, locked="double_quantization" in locked
        )
    with st.expander("LoRA", icon=":material/tune:", key=f"{key}-more"), st.grid(2, min_column_width=180):
        for name in ("targets", "rank"):
            values[name] = form.field(fields[name], key, locked=name in locked)
    return values


def _tensors(_params: Params, result: Result, key: str) -> None:
    """The tensors of one stage; what changed since the stage before is marked."""
    st.markdown("**Тензор за тензором**")
    stages = {stage.id: stage for stage in result.stages}
    names = list(stages)
    chosen = st.segmented_control(
        "Модель",
        names,
        default=names[1],
        key=f"{key}-stage-{len(names)}",
        format_func=lambda name: stages[name].title,
        required=True,
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        part = st.text_input("Часть имени", FIRST, key=f"{key}-part", help="Пусто — все тензоры.", width=260)
        only = st.toggle("Только изменившееся", key=f"{key}-only")
    stage = stages[chosen]
    st.code(stage.code, language="python", wrap_lines=True)
    _marked(layers.stage_table(stage, only_changed=only and stage.id != names[0], part=part or ""))


def _marked(shown: Table) -> None:
    """A table whose changed rows are highlighted."""
    if not shown.rows:
        st.caption("Таких тензоров нет: сотрите часть имени или покажите все.")
        return
    head = f"| {' | '.join(shown.columns[:-1])} |\n|---|---|---|--:|---|---|\n"
    st.markdown(head + "\n".join(_line(row) for row in shown.rows[:SHOWN]))
    if len(shown.rows) > SHOWN:
        total = numbers.integer(len(shown.rows))
        st.caption(f"Показаны {SHOWN} из {total}: впишите часть имени. Все — в файле CSV.")


def _line(row: tuple[Any, ...]) -> str:
    name, shape, dtype, size, grad, change, _ = row
    short = name.removeprefix("model.layers.").replace(".self_attn.", ".").replace(".mlp.", ".")
    cells = [cell(short), cell(shape), cell(dtype), numbers.integer(size), "да" if grad else "нет", cell(change)]
    if change:
        cells = [f":orange-background[{text}]" if text else "" for text in cells]
    return f"| {' | '.join(cells)} |"


def _grew(result: Result) -> int:
    quantized, prepared = (
        next(stage for stage in result.stages if stage.id == name) for name in ("quantized", "prepared")
    )
    return 0 if prepared.total > quantized.total else 1 if prepared.total == quantized.total else 2


def _tell(result: Result) -> str:
    quantized, prepared = (
        next(stage for stage in result.stages if stage.id == name) for name in ("quantized", "prepared")
    )
    more = numbers.size(prepared.total - quantized.total)
    return (
        f"Было {numbers.size(quantized.total, 2)}, стало {numbers.size(prepared.total, 2)}: на {more} больше. Всё, что "
        "не квантовано, — эмбеддинги и нормы — стало float32."
    )


LOOKS: Mapping[str, Look] = {
    "layers.map": Look(
        title="Карта слоя: что где в каком типе",
        group="Числа и память",
        summary="Загрузка, квантование, подготовка, адаптер, тренер: тип, форма и байты каждого тензора.",
        draw=layers.layer_map,
        ask=Prediction(
            question=(
                "Модель в bfloat16 квантована в NF4. Потом вызвали prepare_model_for_kbit_training. "
                "Сколько памяти теперь занимают веса?"
            ),
            options=("Больше, чем до вызова", "Столько же", "Меньше"),
            right=_grew,
            tell=_tell,
        ),
        controls=_controls,
        code=snippets.steps,
        below=_tensors,
    )
}
