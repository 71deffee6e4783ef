"""A learner's own examples: choose a kept file or add one; faults with the line where they are.

Leaves out reading (``demos.finetuning.own``) and keeping (``progress.datasets``).
"""

from __future__ import annotations

import base64
import logging
from typing import Any

import streamlit as st

from common import numbers
from demos.finetuning.own import OwnDataError
from demos.params import ParamsError
from graders import aside
from progress import datasets
from progress.database import DatabaseFault
from progress.submissions import Missing, Rejected
from ui import session
from ui.widgets.safe import plain

log = logging.getLogger("course.app")
COURSE = 0
"""Choice «data of the course» among ids of datasets."""
SHOWN_WARNINGS = 5


def choose(first: int | None, key: str) -> int | None:
    """The id of the chosen file, or None for a task of the course."""
    kept = {each.id: each for each in datasets.mine(session.database(), session.actor())}
    name = f"{key}-dataset"
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
            _describe(kept[chosen])
            st.button("Удалить этот файл", key=f"{key}-drop", icon=":material/delete:", on_click=_drop, args=(chosen,))
    return session.recall(name, COURSE) or None


def _describe(file: datasets.Dataset) -> None:
    counts = file.summary.get("counts", {})
    if counts:
        words = (
            f"{numbers.integer(counts.get('train', 0))} для обучения",
            f"{numbers.integer(counts.get('validation', 0))} для проверки по ходу",
            f"{numbers.integer(counts.get('test', 0))} отложено на конец",
        )
        st.markdown(f":green[:material/check_circle:] {plain(file.name)}: {', '.join(words)}.")
    for remark in file.summary.get("warnings", ()):
        st.caption(f":material/info: {plain(str(remark))}")


def _add(name: str, key: str) -> None:
    st.markdown(
        "Файл JSONL: в каждой строке один пример. Подойдут `messages` — список реплик с `role` и `content` — "
        "или `instruction`, `input` и `output`."
    )
    st.caption(f"Не больше {numbers.size(datasets.MAX_BYTES, 0, binary=True)}; хранится до {datasets.MOST} файлов.")
    with st.container(key=f"upload-{key}"):
        st.file_uploader(
            "Файл с примерами", key=f"{key}-file", max_upload_size=2, on_change=_take, args=(f"{key}-file", name)
        )
    problem = session.recall(f"{name}-problem", "")
    if problem:
        st.error(plain(problem), icon=":material/error:")


def _take(uploader: str, name: str) -> None:
    """Read and keep what was uploaded, and choose it; or remember what is wrong with it."""
    file: Any = session.recall(uploader, None)
    session.forget(f"{name}-problem")
    if file is None:
        return
    try:
        session.remember(name, keep(file.getvalue(), file.name).id)
    except (ParamsError, Rejected, DatabaseFault) as problem:
        session.remember(f"{name}-problem", str(problem))


def keep(content: bytes, filename: str) -> datasets.Dataset:
    """Read the file and keep it among the learner's own.

    Raises:
        ParamsError: it cannot be trained on. Rejected: too many are kept. DatabaseFault: it could not be stored.
    """
    found = _read(content, filename)
    summary = {"counts": found["counts"], "warnings": found["warnings"][:SHOWN_WARNINGS]}
    return datasets.add(session.database(), session.actor(), filename, content, summary)


def _read(content: bytes, filename: str) -> dict[str, Any]:
    """What the file holds, read in a process that can be killed: what parses learners' text never does it here.

    Raises:
        OwnDataError: it cannot be trained on; every fault with its line.
    """
    upload = {"name": filename, "content": base64.b64encode(content).decode()}
    try:
        found: dict[str, Any] = aside.run("demos.finetuning.own:told", upload)
    except aside.TooHard:
        raise OwnDataError(["Файл слишком сложный, чтобы его прочесть: разделите его на части попроще."]) from None
    except aside.Broken:
        log.exception("own data")
        raise OwnDataError(["Прочитать файл не удалось по нашей вине: попробуйте ещё раз."]) from None
    if "faults" in found:
        raise OwnDataError(found["faults"])
    return found


def _drop(number: int) -> None:
    try:
        datasets.delete(session.database(), session.actor(), number)
    except Missing:
        return
