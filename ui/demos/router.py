"""The router to be touched: its matrix under any threshold, and one request on its way.

Leaves out drawing (``charts.router``) and computing (``demos.router``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import router
from common import numbers
from demos.params import Field
from demos.router import snippets
from demos.router.ask import Result as Asked
from demos.router.confusion import Params, Result
from jobs import compute
from ui.demos import form
from ui.demos.frame import Look, Prediction

GROUP = "Слияние и переключение"
THRESHOLDS = tuple(step / 20 for step in range(21))
SHARPNESSES = (0, 1, 2, 5, 10, 15, 20, 30, 50, 100, 200)
FEW, MOST = 0.5, 0.9


def _confusion(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values = {"threshold": form.slider(fields["threshold"], key, THRESHOLDS, locked="threshold" in locked)}
    with st.grid(2, min_column_width=180):
        for name in ("cue", "way"):
            values[name] = form.field(fields[name], key, locked=name in locked)
    values["sharpness"] = form.slider(fields["sharpness"], key, SHARPNESSES, locked="sharpness" in locked)
    return values


def _ask(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values = {"prompt": form.field(fields["prompt"], key, locked="prompt" in locked)}
    values["threshold"] = form.slider(fields["threshold"], key, THRESHOLDS, locked="threshold" in locked)
    with st.grid(2, min_column_width=180):
        for name in ("way", "cue"):
            values[name] = form.field(fields[name], key, locked=name in locked)
    return values


def _again(params: Params, result: Result, key: str) -> None:
    """One measured request once more, through the real model."""
    if params.cue == "shift":
        shown = "примеры с подсказкой"
    else:
        shown = "примеры с подсказкой" if params.cue == "with" else "примеры без подсказки"
    with st.expander("Повторить один запрос", icon=":material/replay:", key=f"{key}-again"):
        place = st.selectbox(
            "Запрос",
            range(len(result.decisions)),
            key=f"{key}-again-request",
            format_func=lambda one: result.decisions[one].text,
        )
        if st.button("Спросить модель", key=f"{key}-again-go", icon=":material/route:"):
            st.caption(f"Роутер считает заново, {shown}.")
            _live(params, result, place or 0)


def _live(params: Params, result: Result, place: int) -> None:
    one = result.decisions[place]
    asked = {"prompt": one.text, "threshold": params.threshold, "way": params.way, "cue": params.cue != "without"}
    try:
        with st.spinner("Считаем…", show_time=True):
            found: Asked = compute.call("router.ask", asked)
    except compute.ComputeError as problem:
        st.warning(str(problem), icon=":material/hourglass:")
        return
    st.markdown(
        f"Ближе всего — «{router.SENT[found.best]}» с уверенностью {numbers.decimal(found.confidence, 4)} "
        f"при резкости 20; отвечает {router.SENT[found.chosen]}."
    )
    text = next(said.text for said in found.said if said.name == found.chosen)
    st.code(text or "(пусто)", language=None, wrap_lines=True)


def _right(result: Result) -> int:
    share = result.routed.right / result.routed.of
    return 0 if share < FEW else 1 if share <= MOST else 2


def _tell(result: Result) -> str:
    routed, answered, best = result.routed, result.answered, result.best_possible
    return (
        f"Куда надо попали {routed.right} из {routed.of}, верных ответов {answered.right} из {answered.of}. "
        f"Будь роутер безошибочным, их было бы {best.right}: без подсказки ошибаются и сами адаптеры."
    )


def _chosen(result: Asked) -> int:
    return ("json", "polite", "intents", "base").index(result.chosen)


def _tell_chosen(result: Asked) -> str:
    share = numbers.percent(result.confidence, 1)
    return f"Отвечает «{router.SENT[result.chosen]}», уверенность {share}."


LOOKS: Mapping[str, Look] = {
    "router.confusion": Look(
        title="Роутер адаптеров",
        group=GROUP,
        summary="Какому из трёх адаптеров отдать запрос, а когда промолчать: матрица ошибок, порог, риск и покрытие.",
        draw=router.confusion,
        ask=Prediction(
            "Запросы трёх задач и базы, без подсказки «вежливо: …» в начале, порог уверенности 0,6. "
            "Какая доля попадёт куда надо?",
            ("Меньше половины", "От 50 до 90 %", "Больше 90 %"),
            _right,
            _tell,
        ),
        controls=_confusion,
        below=_again,
    ),
    "router.ask": Look(
        title="Один запрос через роутер",
        group=GROUP,
        summary="Ваш запрос идёт через роутер к адаптеру; рядом — что ответили бы остальные, всё одним пакетом.",
        draw=router.asked,
        ask=Prediction(
            "«переведи в JSON: большая кошка видит дом». Кому роутер отдаст этот запрос?",
            ("Ответы в JSON", "Вежливая форма", "Что хочет клиент", "База"),
            _chosen,
            _tell_chosen,
        ),
        controls=_ask,
        code=snippets.mixed,
    ),
}
