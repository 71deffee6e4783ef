"""«Скорая помощь»: paste a traceback or tell the symptom → cause → fix, over the frequent errors of all lessons."""

from __future__ import annotations

import streamlit as st

from lessons import searching
from lessons.model import FrequentError, Lesson
from ui import links, look, session
from ui.widgets.parts import remedy

SHOWN = 8
"""So many answers at most: the right one stands among the first or was not found."""


def _page() -> None:
    look.title("Скорая помощь")
    st.title("Скорая помощь", anchor=False)
    st.markdown(
        "Вставьте сообщение об ошибке целиком или опишите, что пошло не так. Каждый симптом здесь получен запуском "
        "кода на тех же версиях библиотек, что и в курсе, или взят из открытого обсуждения."
    )
    _search([(lesson, error) for lesson in session.course().lessons for error in lesson.errors])


@st.fragment
def _search(everything: list[tuple[Lesson, FrequentError]]) -> None:
    sought = st.text_area(
        "Сообщение или симптом",
        key="clinic-search",
        height=120,
        max_chars=searching.LONGEST,
        placeholder="RuntimeError: element 0 of tensors does not require grad…\nили: потери не падают",
    )
    st.button("Найти", key="clinic-find", type="primary", icon=":material/search:")
    if not (sought or "").strip():
        st.caption("Кнопка «Найти» или Ctrl + Enter. Без запроса показаны все, по урокам.")
    texts = [((lesson, error), _text(error)) for lesson, error in everything]
    found = searching.find(sought or "", texts)
    for lesson, error in found[:SHOWN] if (sought or "").strip() else found:
        with st.expander(error.symptom, key=f"clinic-{lesson.id}-{error.id}", icon=":material/error:"):
            remedy(error)
            links.go(
                f"Урок {lesson.number}. {lesson.title}", links.LESSON, links.lesson(lesson.id, lesson.part("errors"))
            )
    if not found:
        st.caption("Ничего похожего. Попробуйте последнюю строку сообщения или одно слово из неё.")


def _text(error: FrequentError) -> str:
    return " ".join((error.symptom, error.shows, error.cause, error.fix, error.code))


_page()
