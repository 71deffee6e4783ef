"""Merging to be touched: what rounding takes, sums of adapters, what switching costs.

Leaves out drawing (``charts.merging``) and computing (``demos.merging``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import merging, merging_tables
from charts.drawing import Table
from common import numbers
from demos.finetuning.adapters import blending
from demos.merging import snippets
from demos.merging.answers import Result as Answered
from demos.merging.arithmetic import Result as Summed
from demos.merging.precision import Params, Result
from demos.merging.switching import Result as Switched
from demos.merging.weights import WAYS
from demos.params import Field
from jobs import compute
from ui.demos import form
from ui.demos.frame import Look, Prediction
from ui.widgets.table import table

GROUP = "Слияние и переключение"
SHARES = tuple(step / 10 for step in range(21))
DENSITIES = tuple(step / 10 for step in range(1, 11))
HALF = 0.5
REQUESTS = 12


def _precision(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    return {
        "adapter": form.field(fields["adapter"], key, locked="adapter" in locked),
        "strength": form.choice(fields["strength"], key, locked="strength" in locked),
    }


def _arithmetic(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    with st.grid(2, min_column_width=180):
        for name in ("first", "second"):
            values[name] = form.field(fields[name], key, locked=name in locked)
        for name in ("first_weight", "second_weight"):
            values[name] = form.slider(fields[name], key, SHARES, locked=name in locked)
    values["way"] = form.field(fields["way"], key, locked="way" in locked)
    with st.expander("Ещё настройки", icon=":material/tune:", key=f"{key}-more"), st.grid(2, min_column_width=180):
        able = values["way"] in blending.DENSE
        values["density"] = form.slider(fields["density"], key, DENSITIES, locked="density" in locked or not able)
        values["second_rank"] = form.slider(fields["second_rank"], key, locked="second_rank" in locked)
    return values


def _again(params: Params, result: Result, key: str) -> None:
    """One measured point once more: a real merged model, asked now."""
    del result
    with st.expander("Повторить одну точку", icon=":material/replay:", key=f"{key}-again"):
        st.caption(
            f"Сольём адаптер по-настоящему и зададим {numbers.plural(REQUESTS, 'вопрос', 'вопроса', 'вопросов')} "
            "из тех же отложенных."
        )
        way = st.selectbox("Куда слить", list(WAYS), key=f"{key}-again-way", index=5, format_func=WAYS.__getitem__)
        if st.button("Слить и спросить", key=f"{key}-again-go", icon=":material/merge:"):
            _live(params, way, key)


def _live(params: Params, way: str, key: str) -> None:
    asked = {"adapter": params.adapter, "strength": params.strength, "way": way, "requests": REQUESTS}
    try:
        with st.spinner("Сливаем и спрашиваем…", show_time=True):
            found: Answered = compute.call("merging.answers", asked)
    except compute.ComputeError as problem:
        st.warning(str(problem), icon=":material/hourglass:")
        return
    one = found.measured
    st.markdown(
        f"Верно {merging_tables.score(one)}; рядом с весами было {found.tuned_right} из {one.of}; "
        f"совпало с ответами рядом {one.same} из {one.of}; логиты разошлись самое большее на "
        f"{numbers.significant(one.largest, 3)}."
    )
    rows = tuple((each.prompt, each.tuned, each.merged, each.merged == each.right) for each in found.answers)
    columns = ("Запрос", "Адаптер рядом", "После слияния", "Верно")
    table(Table("Ответы", columns, rows, folded=False), f"{key}-again-table")


def _lost(result: Result) -> int:
    """Which of «вся», «больше половины», «меньше половины» is left by merging into NF4."""
    kept = next(one.kept for one in result.ways if one.way == "nf4")
    return 0 if kept > merging_tables.NO_LOSS else 1 if kept > HALF else 2


def _tell_lost(result: Result) -> str:
    by_name = {one.way: one for one in result.ways}
    said = f"В NF4 от поправки осталось {numbers.percent(by_name['nf4'].kept, 1)}, код сменили "
    said += f"{numbers.percent(by_name['nf4'].changed, 1)} весов; в bfloat16 осталось "
    return said + f"{numbers.percent(by_name['bfloat16'].kept, 1)}. Теперь ослабьте адаптер до 5 % и до 1 %."


def _halves(result: Summed) -> int:
    """How many tasks the half-and-half sum still solves in most requests."""
    return sum(side.blend.right > HALF * side.blend.of for side in result.sides)


def _tell_halves(result: Summed) -> str:
    said = ", ".join(f"«{side.title}» {merging_tables.of(side)}" for side in result.sides)
    return f"Верно: {said}. Поправки почти ортогональны, но каждая вполсилы своего дела уже не делает."


def _slowest(result: Switched) -> int:
    return max(range(len(result.switches)), key=lambda place: result.switches[place].seconds)


def _tell_slowest(result: Switched) -> str:
    said = "; ".join(f"{one.title} — {merging_tables.milliseconds(one.seconds)}" for one in result.switches)
    return f"На этой машине: {said}."


LOOKS: Mapping[str, Look] = {
    "merging.precision": Look(
        title="Слияние: что теряется",
        group=GROUP,
        summary="Адаптер вливают в веса в float32, в 16 и в 4 бита: что остаётся от поправки и что говорят ответы.",
        draw=merging.precision,
        ask=Prediction(
            "Обученный адаптер «ответы в JSON» сливают прямо в веса NF4. Сколько поправки останется в её направлении?",
            ("Вся", "Больше половины", "Меньше половины"),
            _lost,
            _tell_lost,
        ),
        controls=_precision,
        code=snippets.merging,
        below=_again,
    ),
    "merging.arithmetic": Look(
        title="Арифметика адаптеров",
        group=GROUP,
        summary="Два адаптера складывают с долями разными способами: умеет ли сумма то, что умели слагаемые.",
        draw=merging.summed,
        ask=Prediction(
            "Половина адаптера «ответы в JSON» и половина «вежливой формы». "
            "Сколько из двух задач сумма решает хотя бы в половине запросов?",
            ("Ни одной", "Одну", "Обе"),
            _halves,
            _tell_halves,
        ),
        controls=_arithmetic,
        code=snippets.summing,
    ),
    "merging.switching": Look(
        title="Цена переключения",
        group=GROUP,
        summary="Назвать другой, слить и вынуть, положить заново: сколько это занимает и когда окупается слияние.",
        draw=merging.switched,
        ask=Prediction(
            "На базе лежат три адаптера. Что дольше всего?",
            ("Назвать другой (set_adapter)", "Слить и вынуть", "Положить на базу заново"),
            _slowest,
            _tell_slowest,
        ),
    ),
}
