"""Where the learner is in a lesson: the outline beside it, the line above it, and the way on beneath it."""

from __future__ import annotations

import streamlit as st

from common import numbers
from lessons import path
from lessons.model import Block
from ui import links
from ui.record import Record


def outline(record: Record, here: Block) -> None:
    """The blocks of the lesson with minutes and what is done, in the sidebar."""
    lesson = record.lesson
    with st.sidebar:
        st.markdown(f"**{lesson.number}. {lesson.title}**")
        with st.container(key="outline", gap=None):
            for block in lesson.blocks:
                links.go(
                    _label(block, here), links.LESSON, links.lesson(lesson.id, block.id), icon=_mark(record, block)
                )
        st.caption(":material/check_circle: пройдено · :material/adjust: открыто · :material/circle: впереди")


def _label(block: Block, here: Block) -> str:
    minutes = f"{block.minutes}{numbers.NBSP}мин{' · по желанию' if block.depth == 'deep' else ''}"
    return f"{f'**{block.title}**' if block is here else block.title} :gray[{minutes}]"


def _mark(record: Record, block: Block) -> str:
    if record.finished(block):
        return ":material/check_circle:"
    return ":material/adjust:" if block.id in record.visited else ":material/circle:"


def whereabouts(record: Record, here: Block) -> None:
    """One line and a thin bar: which block of how many, how many minutes of the core path are left."""
    lesson, done = record.lesson, record.done()
    left, at = path.minutes_left(lesson, done), path.position(lesson, here.id)
    minutes = numbers.plural(left, "минута", "минуты", "минут")
    rest = f"осталось {minutes} основного пути" if left else "основной путь пройден"
    words = f"Урок {lesson.number} · блок {at} из {len(lesson.blocks)} · {rest}"
    st.progress(path.share_done(lesson, done), text=words)


def onward(record: Record, here: Block) -> None:
    """One primary button to the next block, and the way back."""
    before, following = path.neighbours(record.lesson, here.id)
    with st.container(horizontal=True, key="onward", horizontal_alignment="distribute"):
        if before:
            st.button("Назад", key="back", icon=":material/arrow_back:", on_click=_open, args=(record, before))
        if following:
            st.button(
                f"Дальше: {following.title}",
                key="onward-button",
                type="primary",
                icon=":material/arrow_forward:",
                icon_position="right",
                on_click=_open,
                args=(record, following),
                wrap=True,
            )
        else:
            links.go("К карте курса", links.HOME, icon=":material/map:")


def _open(record: Record, block: Block) -> None:
    st.query_params.from_dict(links.lesson(record.lesson.id, block.id))
