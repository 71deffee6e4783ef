"""An exercise: statement, editor, «Запустить», submission with live state, verdict, hints, history of attempts.

Leaves out drawing (``ui.widgets``), running and grading (jobs, in a worker).
"""

from __future__ import annotations

import streamlit as st

from graders.exercise import Exercise
from ui import links, look, session
from ui.widgets import attempts, workbench


def page() -> None:
    """The exercise that the address names, or the list of all."""
    slug = st.query_params.get("id", "")
    if not slug:
        _all()
        return
    exercise = session.exercises().get(slug)
    if exercise is None:
        links.lost("Такого упражнения нет. Возможно, в адресе опечатка.")
        return
    look.title(exercise.title)
    _head(exercise)
    workbench.show(exercise)
    attempts.history(exercise)


def _all() -> None:
    look.title("Упражнения")
    st.title("Упражнения")
    for slug, exercise in session.exercises().items():
        with st.container(border=True):
            links.go(exercise.title, links.EXERCISE, links.exercise(slug), icon=":material/code:")
            st.markdown(exercise.summary)
            st.caption(attempts.standing(exercise))


def _head(exercise: Exercise) -> None:
    lesson = session.course().lesson(exercise.lesson)
    if lesson:
        links.go(f"К уроку «{lesson.title}»", links.LESSON, links.lesson(lesson.id), icon=":material/arrow_back:")
    st.title(exercise.title)
    st.caption(attempts.standing(exercise))
    st.markdown(exercise.statement)


page()
