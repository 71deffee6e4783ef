"""«Словарь»: every term of the course, found by any of its words, with the lessons that teach it and its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from common import numbers
from lessons import glossary, searching
from lessons.glossary import Entry
from ui import links, look, session
from ui.widgets.parts import meaning
from ui.widgets.prose import prose

SOUGHT = "glossary-search"


def _page() -> None:
    look.title("Словарь")
    st.title("Словарь", anchor=False)
    entries = glossary.entries(session.course())
    if not entries:
        st.markdown("Терминов пока нет: они появятся вместе с первым уроком.")
        return
    st.caption(f"{numbers.plural(len(entries), 'термин', 'термина', 'терминов')} курса, по алфавиту.")
    _search(entries)


@st.fragment
def _search(entries: Sequence[Entry]) -> None:
    sought = st.text_input(
        "Найти термин",
        value=st.query_params.get("find", ""),
        placeholder="например: ранг, target_modules, маска",
        key=SOUGHT,
        type="search",
        live=True,
        icon=":material/search:",
    )
    found = searching.find(sought or "", [(entry, entry.text) for entry in entries])
    for place, entry in enumerate(found):
        _entry(entry, place)
    if not found:
        st.caption("Такого термина нет. Попробуйте другое слово или английское имя.")


def _entry(entry: Entry, place: int) -> None:
    with st.container(border=True, gap="xsmall", key=f"entry-{place}"):
        prose(f"**{entry.name}**" + (f" :gray[· {entry.english}]" if entry.english else ""))
        for one in entry.meanings:
            meaning(one.term)
            title = f"Урок {one.lesson.number}. {one.lesson.title}"
            links.go(title, links.LESSON, links.lesson(one.lesson.id, one.lesson.part("terms")))
        if entry.near:
            with st.container(horizontal=True, gap="xsmall", key=f"near-{place}", vertical_alignment="center"):
                st.caption("Рядом:", width="content")
                for name in entry.near:
                    st.button(name, type="tertiary", key=f"near-{place}-{name}", on_click=_look_up, args=(name,))


def _look_up(name: str) -> None:
    session.remember(SOUGHT, name)


_page()
