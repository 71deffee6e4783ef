"""An adapter looked through direction by direction, and cut to fewer: smaller file, other answers, told side by side.

Leaves out choosing the adapter and merging it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from charts import adapters as charts
from common import numbers
from demos.finetuning.adapters import store
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.files import Description
from demos.finetuning.adapters.shrinking import ONLY_LORA, Result, Spectrum
from jobs import compute
from ui import adapters, run_view, session
from ui.adapters import Source
from ui.demos import frame
from ui.widgets.adapter_ask import away
from ui.widgets.adapter_merge import download
from ui.widgets.safe import plain
from ui.widgets.table import table

TYPES = {"float32": "float32", "float16": "float16, вдвое меньше"}
TRIED = "adapters-shrunk"


def directions(name: str) -> None:
    """How much of every update the first directions hold; a sentence where that says nothing."""
    try:
        found: Spectrum = adapters.call("spectrum", adapter=name)
    except compute.ComputeError as problem:
        away(str(problem), "spectrum")
        return
    if found.problem:
        st.caption(plain(found.problem))
        return
    drawing = charts.directions(found)
    frame.show(drawing, "adapter-directions", name="adapter")
    table(drawing.tables[0], "adapter-directions-table")


@st.fragment
def show(name: str, source: Source, described: Description, go_on: Callable[[Source], None]) -> None:
    """Choose how much to keep, then read what became of the file and of the answers.

    ``go_on`` is called with a shrunk adapter that the learner wants to work with from here on.
    """
    if not described.plain_lora:
        st.info(ONLY_LORA, icon=":material/compress:")
        return
    ranks = [rank for rank in range(1, described.rank + 1) if rank <= 8 or rank % 4 == 0 or rank == described.rank]
    half = max(rank for rank in ranks if rank <= max(1, described.rank // 2))
    rank = st.select_slider("Оставить направлений (ранг)", ranks, half, key=f"shrink-rank-{described.rank}")
    kind = st.segmented_control(
        "Тип чисел в файле", list(TYPES), format_func=lambda one: TYPES[one], default="float16", required=True,
        key="shrink-type",
    )  # fmt: skip
    if st.button("Сжать и проверить", type="primary", icon=":material/compress:", key="adapters-shrink"):
        _try(name, source, {"rank": rank, "dtype": kind})
    tried = _tried().get(name, {})
    if tried:
        st.markdown(_rows(described, tried))
        _take(source, tried, go_on)


def _try(name: str, source: Source, wanted: dict[str, Any]) -> None:
    with st.spinner("Сжимаем и спрашиваем оба адаптера…"):
        try:
            result: Result = adapters.call(
                "shrink", adapter=name, quantization=source.quantization, task=source.task,
                double_quantization=source.double_quantization, **wanted,
            )  # fmt: skip
        except compute.ComputeError as problem:
            away(str(problem), "shrink")
            return
    if result.problem:
        st.error(plain(result.problem), icon=":material/error:")
        return
    known = _tried()
    tried = {**known.get(name, {}), (wanted["rank"], wanted["dtype"]): result}
    session.remember(TRIED, {**known, name: tried})


def _tried() -> dict[str, dict[tuple[int, str], Result]]:
    """What this tab has tried: by the adapter's name, then by rank and type, in the order of trying."""
    nothing: dict[str, dict[tuple[int, str], Result]] = {}
    return session.recall(TRIED, nothing)


def _rows(described: Description, tried: dict[tuple[int, str], Result]) -> str:
    first = next(iter(tried.values()))
    head = "| ранг | числа | осталось поправки | файл | верных | тех же ответов |\n|--:|---|--:|--:|--:|--:|\n"
    whole = (
        f"| {described.rank} | как было | 100{numbers.NBSP}% | {numbers.size(first.bytes_before)} "
        f"| {first.right_before} из {first.requests} | — |\n"
    )
    rows = (
        f"| {one.rank} | {kind} | {numbers.percent(one.kept, 0)} | {numbers.size(one.bytes_after)} "
        f"| {one.right_after} из {one.requests} | {one.same} из {one.requests} |"
        for (_, kind), one in sorted(tried.items(), reverse=True)
    )
    return head + whole + "\n".join(rows)


def _take(source: Source, tried: dict[tuple[int, str], Result], go_on: Callable[[Source], None]) -> None:
    last = list(tried.values())[-1]

    def chosen() -> None:
        go_on(adapters.take_shrunk(source, last.adapter, last.rank))

    try:
        store.folder(last.adapter)
    except AdapterError:
        return
    with st.container(horizontal=True):
        download(
            f"Скачать сжатый до r = {last.rank} (zip)",
            f"adapter-r{last.rank}.zip",
            lambda: run_view.archive(store.files(last.adapter)),
            "shrunk",
        )
        title = f"Дальше работать с ним (r = {last.rank})"
        if st.button(title, icon=":material/swap_horiz:", key="shrink-go-on", on_click=chosen):
            st.rerun()
