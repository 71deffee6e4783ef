"""Links to exercises with their points and how far this learner is."""

from __future__ import annotations

import streamlit as st

from common import numbers
from graders.exercise import Exercise
from progress import submissions
from ui import links, session


def task(slug: str) -> None:
    """A card that leads to the exercise."""
    exercise = session.exercises().get(slug)
    if exercise is None:
        return
    with st.container(border=True, gap="xsmall", key=f"task-{slug}"):
        st.markdown(f"**{exercise.title}** &nbsp; {standing(exercise)}")
        st.markdown(exercise.summary)
        links.go("Открыть упражнение", links.EXERCISE, links.exercise(slug), icon=":material/code:")


def standing(exercise: Exercise) -> str:
    """A badge: not begun, in the queue, or the best points so far."""
    attempts = submissions.attempts(session.database(), session.actor(), exercise.slug)
    best = max((attempt.verdict.points for attempt in attempts if attempt.verdict), default=None)
    whole = _points(exercise.points)
    if best is not None:
        color = "green" if best >= exercise.points else "orange"
        return f":{color}-badge[{numbers.show(best, 'decimal', 0)} из {whole}]"
    if attempts:
        return ":blue-badge[проверяется]"
    return f":gray-badge[{whole}]"


def _points(points: float) -> str:
    return numbers.plural(round(points), "балл", "балла", "баллов")
