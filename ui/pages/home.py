"""The course map: a first success, the lessons with their progress, one button to go on."""

from __future__ import annotations

import streamlit as st

from common import numbers
from lessons import path
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
    done = stored.done()
    with st.container(border=True, key=f"lesson-{lesson.id}", gap="xsmall"):
        st.markdown(f"##### {lesson.number}. {lesson.title} &nbsp;{_state(lesson, stored)}", anchors=False)
        prose(lesson.summary)
        st.progress(path.share_done(lesson, done), text=_how_far(lesson, done))
        links.go("Открыть урок", links.LESSON, links.lesson(lesson.id), icon=":material/menu_book:")


def _state(lesson: Lesson, stored: record.Record) -> str:
    if path.following(lesson, stored.done()) is None:
        return ":green-badge[пройден]"
    return ":blue-badge[идёт]" if stored.visited else ":gray-badge[не начат]"


def _how_far(lesson: Lesson, done: frozenset[str]) -> str:
    core = path.core(lesson)
    minutes = numbers.plural(lesson.core_minutes, "минута", "минуты", "минут")
    questions = numbers.plural(len(lesson.questions), "вопрос", "вопроса", "вопросов")
    return f"{sum(block.id in done for block in core)} из {len(core)} блоков основного пути · {minutes} · {questions}"


def _planned(course: Course) -> None:
    if course.planned:
        st.subheader("Готовится", anchor=False)
        with st.grid(2, min_column_width=240, gap="xsmall", key="planned"):
            for title in course.planned:
                st.markdown(f":gray[:material/hourglass_empty: {title}]")


def _faults() -> None:
    faults = session.faults() if session.actor().instructor else ()
    if faults:
        found = numbers.plural(len(faults), "ошибка", "ошибки", "ошибок")
        with st.expander(f"В материалах курса {found}: уроки с ошибками не показаны", icon=":material/report:"):
            st.code("\n".join(faults), language=None, wrap_lines=True)


_page()
