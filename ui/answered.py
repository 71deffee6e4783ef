"""Answers outside of lessons, kept under a name of their own: read once a tab, stored for good.

A database that does not answer must not keep a page shut: the tab remembers what could not be stored.
"""

from __future__ import annotations

import logging
from typing import Any

from progress import learning
from progress.database import DatabaseFault
from progress.learning import AnswerIn
from ui import session

log = logging.getLogger("course.app")


def recall(kind: str, field: str) -> dict[str, Any]:
    """The last answer to each question of a kind: the response's ``field`` by the question's id."""
    kept: dict[str, Any] | None = session.recall(_key(kind), None)
    if kept is None:
        stored = learning.answers(session.database(), session.actor(), kind)
        kept = {answer.question: answer.response.get(field) for answer in stored}
        session.remember(_key(kind), kept)
    return kept


def keep(kind: str, field: str, question: str, value: Any, *, right: bool, confidence: str = "think") -> None:
    """Store an answer; the page shows it from here on."""
    session.remember(_key(kind), {**recall(kind, field), question: value})
    given = AnswerIn(kind, question, {field: value}, right=right, confidence=confidence)
    try:
        learning.answer(session.database(), session.actor(), given)
    except DatabaseFault as fault:
        log.warning("an answer was not stored: %s", fault)


def forget(kind: str, field: str, question: str) -> None:
    """Ask again in this tab; what was stored stays stored."""
    session.remember(_key(kind), {name: value for name, value in recall(kind, field).items() if name != question})


def _key(kind: str) -> str:
    return f"answered-{kind}"
