"""For instructors: one learner's checklist, answers with confidence, submissions with code and verdicts."""

from __future__ import annotations

import streamlit as st

from lessons.model import Lesson
from progress import learning, reports, roster
from progress.identity import Forbidden
from progress.learning import Answer
from progress.roster import Dossier
from progress.states import INSTRUCTOR_WORDS, State
from progress.submissions import Missing, Submission
from ui import catalogue, links, look, session
from ui.record import CONFIDENCE
from ui.widgets import verdict
from ui.widgets.safe import plain

COLOURS = {State.EMPTY: "gray", State.CLAIMED: "blue", State.PROVEN: "green", State.CONTRADICTED: "red"}


def page() -> None:
    """The learner that the address names."""
    look.title("Работа ученика")
    try:
        found = roster.dossier(session.database(), session.actor(), st.query_params.get("id", ""))
    except (Missing, Forbidden) as problem:
        links.lost(str(problem))
        return
    links.go("К группе", links.INSTRUCTOR, icon=":material/arrow_back:")
    person = found.work.person
    st.title(f"{person.name} (пример)" if person.sample else person.name, anchor=False)
    if found.work.seen:
        st.caption(f"Последнее действие: {found.work.seen.astimezone():%d.%m.%Y %H:%M}")
    for lesson in session.course().lessons:
        _lesson(found, lesson)
    _submissions(found)


def _lesson(found: Dossier, lesson: Lesson) -> None:
    st.header(lesson.title, anchor=False)
    states = reports.checklist(found.work, catalogue.lesson_entry(lesson))
    for item in lesson.checklist:
        state = states[item.id]
        st.markdown(f":{COLOURS[state]}-badge[{INSTRUCTOR_WORDS[state]}] {item.text}")
    mine = [answer for answer in found.work.answers if answer.lesson == lesson.id]
    answers = [answer for answer in mine if lesson.question(answer.question)]  # not guesses about myths
    sure = sum(not answer.right and answer.confidence == "sure" for answer in answers)
    with st.expander(f"Ответы на вопросы: {len(answers)}, из них уверенных ошибок: {sure}"):
        for answer in answers:
            _answer(lesson, answer)
        if not answers:
            st.caption("Ответов пока нет.")


def _answer(lesson: Lesson, answer: Answer) -> None:
    question = lesson.question(answer.question)
    if question is None:
        return
    mark = ":green[:material/check_circle:]" if answer.right else ":red[:material/cancel:]"
    said = CONFIDENCE.get(answer.confidence, answer.confidence)
    st.markdown(f"{mark} {question.text}")
    st.markdown(f":gray[Ответ:] {plain(_response(answer))} :gray[({said}, {answer.at.astimezone():%d.%m %H:%M})]")


def _response(answer: Answer) -> str:
    given = answer.response
    if "pairs" in given:
        return "; ".join(f"{left} → {right}" for left, right in dict(given["pairs"]).items())
    value = given.get("chosen", given.get("number", given.get("order", "")))
    return " → ".join(map(str, value)) if isinstance(value, list) else str(value)


def _submissions(found: Dossier) -> None:
    st.header("Решения", anchor=False)
    if not found.submissions:
        st.caption("Решений пока нет.")
    exercises = session.exercises()
    sentences = {name: known.sentence for name, known in session.course().misconceptions.items()}
    for sent in reversed(found.submissions):
        exercise = exercises.get(sent.exercise)
        with st.expander(_label(sent, exercise.title if exercise else sent.exercise)):
            st.code(learning.to_text(sent.source), language="python")
            if sent.verdict:
                verdict.show_verdict(sent.verdict, sentences)
    for slug, opened in found.hints.items():
        exercise = exercises.get(slug)
        st.caption(f"{exercise.title if exercise else slug}: открыто подсказок — {len(opened)}")


def _label(sent: Submission, title: str) -> str:
    result = verdict.TITLES[sent.verdict.outcome] if sent.verdict else "проверяется"
    return f"{title} · попытка {sent.number} · {sent.created.astimezone():%d.%m %H:%M} · {result}"


page()
