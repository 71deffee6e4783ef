"""Loss under quantization: the recorded map with any point measured again, and one layer live.

Leaves out drawing (``charts.sensitivity``) and computing (``demos.sensitivity``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import sensitivity
from charts.sensitivity_words import TITLES, layer_title, nats
from common import numbers
from demos.params import Field
from demos.sensitivity import recorded, snippets
from demos.sensitivity.expansion import NAMES
from demos.sensitivity.kinds import BLOCKS, KINDS
from demos.sensitivity.layer import ALL, Params, Result
from demos.sensitivity.recorded import MAPPED, Point
from demos.sensitivity.recorded import Params as MapParams
from demos.sensitivity.recorded import Result as Map
from jobs import compute
from ui import links
from ui.demos import form, frame
from ui.demos.frame import Look, Prediction
from ui.demos.live import state

GROUP = "Квантование"
LAYER = "sensitivity.layer"
SAME = 1e-6
"""Relative difference up to which a point counts as repeated: float64 on another processor, and a scale's last bit."""


def _kind(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> str:
    chosen = st.segmented_control(
        fields["kind"].title,
        KINDS,
        key=form.widget(key, "kind"),
        format_func=TITLES.__getitem__,
        required=True,
        disabled="kind" in locked,
    )
    return chosen or KINDS[0]


def _block(fields: Mapping[str, Field], sizes: tuple[int, ...], locked: frozenset[str], key: str) -> int:
    chosen = st.segmented_control(
        fields["block"].title,
        sizes,
        key=form.widget(key, "block"),
        help=fields["block"].note,
        format_func=numbers.integer,
        required=True,
        disabled="block" in locked,
    )
    return chosen or sizes[0]


def _map(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    return {"kind": _kind(fields, locked, key), "block": _block(fields, MAPPED, locked, key)}


def _layer(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    layer = st.selectbox(
        fields["layer"].title,
        (ALL, *NAMES),
        key=form.widget(key, "layer"),
        help=fields["layer"].note,
        format_func=layer_title,
        disabled="layer" in locked,
    )
    return {"layer": layer, "kind": _kind(fields, locked, key), "block": _block(fields, BLOCKS, locked, key)}


def _repeat(params: MapParams, result: Map, key: str) -> None:
    """Choose a point of the map and measure it again, here and now."""
    st.markdown("**Повторить одну точку**")
    names = (ALL, *NAMES)
    worst = max(result.layers, key=lambda point: point.change).layer
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Слой", names, index=names.index(worst), key=f"{key}-point", format_func=layer_title, width=220
        )
        again = st.button("Пересчитать сейчас", key=f"{key}-again", icon=":material/replay:")
    point = result.whole if name == ALL else next(each for each in result.layers if each.layer == name)
    wanted = Params(name, params.kind, params.block)
    if again:
        _measure(wanted, point)
    links.go(
        "Открыть этот слой: потери по дороге к квантованному весу",
        links.DEMO,
        frame.address(LAYER, wanted),
        icon=":material/show_chart:",
    )


def _measure(wanted: Params, point: Point) -> None:
    try:
        with st.spinner("Измеряем потери и дважды дифференцируем…", show_time=True):
            live: Result = frame.computed(LAYER, sensitivity.layer, wanted)[0]
    except compute.ComputeError as problem:
        st.warning(str(problem), icon=":material/hourglass:")
        return
    told = (
        f"{layer_title(wanted.layer)}, {TITLES[wanted.kind]}: записано {nats(point.change)}, сейчас "
        f"{nats(live.change)}; предсказание было {nats(point.estimate)}, сейчас "
        f"{nats(live.estimate)}."
    )
    if abs(live.change - point.change) <= SAME * max(abs(point.change), 1e-9 / SAME * live.loss):
        st.success(f"Повторилось. {told}", icon=":material/check_circle:")
    else:
        st.warning(f"Вышло иначе: у этой машины другая арифметика. {told}", icon=":material/difference:")


def _part(result: Map) -> int:
    """Which kind of matrix the most sensitive layer is: of attention, or of the MLP."""
    worst = max(result.layers, key=lambda point: point.change)
    return 1 if worst.layer.split(".")[1] in ("gate_proj", "up_proj", "down_proj") else 0


def _tell_map(result: Map) -> str:
    ranked = sorted(result.layers, key=lambda point: -point.change)[:3]
    return "Сильнее всего выросли потери от " + ", ".join(f"{point.layer} ({nats(point.change)})" for point in ranked)


def _order(result: Result) -> int:
    """What explains the change: the gradient's term, the curvature's, or neither."""
    if abs(result.estimate - result.change) > 0.25 * abs(result.change):
        return 2
    return 0 if abs(result.first) > abs(result.second) else 1


def _tell_layer(result: Result) -> str:
    return (
        f"Измерено {nats(result.change)}; первый порядок даёт {nats(result.first)}, второй "
        f"добавляет {nats(result.second)}. На отложенных примерах градиент не ноль: модель учили на других."
    )


LOOKS: Mapping[str, Look] = {
    "sensitivity.map": Look(
        title="Какой слой чувствителен",
        group=GROUP,
        summary="Каждый слой модели курса квантован отдельно: сколько это стоило потерь и что обещал ряд Тейлора.",
        draw=sensitivity.sensitivity_map,
        ask=Prediction(
            question="Все 28 матриц модели курса по очереди записали в NF4. Где окажется самая чувствительная?",
            options=("Во внимании: q, k, v, o", "В MLP: gate, up, down"),
            right=_part,
            tell=_tell_map,
        ),
        controls=_map,
        below=_repeat,
        stamp=state(recorded.FILE),
    ),
    LAYER: Look(
        title="Ошибка и loss: один слой",
        group=GROUP,
        summary="Квантуйте слой и сравните измеренный рост потерь с оценками ⟨∇L, ε⟩ и ½ εᵀHε.",
        draw=sensitivity.layer,
        ask=Prediction(
            question="Матрицу v первого из средних блоков записали в NF4. Что лучше предскажет рост потерь?",
            options=("В основном градиент", "В основном кривизна", "Ничто: ошибка велика"),
            right=_order,
            tell=_tell_layer,
        ),
        controls=_layer,
        code=snippets.layer,
    ),
}
