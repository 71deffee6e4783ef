"""«Адаптеры»: up to three of one's own runs or an uploaded file: open, ask side by side, blend, merge, take along."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from demos.finetuning.adapters import files, store
from demos.finetuning.adapters.container import AdapterError
from jobs import compute
from ui import adapters, links, look, session
from ui.adapters import Source
from ui.widgets import adapter_ask, adapter_file, adapter_merge
from ui.widgets.safe import plain

CHOSEN, NEXT, LINKED = "adapters-chosen", "adapters-next", "adapters-linked"


def _page() -> None:
    look.title("Адаптеры")
    st.title("Адаптеры", anchor=False)
    st.markdown(
        "База у всех адаптеров одна, а сам адаптер — маленький файл. Откройте его, поставьте несколько на одну базу, "
        "смешайте, слейте с весами, заберите с собой."
    )
    known = adapters.sources()
    names = _choose(known)
    _upload(empty=not known)
    if not known:
        links.go("Сначала дообучить модель", links.NEW_RUN, icon=":material/model_training:")
        return
    chosen = _open({name: known[name] for name in names})
    if not chosen:
        if not names:
            st.markdown("Выберите хотя бы один адаптер — здесь появится всё остальное.")
        return
    st.subheader("Спросить", anchor="ask")
    adapter_ask.show(chosen)
    name, source = adapter_merge.pick(chosen)
    st.subheader("Слить с весами", anchor="merge")
    adapter_merge.compare(name, source)
    st.subheader("Забрать с собой", anchor="take")
    adapter_merge.take(name, source)


def _choose(known: Mapping[str, Source]) -> list[str]:
    if not known:
        return []
    linked = f"run-{st.query_params.get('run', '')}"
    asked = session.recall(NEXT, "" if linked == session.recall(LINKED, "") else linked)
    session.remember(LINKED, linked)
    session.forget(NEXT)
    stored: list[str] | None = session.recall(CHOSEN, None)
    kept = [name for name in stored or [] if name in known]
    if asked in known and asked not in kept:
        kept = [asked, *kept][: adapters.MOST]
    session.remember(CHOSEN, kept or ([next(iter(known))] if stored is None else []))
    names: list[str] = st.pills(
        f"Адаптеры ваших запусков, не больше {adapters.MOST} сразу",
        list(known),
        selection_mode="multi",
        format_func=lambda name: plain(known[name].title),
        key=CHOSEN,
        wrap=True,
    )
    if len(names) > adapters.MOST:
        st.warning(f"Показаны первые {adapters.MOST}: снимите лишние.", icon=":material/filter_3:")
    return names[: adapters.MOST]


def _upload(*, empty: bool) -> None:
    with st.expander("Загрузить свой файл", icon=":material/upload_file:", expanded=empty):
        st.markdown(
            f"Два файла, `{files.CONFIG}` и `{files.WEIGHTS}`, или zip с ними. "
            "Подойдёт адаптер, обученный на базовой модели курса."
        )
        with st.container(key="upload-adapters"):
            sent = st.file_uploader(
                "Файлы адаптера",
                accept_multiple_files=True,
                type=["json", "safetensors", "zip"],
                max_upload_size=store.LARGEST_UPLOAD >> 20,
                key="adapters-upload",
            )
        if not sent or session.recall("adapters-taken", "") == (tag := "-".join(one.file_id for one in sent)):
            return
        session.remember("adapters-taken", tag)
        try:
            adapters.upload({one.name: one.getvalue() for one in sent})
        except AdapterError as problem:
            st.error(plain(str(problem)), icon=":material/error:")
            return
    session.remember(NEXT, "upload")
    st.rerun()


def _open(chosen: Mapping[str, Source]) -> dict[str, Source]:
    """The chosen adapters that open, by the names of their kept files; what is wrong with the others is said."""
    good: dict[str, Source] = {}
    for source in chosen.values():
        try:
            name, described = adapters.look(source)
        except compute.ComputeError as problem:
            st.markdown(f"**{plain(source.title)}**")
            adapter_ask.away(str(problem), source.id)
            continue
        except AdapterError as problem:
            st.error(f"{plain(source.title)}. {plain(str(problem))}", icon=":material/error:")
            continue
        with st.expander(
            f"{plain(source.title)} :gray[— {adapter_file.line(described)}]",
            icon=":material/extension:",
            expanded=len(chosen) == 1,
        ):
            adapter_file.show(described, source.id)
        good[name] = source
    return good


_page()
