"""Links to exercises with their points and how far this learner is."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from common import numbers
from graders.exercise import Exercise
from progress import submissions
from progress.submissions import Submission
from ui import links, session


def task(slug: str) -> None:
    """A card that leads to the exercise."""
    exercise = session.exercises().get(slug)
    if exercise is None:
        return
    with st.container(border=True, gap="xsmall", key=f"task-{slug}"):
        sent = submissions.attempts(session.database(), session.actor(), slug)
        st.markdown(f"**{exercise.title}** &nbsp; {standing(exercise, sent)}")
        st.markdown(exercise.summary)
        links.go("Открыть упражнение", links.EXERCISE, links.exercise(slug), icon=":material/code:")


def standing(exercise: Exercise, sent: Sequence[Submission]) -> str:
    """A badge: not begun, being graded, or the best points so far."""
    best = max((each.verdict.points for each in sent if each.verdict), default=None)
    whole = numbers.plural(round(exercise.points), "балл", "балла", "баллов")
    if best is not None:
        color = "green" if best >= exercise.points else "orange"
        return f":{color}-badge[{numbers.show(best, 'decimal', 0)} из {whole}]"
    return ":blue-badge[проверяется]" if sent else f":gray-badge[{whole}]"
