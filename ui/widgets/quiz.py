"""A question in place: choose, state confidence with the click that answers, read why; answer again at will.

Leaves out judging (``ui.answers``) and storing (``ui.record``).
"""

from __future__ import annotations

import streamlit as st

from lessons.model import Question
from progress.database import DatabaseFault
from ui import answers, links, session
from ui.record import CONFIDENCE, Given, Record
from ui.widgets import inputs
from ui.widgets.figure import figure

PLAIN = ("traceback", "log", "table", "tensor")
"""What is no code, though it stands in a fixed-width fount."""
ICONS = {True: ":material/check_circle:", False: ":material/cancel:"}


@st.fragment
def question(record: Record, name: str) -> None:
    """One question of the lesson, or its stored answer."""
    asked = record.lesson.question(name)
    if asked is None:
        return
    with st.container(border=True, key=f"question-{name}"):
        st.markdown(asked.text)
        if asked.figure:
            figure(asked.figure, asked.alt, f"asked-{name}")
        if asked.code and asked.kind != "spot":
            st.code(asked.code, language="text" if asked.artefact in PLAIN else "python")
        given = record.answers.get(name)
        if given is None or session.recall(_again(name), default=False):
            _ask(record, asked)
        else:
            _answered(record, asked, given)


def _ask(record: Record, asked: Question) -> None:
    inputs.show(asked, session.actor().id)
    # One element instead of a caption, a row and three buttons: on a page of eleven questions that is half the time.
    st.segmented_control(
        "Ответить и сказать, насколько уверены:",
        list(CONFIDENCE),
        format_func=CONFIDENCE.__getitem__,
        key=_confidence(asked.id),
        on_change=_answer,
        args=(record, asked),
    )
    complaint = session.recall(_complaint(asked.id), "")
    if complaint:
        st.markdown(f":orange[{complaint}]")


def _answer(record: Record, asked: Question) -> None:
    level = session.recall(_confidence(asked.id), "")
    session.remember(_confidence(asked.id), None)  # a click that could not be taken can be made again
    response = inputs.read(asked)
    try:
        judged = None if response is None else answers.judge(asked, response)
    except answers.NotANumber as problem:
        session.remember(_complaint(asked.id), str(problem))
        return
    if response is None or judged is None:
        session.remember(_complaint(asked.id), inputs.MISSING[asked.kind])
        return
    try:
        record.answer(asked.id, Given(response, judged.right, level), misconception=judged.misconception)
    except DatabaseFault as problem:  # what was chosen stays chosen
        session.remember(_complaint(asked.id), str(problem))
        return
    session.forget(_complaint(asked.id))
    session.forget(_again(asked.id))
    inputs.clear(asked)


def _answered(record: Record, asked: Question, given: Given) -> None:
    judged = answers.judge(asked, given.response)
    with st.container(gap="xsmall"):
        inputs.review(asked, given.response)
    headline = "**Верно.**" if judged.right else "**Пока нет.**"
    color = "green" if judged.right else "red"
    with st.container(key=f"{'right' if judged.right else 'wrong'}-{asked.id}", gap="xsmall"):
        st.markdown(f":{color}[{ICONS[judged.right]} {headline}] {_calibration(judged.right, given.confidence)}")
        for remark in judged.remarks:
            st.markdown(remark)
        known = session.course().misconceptions.get(judged.misconception)
        if known and not judged.right:
            st.markdown(f"_{known.title}._ {known.sentence}")
        st.markdown(asked.explanation)
    _after(record, asked, right=judged.right)


def _calibration(right: bool, confidence: str) -> str:
    if confidence == "sure" and not right:
        return "Вы были уверены — такую ошибку полезно найти сейчас, а не в работе."
    if confidence == "guess" and right:
        return "Угадано верно — прочитайте почему, чтобы в следующий раз знать."
    return f"Ваш ответ: «{CONFIDENCE.get(confidence, confidence)}»."


def _after(record: Record, asked: Question, *, right: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Ответить ещё раз",
            key=f"again-{asked.id}",
            type="tertiary",
            icon=":material/replay:",
            on_click=session.remember,
            args=(_again(asked.id), True),
        )
        block = record.lesson.block(asked.block)
        if block and not right and block.id != st.query_params.get("block"):
            links.go(
                f"Перечитать: {block.title}",
                links.LESSON,
                links.lesson(record.lesson.id, block.id),
                icon=":material/menu_book:",
            )


def anew(name: str) -> None:
    """Ask the question again although it has been answered."""
    session.remember(_again(name), value=True)


def _again(name: str) -> str:
    return f"again:{name}"


def _confidence(name: str) -> str:
    return f"confidence-{name}"


def _complaint(name: str) -> str:
    return f"complaint:{name}"
