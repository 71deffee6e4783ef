"""«Словарь»: every term of the course, found by any of its words, each with the lesson that teaches it."""

from __future__ import annotations

import streamlit as st

from common import numbers
from lessons import searching
from lessons.model import Lesson, Term
from ui import links, look, session
from ui.widgets.parts import meaning
from ui.widgets.prose import prose


def _page() -> None:
    look.title("Словарь")
    st.title("Словарь", anchor=False)
    entries = sorted(
        ((lesson, term) for lesson in session.course().lessons for term in lesson.terms),
        key=lambda entry: entry[1].name.casefold().replace("ё", "е"),
    )
    if not entries:
        st.markdown("Терминов пока нет: они появятся вместе с первым уроком.")
        return
    st.caption(f"{numbers.plural(len(entries), 'термин', 'термина', 'терминов')} курса, по алфавиту.")
    _search(entries)


@st.fragment
def _search(entries: list[tuple[Lesson, Term]]) -> None:
    sought = st.text_input(
        "Найти термин",
        value=st.query_params.get("find", ""),
        placeholder="например: ранг, target_modules, маска",
        key="glossary-search",
        type="search",
        live=True,
        icon=":material/search:",
    )
    found = searching.find(sought or "", [((lesson, term), _text(term)) for lesson, term in entries])
    for lesson, term in found:
        with st.container(border=True, gap="xsmall", key=f"entry-{lesson.id}-{term.id}"):
            prose(f"**{term.name}**" + (f" :gray[· {term.english}]" if term.english else ""))
            meaning(term)
            links.go(
                f"Урок {lesson.number}. {lesson.title}", links.LESSON, links.lesson(lesson.id, lesson.part("terms"))
            )
    if not found:
        st.caption("Такого термина нет. Попробуйте другое слово или английское имя.")


def _text(term: Term) -> str:
    return f"{term.name} {term.name} {term.english} {term.english} {term.definition} {term.example}"


_page()
