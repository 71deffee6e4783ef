"""Merging an adapter three ways, compared; and files to take along. Leaves out asking (``adapter_ask``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import streamlit as st

from common import numbers
from demos.finetuning.adapters import export, merging
from demos.finetuning.adapters.export import Form
from jobs import compute
from ui import adapters, run_view, session
from ui.adapters import Source
from ui.widgets.adapter_ask import away
from ui.widgets.safe import plain


def pick(chosen: Mapping[str, Source]) -> tuple[str, Source]:
    """The adapter that is merged and exported, when there are several."""
    if len(chosen) == 1:
        return next(iter(chosen.items()))
    name = st.selectbox(
        "Какой адаптер слить и забрать", list(chosen), format_func=lambda one: chosen[one].title, key="adapters-one"
    )
    return name, chosen[name]


@st.fragment
def compare(name: str, source: Source) -> None:
    """A button, then the table: where to merge and what it costs."""
    st.markdown(
        "Адаптер можно прибавить к весам насовсем — тогда он ничего не стоит при ответе. Вопрос — к каким весам: "
        "QLoRA училась рядом с 4-битной базой, а не с исходной."
    )
    if st.button("Сравнить способы слияния", icon=":material/merge:", key="adapters-compare"):
        session.remember("adapters-merged", name)
    if session.recall("adapters-merged", "") != name:
        return
    with st.spinner("Сливаем тремя способами и спрашиваем каждую модель…"):
        try:
            result: merging.Result = adapters.call(
                "merge", adapter=name, quantization=source.quantization.replace("none", "nf4"), task=source.task,
                double_quantization=source.double_quantization,
            )  # fmt: skip
        except compute.ComputeError as problem:
            away(str(problem), "merge")
            return
    if result.problem:
        st.info(plain(result.problem), icon=":material/merge:")
        return
    st.markdown(_table(result))
    if source.quantization == "none":
        st.caption(
            "Этот адаптер обучен не на 4-битной базе: первая строка — что было бы, поставь мы его на базу в NF4."
        )
    st.caption(_sentence(result))


def _table(result: merging.Result) -> str:
    of = f" из {result.requests}"
    head = "| куда слит | разница логитов | средняя | тех же ответов | верных | вес |\n|---|--:|--:|--:|--:|--:|\n"
    right, size = f"{result.tuned_right}{of}", numbers.size(result.tuned_bytes)
    tuned = f"| 4-битная база, адаптер рядом | — | — | — | {right} | {size} |\n"
    rows = (
        f"| {row.title} | {_small(row.largest)} | {_small(row.mean)} | {row.same}{of} | {row.right}{of} "
        f"| {numbers.size(row.bytes)} |"
        for row in result.merged
    )
    return head + tuned + "\n".join(rows)


def _sentence(result: merging.Result) -> str:
    return (
        "Точно совпадает слияние с деквантованной базой: к её весам адаптер и прибавляли при обучении. "
        "В 4 битах сумма округляется ещё раз, а исходная база — не та, рядом с которой учился адаптер. "
        "Вынуть адаптер обратно (unmerge) в float32 можно: логиты вернулись, "
        f"разница {_small(result.restore_error)}. "
        f"В 4 битах — нет: разница {_small(result.four_bit_restore_error)}."
    )


def _small(value: float) -> str:
    return numbers.decimal(value, 3) if value >= 0.0005 else "меньше 0,001"


@st.fragment
def take(name: str, source: Source) -> None:
    """Files to take along: the adapter at once, what has to be computed after a press."""
    with st.container(horizontal=True, key="adapters-files"):
        download("Адаптер (zip)", f"{source.id}.zip", lambda: run_view.archive(adapters.files(source)), "adapter")
        recipe = export.modelfile().encode()
        download("Modelfile для Ollama", "Modelfile", recipe, "modelfile")
    form = st.selectbox(
        "Слитая модель", list(export.FORMS), format_func=lambda one: export.FORMS[one], key="adapters-form"
    )
    wanted = (name, form)
    if st.button("Подготовить файл", icon=":material/inventory_2:", key="adapters-export"):
        session.remember("adapters-exported", wanted)
    asked: tuple[str, str] | None = session.recall("adapters-exported", None)
    if asked == wanted:
        _made(name, source, cast("Form", form))
    st.caption(
        "GGUF открывают llama.cpp, LM Studio и Ollama. Для Ollama положите GGUF в float32 и Modelfile в одну папку: "
        "`ollama create perevodchik -f Modelfile`."
    )


def _made(name: str, source: Source, form: Form) -> None:
    params = export.Params(
        adapter=name, form=form, quantization=source.quantization,  # type: ignore[arg-type]
        double_quantization=source.double_quantization,
    )  # fmt: skip
    with st.spinner("Сливаем и записываем…"):
        try:
            result = adapters.export(params)
        except compute.ComputeError as problem:
            away(str(problem), "export")
            return
    if result.problem:
        st.error(plain(result.problem), icon=":material/error:")
        return
    content = Path(result.path).read_bytes()
    download(f"Скачать, {numbers.size(result.bytes)}", export.file_name(params), content, "made")


def download(label: str, name: str, content: object, key: str) -> None:
    """A button that saves ``content``, bytes or what makes them, under ``name``."""
    st.download_button(
        label,
        content,  # type: ignore[arg-type]  # bytes or what makes them
        file_name=name,
        key=f"adapters-download-{key}",
        icon=":material/download:",
        on_click="ignore",
    )
