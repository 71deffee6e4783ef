"""One task in four ways: who wins, for how much, and any request of it asked again.

Leaves out drawing (``charts.ways``) and computing (``demos.ways``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import ways
from demos.params import Field
from demos.ways import recorded, tasks
from demos.ways.compare import Params, Result
from ui.demos import form, frame
from ui.demos.frame import Look, Prediction
from ui.demos.live import live, state

OPTIONS = tuple(tasks.WAYS)


def _controls(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values = {"task": form.field(fields["task"], key, locked="task" in locked)}
    prices = [name for name in fields if name != "task"]
    with st.expander("Цены и число запросов", icon=":material/payments:", key=f"{key}-more"):
        return values | frame.grid(fields, prices, locked, key)


def _winner(result: Result) -> int:
    found = next((each for each in result.verdicts if each.task == result.task), None)
    return OPTIONS.index(found.winner) if found is not None and found.sure else -1


def _tell(result: Result) -> str:
    if result.problem:
        return result.problem
    return f"{ways.score_finding(result)}. На трёх примерах обучаться мало, а показать их в запросе — достаточно."


def _again(params: Params, result: Result, key: str) -> None:
    """One request, asked now."""
    if result.problem:
        return
    most = result.rows[0].score.of
    number = st.number_input("Номер запроса", 1, most, 1, key=f"{key}-item-{params.task}")
    live("ways.once", {"task": params.task, "item": int(number)}, ways.repeated, key)


LOOKS: Mapping[str, Look] = {
    "ways.compare": Look(
        title="Запрос, примеры, поиск или дообучение",
        group="Когда дообучать",
        summary="Одна задача четырьмя способами: точность с интервалами, токены, время и цена.",
        draw=ways.compared,
        ask=Prediction(
            "Со словом нужно сделать то же, что в трёх примерах: «стих = стих!; гусь = гусь!; дворец = дворец!; "
            "гвоздь =». Что даст больше верных ответов?",
            tuple(tasks.WAYS.values()),
            _winner,
            _tell,
        ),
        controls=_controls,
        below=_again,
        stamp=state(recorded.FILE),
    ),
    "ways.once": Look(
        title="Один запрос четырьмя способами",
        group="Когда дообучать",
        summary="Любой запрос сравнения — заново, прямо сейчас; адаптер для правила обучается на ваших глазах.",
        draw=ways.repeated,
    ),
}
"""How the demos of this file are shown."""
