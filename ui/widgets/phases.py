"""The progressive diagram: one step at a time, forwards and back."""

from __future__ import annotations

import streamlit as st

from lessons.model import Lesson
from ui import session
from ui.widgets.figure import figure
from ui.widgets.prose import prose


@st.fragment
def phases(lesson: Lesson) -> None:
    """The step where this learner is: its drawing, its words, and the way on."""
    at = min(session.recall(_key(lesson), 0), len(lesson.phases) - 1)
    phase = lesson.phases[at]
    with st.container(border=True, key="phases"):
        st.markdown(f":gray[Шаг {at + 1} из {len(lesson.phases)}] &nbsp; **{phase.title}**")
        figure(phase.figure, phase.alt, f"phase-{phase.id}")
        prose(phase.text)
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.button(
                "Шаг назад",
                key="phase-back",
                icon=":material/arrow_back:",
                disabled=at == 0,
                on_click=session.remember,
                args=(_key(lesson), at - 1),
            )
            st.button(
                "Следующий шаг",
                key="phase-on",
                icon=":material/arrow_forward:",
                icon_position="right",
                disabled=at + 1 == len(lesson.phases),
                on_click=session.remember,
                args=(_key(lesson), at + 1),
            )


def _key(lesson: Lesson) -> str:
    return f"phase:{lesson.id}"
