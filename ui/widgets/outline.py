"""Where the learner is in a lesson: the outline beside it, the line above it, and the way on beneath it."""

from __future__ import annotations

import streamlit as st

from common import numbers
from lessons.model import Block
from ui import links
from ui.record import Record


def outline(record: Record, here: Block) -> None:
    """The blocks of the lesson with minutes and what is done, in the sidebar."""
    lesson = record.lesson
    with st.sidebar:
        st.markdown(f"**{lesson.number}. {lesson.title}**")
        for block in lesson.blocks:
            deep = " · по желанию" if block.depth == "deep" else ""
            label = f"{block.title} :gray[{block.minutes}{numbers.NBSP}мин{deep}]"
            links.go(label, links.LESSON, links.lesson(lesson.id, block.id), icon=_mark(record, block, here))
        st.caption(":material/check_circle: пройдено   :material/adjust: открыто   :material/circle: впереди")


def _mark(record: Record, block: Block, here: Block) -> str:
    if block is here:
        return ":material/arrow_right_alt:"
    if record.finished(block):
        return ":material/check_circle:"
    return ":material/adjust:" if block.id in record.visited else ":material/circle:"


def whereabouts(record: Record, here: Block) -> None:
    """One line and a thin bar: which block of how many, how many minutes of the core path are left."""
    blocks = record.lesson.blocks
    left = sum(block.minutes for block in blocks if block.depth == "core" and not record.finished(block))
    at = blocks.index(here) + 1
    rest = f"осталось {numbers.plural(left, 'минута', 'минуты', 'минут')} основного пути" if left else "основной путь пройден"
    st.progress(at / len(blocks), text=f"Урок {record.lesson.number} · блок {at} из {len(blocks)} · {rest}")


def onward(record: Record, here: Block) -> None:
    """One primary button to the next block, and the way back."""
    blocks = record.lesson.blocks
    at = blocks.index(here)
    with st.container(horizontal=True, key="onward", horizontal_alignment="distribute"):
        if at:
            st.button("Назад", key="back", icon=":material/arrow_back:", on_click=_open, args=(record, blocks[at - 1]))
        if at + 1 < len(blocks):
            following = blocks[at + 1]
            st.button(f"Дальше: {following.title}", key="onward-button", type="primary", icon=":material/arrow_forward:",
                      icon_position="right", on_click=_open, args=(record, following), wrap=True)  # fmt: skip
        else:
            links.go("К карте курса", links.HOME, icon=":material/map:")


def _open(record: Record, block: Block) -> None:
    st.query_params.from_dict(links.lesson(record.lesson.id, block.id))
