"""The checklist of a lesson: a tick is stored at once; what is proven or worth repeating stands beside it."""

from __future__ import annotations

import streamlit as st

from lessons.model import ChecklistItem
from progress.database import DatabaseFault
from progress.states import LEARNER_WORDS, State
from ui import links, mastery, session
from ui.record import Record

BADGES = {State.CLAIMED: "blue", State.PROVEN: "green", State.CONTRADICTED: "orange"}
"""The colour of each state that is worth a word."""


@st.fragment
def checklist(record: Record) -> None:
    """The items with their states; ticking stores and does not move the page."""
    st.caption("Отметка — ваше слово. «Доказано» появится само: когда верно решены два связанных задания разного вида.")
    standing = mastery.states(record)
    for item in record.lesson.checklist:
        item_row(record, item, standing[item.id])


def item_row(record: Record, item: ChecklistItem, state: State) -> None:
    """One item: its tick, its state, and the way to the block when it is worth repeating."""
    with st.container(key=f"item-{item.id}", gap="xsmall"):
        st.checkbox(
            f"{item.text} {badge(state)}",
            value=item.id in record.ticks,
            key=f"tick-{item.id}",
            on_change=_toggle,
            args=(record, item.id),
        )
        complaint = session.recall(_complaint(item.id), "")
        if complaint:
            st.error(complaint, icon=":material/database:")
        block = record.lesson.block(item.block)
        if block and state is State.CONTRADICTED:
            links.go(
                f"Перечитать: {block.title}",
                links.LESSON,
                links.lesson(record.lesson.id, block.id),
                icon=":material/menu_book:",
            )


def badge(state: State) -> str:
    """The state in the learner's words, as Markdown; nothing where nothing is known."""
    return f":{BADGES[state]}-badge[{LEARNER_WORDS[state]}]" if state in BADGES else ""


def _toggle(record: Record, item: str) -> None:
    try:
        record.tick(item, on=item not in record.ticks)
    except DatabaseFault as problem:
        session.remember(f"tick-{item}", item in record.ticks)  # the box shows what is stored
        session.remember(_complaint(item), str(problem))
    else:
        session.forget(_complaint(item))


def _complaint(item: str) -> str:
    return f"complaint:tick-{item}"
