"""A lesson on one printed page: its map, terms, errors with their cures, what one can do then. ``?id=lora-math``."""

from __future__ import annotations

import streamlit as st

from lessons.model import Lesson
from ui import links, look, session
from ui.widgets.parts import MAP
from ui.widgets.prose import prose

SENTENCE = ". "


def _page() -> None:
    lesson = session.course().lesson(st.query_params.get("id", ""))
    if lesson is None:
        links.lost("Шпаргалки к такому уроку нет: возможно, адрес скопирован не целиком.")
        return
    look.title(f"Шпаргалка · {lesson.title}")
    with st.container(key="sheet-tools", horizontal=True, vertical_alignment="center"):
        st.button("Напечатать", key="print", icon=":material/print:", help="Или сохраните в PDF из окна печати.")
        links.go("К уроку", links.LESSON, links.lesson(lesson.id), icon=":material/menu_book:")
    with st.container(key="sheet", gap="xsmall"):
        _sheet(lesson)


def _sheet(lesson: Lesson) -> None:
    st.markdown(f"## {lesson.number}. {lesson.title}", anchors=False)
    prose("\n".join(f"- **{label}.** {getattr(lesson.map, name)}" for name, label, _, _ in MAP))
    st.markdown("#### Термины", anchors=False)
    prose("\n".join(f"- **{term.name}** — {_lower(_first(term.definition))}" for term in lesson.terms))
    st.markdown("#### Симптом → что делать", anchors=False)
    prose("\n".join(f"- {_first(error.symptom)} → {_first(error.fix)}" for error in lesson.errors))
    st.markdown("#### Я умею", anchors=False)
    prose("\n".join(f"- ☐ {item.text}" for item in lesson.checklist))


def _first(text: str) -> str:
    """The first sentence: a sheet reminds, the lesson explains. A dot inside code or maths ends nothing."""
    best, quoted = "", False
    for place, sign in enumerate(text):
        quoted ^= sign in "`$"
        if not quoted and text[place : place + 2] in (SENTENCE, "! ", "? ") and text[place + 2 : place + 3].isupper():
            best = text[: place + 1]
            break
    return (best or text).strip()


def _lower(text: str) -> str:
    """A definition goes on after the dash, unless it begins with a name."""
    return text[0].lower() + text[1:] if text[1:2].islower() else text


_page()
