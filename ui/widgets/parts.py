"""The parts of a lesson that only show: the map, the anchor, terms, frequent errors, what next."""

from __future__ import annotations

import streamlit as st

from lessons.model import FrequentError, Lesson, Term
from ui import links, session
from ui.widgets.prose import prose

MAP = (
    ("anchor", "Якорь", "3 секунды", ":material/anchor:"),
    ("mechanism", "Механизм", "20 секунд", ":material/settings:"),
    ("breakthrough", "Прорыв", "5 секунд", ":material/bolt:"),
    ("use", "Применение", "10 секунд", ":material/build:"),
)


def lesson_map(lesson: Lesson) -> None:
    """The lesson in four cards, each with the seconds it takes."""
    with st.grid(2, min_column_width=260, key="map"):
        for name, label, seconds, icon in MAP:
            with st.container(border=True, height="stretch", gap="xsmall", key=f"map-{name}"):
                st.markdown(f"{icon} **{label}** :gray[· {seconds}]")
                prose(getattr(lesson.map, name))


def anchor(lesson: Lesson) -> None:
    """The metaphor that the lesson holds on to, and the bridge to the learner's own work."""
    with st.container(key="anchor", border=True):
        prose(lesson.anchor)
    if lesson.bridge:
        prose(lesson.bridge)


def terms(lesson: Lesson) -> None:
    """Terms as cards: definition, metaphor, and where the metaphor breaks."""
    for term in lesson.terms:
        with st.container(border=True, gap="xsmall", key=f"term-{term.id}"):
            english = f" :gray[· {term.english}]" if term.english else ""
            prose(f"**{term.name}**{english}")
            meaning(term)


def meaning(term: Term) -> None:
    """What the term means, what it is like, an example."""
    prose(term.definition)
    if term.metaphor:
        st.markdown(f":material/lightbulb: {term.metaphor}")
    if term.breaks:
        st.markdown(f":orange[:material/link_off: Где метафора ломается.] {term.breaks}")
    if term.example:
        st.markdown(f":material/label: **Пример.** {term.example}")


@st.fragment
def errors(lesson: Lesson) -> None:
    """Symptom → cause → fix, with a search over all of it."""
    sought = st.text_input(
        "Найти по симптому или сообщению",
        placeholder="например: loss не падает",
        key="errors-search",
        type="search",
        live=True,
        icon=":material/search:",
    )
    found = [error for error in lesson.errors if _matches(error, sought)]
    for error in found:
        with st.expander(error.symptom, key=f"error-{error.id}", icon=":material/error:"):
            remedy(error)
    if not found:
        st.caption("Ничего похожего. Попробуйте одно слово из сообщения об ошибке.")


def remedy(error: FrequentError) -> None:
    """What is seen, why, and what to do."""
    if error.shows:
        st.code(error.shows, language="text", wrap_lines=True)
    st.markdown(f"**Причина.** {error.cause}")
    st.markdown(f"**Что делать.** {error.fix}")
    if error.code:
        st.code(error.code)
    if error.source:
        st.caption(f"Так было у других: {error.source}")


def _matches(error: FrequentError, sought: str | None) -> bool:
    everything = f"{error.symptom} {error.cause} {error.fix} {error.code} {error.shows}".casefold()
    return all(word in everything for word in (sought or "").casefold().split())


def next_steps(lesson: Lesson) -> None:
    """What to do after the lesson."""
    course = session.course()
    for step in lesson.next:
        target = course.lesson(step.lesson) if step.lesson else None
        st.markdown(f":material/arrow_forward: {step.text}")
        if target:
            links.go(f"Урок {target.number}. {target.title}", links.LESSON, links.lesson(target.id))
