"""A recipe put together by hand: every field of a RunSpec, the learner's own data. Fields may stand in the address."""

from __future__ import annotations

import streamlit as st

from demos.finetuning import tasks
from demos.finetuning.spec import RunSpec
from demos.params import ParamsError, read
from progress.database import DatabaseFault
from progress.submissions import Rejected
from ui import links, look, runs
from ui.widgets import own_data, run_form


def _page() -> None:
    look.title("Новый запуск")
    links.go("Мои запуски", links.RUNS, icon=":material/arrow_back:")
    st.title("Новый запуск", anchor=False)
    asked = dict(st.query_params.items())
    dataset = asked.pop("dataset", "")
    try:
        first = read(RunSpec, {name: value for name, value in asked.items() if name in run_form.FIELDS})
    except ParamsError as problem:
        st.warning(f"Адрес с рецептом не прочитан. {problem}", icon=":material/link_off:")
        first = RunSpec()
    key = f"new-{first.fingerprint}-{dataset}"
    _form(first, int(dataset) if dataset.isascii() and dataset.isdigit() else None, key)


@st.fragment
def _form(first: RunSpec, dataset: int | None, key: str) -> None:
    run_form.begin(key, first)
    offered = tasks.titles(first.task)
    chosen_data = own_data.choose(dataset, key)
    main = [name for name in run_form.MAIN if name != "task" or chosen_data is None]
    values = run_form.fields(key, main, offered)
    with st.expander("Подробнее", icon=":material/tune:", key=f"{key}-more"):
        values |= run_form.fields(key, [name for name in run_form.FIELDS if name not in run_form.MAIN], offered)
    try:
        spec = run_form.spec(values, first)
    except ParamsError as problem:
        st.warning(str(problem), icon=":material/edit:")
        return
    st.caption(f"Получается: {spec.title}.")
    if st.button("Дообучить", type="primary", key=f"{key}-start", icon=":material/play_arrow:"):
        _start(spec, chosen_data)


def _start(spec: RunSpec, dataset: int | None) -> None:
    try:
        (number,) = runs.start([spec], dataset)
    except (Rejected, DatabaseFault) as problem:
        st.warning(str(problem), icon=":material/hourglass_top:")
    else:
        st.switch_page(links.RUN, query_params=links.run(number))


_page()
