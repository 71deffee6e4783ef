"""A lesson, one block at a time. ``?id=lora-math&block=counting``; without them, where the learner stopped."""

from __future__ import annotations

import streamlit as st

from common import numbers
from lessons.model import Block, Course, Lesson
from progress import learning
from ui import links, look, record, session
from ui.widgets import pieces
from ui.widgets.outline import onward, outline, whereabouts
from ui.widgets.prose import prose


def _page() -> None:
    course = session.course()
    place = learning.position(session.database(), session.actor())
    lesson = _lesson(course, place)
    if lesson is None:
        links.lost("Такого урока нет: возможно, его переименовали или адрес скопирован не целиком.")
        return
    stored = record.load(lesson)
    block = _block(lesson, place)
    if block is None:
        links.lost("Такого блока в этом уроке нет.")
        links.go(f"Открыть урок «{lesson.title}» сначала", links.LESSON, links.lesson(lesson.id, lesson.blocks[0].id))
        return
    stored.visit(block.id)
    _show(stored, block)


def _show(stored: record.Record, block: Block) -> None:
    lesson = stored.lesson
    look.title(f"{block.title} · {lesson.title}")
    look.start_at_top(f"{lesson.id}/{block.id}")
    outline(stored, block)
    whereabouts(stored, block)
    if block is lesson.blocks[0]:
        _opening(lesson)
    st.header(block.title, anchor=block.id)
    if block.depth == "deep":
        st.caption("Этот блок — вглубь: его можно пропустить и вернуться позже.")
    for number, piece in enumerate(block.pieces):
        pieces.show(stored, piece, f"{block.id}-{number}")
    onward(stored, block)


def _opening(lesson: Lesson) -> None:
    st.title(lesson.title, anchor=False)
    prose(lesson.summary)
    with st.container(border=True, key="goal", gap="xsmall"):
        prose(f"**Цель.** {lesson.goal}")
        prose("\n".join(f"- {outcome}" for outcome in lesson.outcomes))
        before = [_named(name) for name in lesson.prerequisites]
        if before:
            prose(f":gray[Понадобится: {'; '.join(before)}.]")
        minutes = numbers.plural(lesson.core_minutes, "минута", "минуты", "минут")
        prose(f":gray[Основной путь — {minutes}; блоки «по желанию» сверх того.]")


def _named(prerequisite: str) -> str:
    lesson = session.course().lesson(prerequisite)
    return f"урок {lesson.number} «{lesson.title}»" if lesson else prerequisite


def _lesson(course: Course, place: tuple[str, str] | None) -> Lesson | None:
    wanted = st.query_params.get("id") or (place[0] if place else "")
    if wanted or not course.lessons:
        return course.lesson(wanted)
    return course.lessons[0]


def _block(lesson: Lesson, place: tuple[str, str] | None) -> Block | None:
    wanted = st.query_params.get("block")
    if wanted:
        return lesson.block(wanted)
    stopped = lesson.block(place[1]) if place and place[0] == lesson.id else None
    return stopped or lesson.blocks[0]


_page()
