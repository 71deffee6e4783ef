"""All demos by what they are about, or one of them, its fields in the address: ``?name=lora.count&rank=16``."""

from __future__ import annotations

from itertools import groupby

import streamlit as st

from demos import registry
from ui import demos, links, look


def _page() -> None:
    name = st.query_params.get("name", "")
    if not name and not st.query_params:
        _list()
        return
    name = name or "lora.count"
    if name not in demos.VIEWS:
        links.lost("Такой демонстрации нет: возможно, адрес скопирован не целиком.")
        return
    _one(name)


def _list() -> None:
    look.title("Демонстрации")
    st.title("Демонстрации", anchor=False)
    st.markdown(
        "Всё, о чём говорит курс, можно потрогать. Каждая демонстрация считает по-настоящему: теми же библиотеками, "
        "какими дообучают модели."
    )
    order = list(dict.fromkeys(each.group for each in demos.LOOKS.values()))
    shown = sorted(demos.LOOKS.items(), key=lambda item: order.index(item[1].group))
    for group, members in groupby(shown, key=lambda item: item[1].group):
        st.subheader(group, anchor=False)
        for name, each in members:
            with st.container(gap="xsmall"):
                links.go(each.title, links.DEMO, {"name": name}, icon=":material/play_circle:")
                st.caption(each.summary)


def _one(name: str) -> None:
    shown = demos.LOOKS[name]
    look.title(shown.title)
    st.title(shown.title, anchor=False)
    st.caption(shown.summary)
    known = registry.fields(name)
    preset = {field: value for field, value in st.query_params.items() if field in known}
    demos.show(name, preset, frozenset(), f"page-{name}-{hash(frozenset(preset.items()))}")
    links.go("Все демонстрации", links.DEMO, {}, icon=":material/apps:")


_page()
