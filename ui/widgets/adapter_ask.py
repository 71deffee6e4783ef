"""One request to the base, to every chosen adapter and to their blend, side by side; and where a router would send it.

Leaves out the files themselves (``adapter_file``) and merging (``adapter_merge``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from common import numbers
from demos.finetuning.adapters import answering, blending, routing
from demos.finetuning.adapters.answering import Said
from jobs import compute
from ui import adapters, session
from ui.adapters import Source
from ui.widgets.safe import cell, plain

PROMPT, SYSTEM = "adapters-prompt", "adapters-system"
FIRST = "переведи: большая кошка видит дом"
WAYS: Mapping[str, str] = {str(way): said for way, said in blending.WAYS.items()}
WEIGHTS = [tenths / 10 for tenths in range(21)]
BASES = {"none": "исходная, float32", "nf4": "4 бита, NF4"}


@st.fragment
def show(chosen: Mapping[str, Source]) -> None:
    """The form and, after the button, the answers. ``chosen``: sources by the names of their kept files."""
    if session.recall(PROMPT, None) is None:
        task = next((one.task for one in chosen.values() if one.task), "")
        _take(*(adapters.examples(task)[0] if task else ("", FIRST)))
    _suggestions(list(chosen.values()))
    st.text_area("Запрос", key=PROMPT, max_chars=routing.LONGEST_PROMPT, height=68)
    with st.expander("Системное сообщение и база", icon=":material/tune:"):
        st.text_input("Системное сообщение", key=SYSTEM, max_chars=routing.LONGEST_PROMPT)
        base = st.segmented_control(
            "База", list(BASES), format_func=lambda one: BASES[one], default="none", required=True
        )
    blend = _blend(list(chosen.values())) if len(chosen) > 1 else {}
    own = _own_examples(list(chosen.values()))
    if st.button("Спросить всех", type="primary", icon=":material/forum:", key="adapters-ask"):
        session.remember("adapters-asked", True)
    if session.recall("adapters-asked", default=False):
        asked = {"prompt": session.recall(PROMPT, "").strip(), "system": session.recall(SYSTEM, "").strip()}
        _answers(chosen, {**asked, "base": base, **blend})
        _router(chosen, {**asked, **own})


def _suggestions(chosen: Sequence[Source]) -> None:
    ready = {task: adapters.examples(task) for task in dict.fromkeys(one.task for one in chosen if one.task)}
    with st.container(horizontal=True, gap="xsmall", key="adapters-ready"):
        for task, requests in ready.items():
            for place, (system, request) in enumerate(requests):
                st.button(
                    plain(request if len(request) <= 44 else f"{request[:43]}…"),
                    key=f"ready-{task}-{place}",
                    type="tertiary",
                    icon=":material/add_comment:",
                    on_click=_take,
                    args=(system, request),
                )


def _take(system: str, request: str) -> None:
    session.remember(PROMPT, request)
    session.remember(SYSTEM, system)


def _blend(chosen: Sequence[Source]) -> dict[str, Any]:
    with st.expander("Смешать адаптеры", icon=":material/blender:"):
        if not st.toggle("Добавить смесь к ответам", key="adapters-blend"):
            return {}
        weights = [
            st.select_slider(
                f"Доля: {plain(one.title)}",
                WEIGHTS,
                0.5,
                key=f"weight-{one.id}",
                format_func=lambda weight: numbers.decimal(weight, 1),
            )
            for one in chosen
        ]
        way = st.selectbox("Как складывать", list(WAYS), format_func=lambda one: WAYS[one], key="adapters-way")
    return {"weights": [str(weight) for weight in weights], "way": way}


def _own_examples(chosen: Sequence[Source]) -> dict[str, str]:
    """Typed requests for adapters whose task nobody knows: the router needs a few of each kind."""
    unknown = [(place, one) for place, one in enumerate(chosen, 1) if not one.task]
    if not unknown:
        return {}
    with st.expander("Для маршрутизатора: на что отвечает адаптер", icon=":material/alt_route:"):
        return {
            f"examples{place}": st.text_area(
                plain(one.title), key=f"examples-{one.id}", placeholder="два–три запроса, каждый с новой строки"
            )
            for place, one in unknown
        }


def _answers(chosen: Mapping[str, Source], asked: Mapping[str, Any]) -> None:
    with st.spinner("Спрашиваем базу и адаптеры…"):
        try:
            result: answering.Result = adapters.call("answer", adapters=list(chosen), **asked)
        except compute.ComputeError as problem:
            away(str(problem), "ask")
            return
    if result.problem:
        st.error(plain(result.problem), icon=":material/error:")
        return
    titles = {"base": "База без адаптера", answering.BLEND: "Смесь"}
    titles |= {str(place): one.title for place, one in enumerate(chosen.values(), 1)}
    st.markdown(_table(result.said, titles))
    if result.blend_problem:
        st.warning(plain(result.blend_problem), icon=":material/blender:")
    st.caption(_how(result))


def _table(said: Sequence[Said], titles: Mapping[str, str]) -> str:
    rows = (
        f"| {cell(titles[one.name])} | {cell(one.text) or '—'} "
        f"| {'—' if one.name == 'base' else numbers.decimal(one.shift, 2)} |"
        for one in said
    )
    return "| кто отвечает | ответ | сдвиг логитов |\n|---|---|--:|\n" + "\n".join(rows)


def _how(result: answering.Result) -> str:
    together = (
        "Ответы получены одним пакетом: у каждой строки свой адаптер (`adapter_names`), у первой — никакого."
        if result.together
        else "Такие адаптеры в один пакет не берут: каждый отвечал отдельно."
    )
    off = (
        "Адаптеры сняты — и это снова база: логиты совпали с исходными бит в бит."
        if result.off_equals_base
        else "После снятия адаптеров логиты базы другие: адаптер изменил её саму."
    )
    return f"{together} {off} Сдвиг — наибольшее изменение логитов первого слова ответа против базы."


def _router(chosen: Mapping[str, Source], asked: Mapping[str, str]) -> None:
    try:
        tasks = [one.task or "-" for one in chosen.values()]
        result: routing.Result = adapters.call("route", tasks=tasks, **asked)
    except compute.ComputeError as problem:
        away(str(problem), "route")
        return
    if result.problem:
        st.caption(f":material/alt_route: Маршрутизатор: {plain(result.problem)}")
        return
    titles = {"base": "базе без адаптера"} | {
        str(n): f"адаптеру «{one.title}»" for n, one in enumerate(chosen.values(), 1)
    }
    sure = numbers.percent(result.confidence, 0)
    if result.abstained:
        text = f"не уверен (лучшая доля {sure}) и оставил бы запрос базе."
    else:
        text = f"отправил бы запрос {plain(titles[result.chosen])} — уверенность {sure}."
    st.info(f"Маршрутизатор сравнил запрос с примерами задач и {text}", icon=":material/alt_route:")


def away(sentence: str, key: str) -> None:
    """The compute process gave nothing: say it, and let the learner try again."""
    st.warning(sentence, icon=":material/hourglass:")
    st.button("Попробовать ещё раз", key=f"adapters-retry-{key}", icon=":material/replay:")
