"""A learner's own examples: choose a kept file or add one; faults with the line where they are.

Leaves out reading (``demos.finetuning.own``) and keeping (``progress.datasets``).
"""

from __future__ import annotations

import streamlit as st

from common import numbers
from demos.params import ParamsError
from progress import datasets
from progress.database import DatabaseFault
from progress.submissions import Missing, Rejected
from ui import session
from ui.widgets.safe import plain

COURSE = 0
"""Choice «data of the course» among ids of datasets."""


def choose(first: int | None, key: str) -> int | None:
    """The id of the chosen file, or None for a task of the course."""
    kept = {each.id: each for each in datasets.mine(session.database(), session.actor())}
    name = f"{key}-dataset"
    fresh = session.recall(f"{name}-next", COURSE)
    if fresh in kept:  # a widget's value cannot be set after it is drawn: the next run sets it
        session.forget(f"{name}-next")
        session.remember(name, fresh)
    if session.recall(name, None) not in {COURSE, *kept}:
        session.remember(name, first if first in kept else COURSE)
    if kept:
        st.selectbox(
            "Данные",
            [COURSE, *kept],
            key=name,
            format_func=lambda one: f"Свои: {kept[one].name}" if one in kept else "Задача курса",
        )
    with st.expander("Свои данные", icon=":material/upload_file:", key=f"{key}-own"):
        _add(name, key)
        chosen = session.recall(name, COURSE)
        if chosen in kept:
            st.button("Удалить этот файл", key=f"{key}-drop", icon=":material/delete:", on_click=_drop, args=(chosen,))
    return session.recall(name, COURSE) or None


def _add(name: str, key: str) -> None:
    st.markdown(
        "Файл JSONL: в каждой строке один пример. Подойдут `messages` — список реплик с `role` и `content` — "
        "или `instruction`, `input` и `output`."
    )
    st.caption(f"Не больше {numbers.size(datasets.MAX_BYTES, 0, binary=True)}; хранится до {datasets.MOST} файлов.")
    with st.container(key=f"upload-{key}"):
        file = st.file_uploader("Файл с примерами", key=f"{key}-file", max_upload_size=2)
    if file is None or session.recall(f"{key}-taken", "") == file.file_id:
        return
    session.remember(f"{key}-taken", file.file_id)
    problem = _keep(file.getvalue(), file.name, name)
    if problem:
        st.error(plain(problem), icon=":material/error:")
    else:
        st.rerun(scope="fragment")


def _keep(content: bytes, filename: str, name: str) -> str:
    """Read and keep the file and choose it; a sentence when it cannot be."""
    from demos.finetuning import own

    try:
        data = own.parse(content, filename)
        counts = {split: len(chats) for split, chats in data.splits.items()}
        kept = datasets.add(session.database(), session.actor(), filename, content, counts)
    except (ParamsError, Rejected, DatabaseFault) as problem:
        return str(problem)
    session.remember(f"{name}-next", kept.id)
    return ""


def _drop(number: int) -> None:
    try:
        datasets.delete(session.database(), session.actor(), number)
    except Missing:
        return
