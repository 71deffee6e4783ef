"""The course map: a first success, the lessons with their progress, one button to go on."""

from __future__ import annotations

import streamlit as st

from common import numbers
from lessons.model import Course, Lesson
from progress import learning
from ui import links, look, record, session
from ui.widgets.first_guess import first_guess
from ui.widgets.prose import prose


def _page() -> None:
    look.title("Карта курса")
    course = session.course()
    st.title(course.title, anchor=False)
    prose(course.lead)
    place = learning.position(session.database(), session.actor())
    started = course.lesson(place[0]) if place else None
    if not started:
        first_guess()
    _begin(course, started, place[1] if place else "")
    st.subheader("Уроки", anchor=False)
    for lesson in course.lessons:
        _card(lesson)
    _planned(course)
    _faults()


def _begin(course: Course, started: Lesson | None, block_id: str) -> None:
    lesson = started or (course.lessons[0] if course.lessons else None)
    if lesson is None:
        st.markdown("Уроков пока нет: положите папку урока в `content/` и обновите страницу.")
        return
    block = lesson.block(block_id) if started else None
    label = f"Продолжить: {block.title}" if block else f"Начать урок «{lesson.title}»"
    if st.button(label, type="primary", key="begin", icon=":material/play_arrow:", wrap=True):
        st.switch_page(links.LESSON, query_params=links.lesson(lesson.id, block.id if block else ""))


def _card(lesson: Lesson) -> None:
    stored = record.load(lesson)
    done = [block for block in lesson.blocks if stored.finished(block)]
    core = [block for block in lesson.blocks if block.depth == "core"]
    through = sum(block in done for block in core)
    with st.container(border=True, key=f"lesson-{lesson.id}", gap="xsmall"):
        st.markdown(f"##### {lesson.number}. {lesson.title} &nbsp;{_state(through, len(core), bool(stored.visited))}",
                    anchors=False)  # fmt: skip
        prose(lesson.summary)
        st.progress(through / max(1, len(core)), text=_how_far(lesson, through, len(core)))
        links.go("Открыть урок", links.LESSON, links.lesson(lesson.id), icon=":material/menu_book:")


def _state(through: int, core: int, visited: bool) -> str:
    if core and through == core:
        return ":green-badge[пройден]"
    return ":blue-badge[идёт]" if visited else ":gray-badge[не начат]"


def _how_far(lesson: Lesson, through: int, core: int) -> str:
    minutes = numbers.plural(lesson.core_minutes, "минута", "минуты", "минут")
    questions = numbers.plural(len(lesson.questions), "вопрос", "вопроса", "вопросов")
    return f"{through} из {core} блоков основного пути · {minutes} · {questions}"


def _planned(course: Course) -> None:
    if course.planned:
        st.subheader("Готовятся", anchor=False)
        with st.container(gap="xsmall", key="planned"):
            for title in course.planned:
                st.markdown(f":gray[{title}] :gray-badge[готовится]")


def _faults() -> None:
    faults = session.faults() if session.actor().instructor else ()
    if faults:
        found = numbers.plural(len(faults), "ошибка", "ошибки", "ошибок")
        with st.expander(f"В материалах курса {found}: уроки с ошибками не показаны", icon=":material/report:"):
            st.code("\n".join(str(fault) for fault in faults), language=None, wrap_lines=True)


_page()
