"""One click from a run to the same recipe with another method, or to its form. Leaves out the form itself."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from demos.finetuning.spec import RunSpec
from progress.database import DatabaseFault
from progress.submissions import Rejected
from ui import links, run_view, runs
from ui.runs import Run

NAMES: Mapping[str, str] = {"full": "Полное дообучение", "lora": "LoRA", "qlora": "QLoRA"}


def again(run: Run, spec: RunSpec) -> None:
    """«Повторить с другим методом» and «Изменить и запустить»."""
    st.subheader("Ещё раз", anchor="again")
    st.caption("Та же задача, те же данные и зерно. Скорость обучения у каждого метода своя — подобранная заранее.")
    with st.container(horizontal=True, vertical_alignment="center", key="again"):
        for name, other in run_view.other_methods(spec).items():
            if st.button(NAMES[name], key=f"again-{name}", icon=":material/replay:"):
                _start(other, run.dataset)
        links.go("Изменить и запустить", links.NEW_RUN, links.recipe(spec, run.dataset), icon=":material/tune:")


def _start(spec: RunSpec, dataset: int | None) -> None:
    try:
        (number,) = runs.start([spec], dataset)
    except (Rejected, DatabaseFault) as problem:
        st.warning(str(problem), icon=":material/hourglass_top:")
    else:
        st.switch_page(links.RUN, query_params=links.run(number))
