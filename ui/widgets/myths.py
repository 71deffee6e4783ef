"""Myths: guess first, then read the truth with the number that settles it. Guesses are stored, reload keeps them."""

from __future__ import annotations

import streamlit as st

from lessons.model import Guess, Myth
from ui import session
from ui.record import MYTH, Given, Record
from ui.widgets.bars import Length, bars
from ui.widgets.figure import figure
from ui.widgets.prose import prose

PLAIN = (Guess("Правда"), Guess("Миф", right=True))
"""What may be guessed where the lesson names nothing else."""


def myths(record: Record) -> None:
    """All myths of the lesson, each answered on its own."""
    for myth in record.lesson.myths:
        _myth(record, myth)


@st.fragment
def _myth(record: Record, myth: Myth) -> None:
    with st.container(border=True, key=f"myth-{myth.id}"):
        st.markdown(f"**«{myth.claim.strip('«»')}»**")
        given = record.answers.get(MYTH + myth.id)
        if given is None:
            _ask(record, myth)
        else:
            _tell(myth, given)


def _ask(record: Record, myth: Myth) -> None:
    st.caption(myth.question)
    with st.container(horizontal=True):
        for i, guess in enumerate(myth.guesses or PLAIN):
            st.button(guess.text, key=f"guess-{myth.id}-{i}", on_click=_guess, args=(record, myth, guess), wrap=True)


def _guess(record: Record, myth: Myth, guess: Guess) -> None:
    given = Given({"chosen": guess.text}, guess.right, "guess")
    record.answer(MYTH + myth.id, given, misconception="" if guess.right else myth.misconception)


def _tell(myth: Myth, given: Given) -> None:
    chosen = given.response.get("chosen", "")
    verdict = ":green[:material/check_circle: Так и есть.]" if given.right else ":red[:material/cancel: Нет.]"
    st.markdown(f"{verdict} :gray[Ваша догадка: «{chosen}».]")
    if myth.number:
        words, number = st.columns([5, 3], vertical_alignment="center")
        with words:
            prose(myth.truth)
        with number.container(gap="xsmall"):
            st.metric(myth.number_label, myth.number, label_visibility="collapsed")
            st.caption(myth.number_label or "на самом деле")
    else:
        prose(myth.truth)
    _picture(myth)
    known = session.course().misconceptions.get(myth.misconception)
    if known and not given.right:
        st.caption(known.sentence)


def _picture(myth: Myth) -> None:
    facts = session.course().facts
    if myth.bars:
        bars([Length(bar.label, facts[bar.fact].value, facts[bar.fact].text, bar.mark) for bar in myth.bars])
    if myth.figure is not None:
        figure(myth.figure, myth.alt, f"myth-{myth.id}")
