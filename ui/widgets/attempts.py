"""What the learner has sent for an exercise: standing, latest verdict, history with code. Leaves out sending."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from common.numbers import plural
from graders.exercise import Exercise
from graders.protocol import Outcome
from progress import learning, submissions
from progress.submissions import Submission
from ui import session
from ui.widgets import verdict


def all_of(exercise: Exercise) -> tuple[Submission, ...]:
    """This learner's submissions, newest first."""
    return submissions.attempts(session.database(), session.actor(), exercise.slug)[::-1]


def newest(exercise: Exercise) -> Submission | None:
    """The submission sent last."""
    return next(iter(all_of(exercise)), None)


def pending(exercise: Exercise) -> Submission | None:
    """The submission that is waiting or being graded."""
    return next((sent for sent in all_of(exercise) if sent.state != "done"), None)


def standing(exercise: Exercise) -> str:
    """One line: best points so far, attempts counted."""
    sent = all_of(exercise)
    graded = [one.verdict for one in sent if one.verdict is not None and one.counted]
    if not graded:
        return f"Ещё не решалось · {verdict.points(0, exercise.points)}"
    best = max(graded, key=lambda one: one.points)
    tries = plural(len(graded), "попытка", "попытки", "попыток")
    return f"Лучший результат: {verdict.points(best.points, best.possible)} · {tries}"


def latest(exercise: Exercise) -> None:
    """The newest verdict."""
    graded = next((sent.verdict for sent in all_of(exercise) if sent.verdict is not None), None)
    if graded is None:
        st.caption("Отправьте решение — здесь появится разбор каждой проверки.")
        return
    verdict.show_verdict(graded, _sentences())


def repeated(submission_id: int) -> None:
    """The verdict on a file that was sent again: it was not graded a second time, and nothing was charged."""
    sent = submissions.get(session.database(), session.actor(), submission_id)
    st.info(
        f"Это же решение вы уже присылали: попытка {sent.number}, {sent.created.astimezone():%d.%m %H:%M}. "
        "Вот её разбор; новая попытка не потрачена.",
        icon=":material/history:",
    )
    if sent.verdict is not None:
        verdict.show_verdict(sent.verdict, _sentences())


def history(exercise: Exercise) -> None:
    """Every attempt with its code."""
    sent = [one for one in all_of(exercise) if one.verdict is not None]
    if not sent:
        return
    st.subheader("История попыток")
    for one in sent:
        with st.expander(_label(one)):
            text = learning.to_text(one.source)
            st.code(text, language="python", height=320 if text.count("\n") > 16 else None)
            if one.verdict:
                verdict.show_verdict(one.verdict, _sentences())


def age(sent: Submission) -> float:
    """Seconds since the submission was received."""
    return (datetime.now(UTC) - sent.created).total_seconds()


def _label(sent: Submission) -> str:
    if sent.verdict is None:
        return ""
    result = verdict.TITLES[sent.verdict.outcome]
    if sent.verdict.checks and sent.verdict.outcome is not Outcome.INFRA_ERROR:
        result += f", {verdict.points(sent.verdict.points, sent.verdict.possible)}"
    counted = f"Попытка {sent.number}" if sent.counted else "Не засчитано"
    return f"{counted} · {sent.created.astimezone():%d.%m %H:%M} · {result}"


def _sentences() -> dict[str, str]:
    return {name: known.sentence for name, known in session.course().misconceptions.items()}
