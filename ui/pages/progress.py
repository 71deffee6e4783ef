"""«Мой прогресс»: checklists, exercises with points, and answers by confidence, the confident mistakes first."""

from __future__ import annotations

import streamlit as st

from common import numbers
from graders.exercise import Exercise
from lessons import path
from lessons.model import Lesson, Question
from progress import submissions
from progress.states import State
from progress.submissions import Submission
from ui import links, look, mastery, record, session
from ui.record import CONFIDENCE, Record
from ui.widgets import checklist, tasks

ORDER = ("sure", "think", "guess")


def _page() -> None:
    look.title("Мой прогресс")
    st.title("Мой прогресс", anchor=False)
    sent = submissions.mine(session.database(), session.actor())
    stored = [record.load(lesson) for lesson in session.course().lessons]
    if not sent and not any(each.visited for each in stored):
        st.markdown("Пока здесь пусто: откройте первый урок, и страница начнёт заполняться сама.")
        links.go("К карте курса", links.HOME, icon=":material/map:")
        return
    for each in stored:
        _lesson(each, sent)


def _lesson(stored: Record, sent: tuple[Submission, ...]) -> None:
    lesson, done = stored.lesson, stored.done()
    st.subheader(f"{lesson.number}. {lesson.title}", anchor=False)
    left = numbers.plural(path.minutes_left(lesson, done), "минута", "минуты", "минут")
    st.progress(
        path.share_done(lesson, done), text=f"Пройдено блоков: {len(done)} из {len(lesson.blocks)} · осталось {left}"
    )
    _confident_mistakes(stored)
    _answers(stored)
    _checklist(stored)
    _exercises(lesson, sent)


def _confident_mistakes(stored: Record) -> None:
    """What was answered «уверен» and is still wrong: worth more than anything else on this page."""
    wrong = [question for question in _answered(stored) if _confident_and_wrong(stored, question)]
    if not wrong:
        return
    with st.container(border=True, key=f"mistakes-{stored.lesson.id}", gap="xsmall"):
        st.markdown(
            ":red[:material/priority_high:] **Уверен, но мимо.** Начните с этого: здесь знание подводит незаметно."
        )
        for question in wrong:
            st.markdown(question.text)
            block = stored.lesson.block(question.block)
            if block:
                links.go(f"Перечитать: {block.title}", links.LESSON, links.lesson(stored.lesson.id, block.id))


def _confident_and_wrong(stored: Record, question: Question) -> bool:
    given = stored.answers[question.id]
    return given.confidence == "sure" and not given.right


def _answered(stored: Record) -> list[Question]:
    return [question for question in stored.lesson.questions if question.id in stored.answers]


def _answers(stored: Record) -> None:
    answered = _answered(stored)
    st.markdown(f"**Вопросы.** Отвечено {len(answered)} из {len(stored.lesson.questions)}.")
    if not answered:
        return
    rows = ["| Вы сказали | верно | мимо |", "|---|--:|--:|"]
    for level in ORDER:
        given = [stored.answers[question.id] for question in answered]
        said = [each.right for each in given if each.confidence == level]
        rows.append(f"| «{CONFIDENCE[level]}» | {sum(said)} | {len(said) - sum(said)} |")
    st.markdown("\n".join(rows))


def _checklist(stored: Record) -> None:
    standing = mastery.states(stored)
    proven = sum(state is State.PROVEN for state in standing.values())
    st.markdown(f"**Чек-лист.** Доказано {proven} из {len(standing)}.")
    with st.container(gap="xsmall", key=f"items-{stored.lesson.id}"):
        for item in stored.lesson.checklist:
            state = standing[item.id]
            icon = ":green[:material/check_circle:]" if state is State.PROVEN else ":gray[:material/circle:]"
            st.markdown(f"{icon} {item.text} {checklist.badge(state)}")


def _exercises(lesson: Lesson, sent: tuple[Submission, ...]) -> None:
    exercises = [each for each in session.exercises().values() if each.lesson == lesson.id]
    if not exercises:
        return
    st.markdown("**Упражнения.**")
    for exercise in exercises:
        _exercise(exercise, [each for each in sent if each.exercise == exercise.slug])


def _exercise(exercise: Exercise, sent: list[Submission]) -> None:
    counted = numbers.plural(sum(each.counted for each in sent), "попытка", "попытки", "попыток")
    with st.container(horizontal=True, vertical_alignment="center", key=f"exercise-{exercise.slug}"):
        links.go(exercise.title, links.EXERCISE, links.exercise(exercise.slug), icon=":material/code:")
        st.markdown(f"{tasks.standing(exercise, sent)} :gray[{counted}]", width="content")


_page()
