"""The course map: a first success, the lessons with their progress, one button to go on."""

from __future__ import annotations

import streamlit as st

from common import numbers
from lessons import path
from lessons.model import Block, Course, Lesson
from progress import learning
from ui import links, look, record, session
from ui.record import Record
from ui.widgets.first_guess import first_guess
from ui.widgets.prose import prose


def _page() -> None:
    look.title("Карта курса")
    course = session.course()
    st.title(course.title, anchor=False)
    prose(course.lead)
    stored = [record.load(lesson) for lesson in course.lessons]
    place = learning.position(session.database(), session.actor())
    if not any(each.visited for each in stored):
        first_guess()
    _begin(stored, place)
    st.subheader("Уроки", anchor=False)
    for each in stored:
        _card(each)
    _plan(course)
    _planned(course)
    _faults()


def _begin(stored: list[Record], place: tuple[str, str] | None) -> None:
    """The one primary button: on from where the learner stopped, or into the first lesson."""
    if not stored:
        st.markdown("Уроков пока нет: положите папку урока в `content/` и обновите страницу.")
        return
    here = next((each for each in stored if place and each.lesson.id == place[0]), stored[0])
    block = _next(here, place[1] if place else "")
    label = f"Продолжить: {block.title}" if here.visited else f"Начать урок «{here.lesson.title}»"
    if st.button(label, type="primary", key="begin", icon=":material/play_arrow:", wrap=True):
        st.switch_page(links.LESSON, query_params=links.lesson(here.lesson.id, block.id))


def _next(stored: Record, place: str) -> Block:
    """The block where the learner stopped or, when that is done, the first of the core path that is not."""
    lesson, done = stored.lesson, stored.done()
    stopped = None if place in done else lesson.block(place)
    return stopped or path.following(lesson, done) or lesson.blocks[0]


def _card(stored: Record) -> None:
    lesson, done = stored.lesson, stored.done()
    with st.container(border=True, key=f"lesson-{lesson.id}", gap="xsmall"):
        st.markdown(f"##### {lesson.number}. {lesson.title} &nbsp;{_state(lesson, stored)}", anchors=False)
        prose(lesson.summary)
        st.progress(path.share_done(lesson, done), text=_how_far(lesson, done))
        _needs(lesson)
        with st.container(horizontal=True):
            links.go(
                "Открыть с начала" if stored.visited else "Открыть урок",
                links.LESSON,
                links.lesson(lesson.id, lesson.blocks[0].id),
                icon=":material/menu_book:",
            )
            links.go("Шпаргалка", links.SHEET, {"id": lesson.id}, icon=":material/print:")


def _needs(lesson: Lesson) -> None:
    """Which lessons to go through before this one."""
    before = [each for each in map(session.course().lesson, lesson.prerequisites) if each]
    if before:
        st.caption(f"Сначала: {', '.join(f'{each.number}. {each.title}' for each in before)}")


def _state(lesson: Lesson, stored: Record) -> str:
    if path.following(lesson, stored.done()) is None:
        return ":green-badge[пройден]"
    return ":blue-badge[идёт]" if stored.visited else ":gray-badge[не начат]"


def _how_far(lesson: Lesson, done: frozenset[str]) -> str:
    core = path.core(lesson)
    minutes = numbers.plural(lesson.core_minutes, "минута", "минуты", "минут")
    questions = numbers.plural(len(lesson.questions), "вопрос", "вопроса", "вопросов")
    return f"{sum(block.id in done for block in core)} из {len(core)} блоков основного пути · {minutes} · {questions}"


def _plan(course: Course) -> None:
    """How to go through all of it: with what pace, and what waits at the end."""
    if course.plan:
        minutes = sum(lesson.core_minutes for lesson in course.lessons)
        hours = numbers.plural(round(minutes / 60), "час", "часа", "часов")
        with st.expander(f"План: основной путь — около {hours}", icon=":material/calendar_month:", key="plan"):
            prose("\n".join(f"- {step}" for step in course.plan))


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
