"""What is stored about one learner and one lesson: read once for a page, kept current by the widgets that write.

Fragments answer from it without another query. Leaves out computing checklist states (``progress.states``).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lessons.model import Block, ExerciseRef, Lesson, Part, Piece, QuizRef
from progress import learning, submissions
from progress.database import DatabaseFault
from progress.learning import Answer, AnswerIn
from ui import session

log = logging.getLogger("course.app")

CONFIDENCE = {"guess": "угадываю", "think": "думаю", "sure": "уверен"}
"""The three ways to answer a question, each a button that states confidence."""

MYTH = "myth:"
"""Guesses about myths are stored as answers under this prefix."""


@dataclass(slots=True)
class Given:
    """An answer as the page needs it."""

    response: Mapping[str, Any]
    right: bool
    confidence: str


@dataclass(slots=True)
class Record:
    """One learner in one lesson."""

    lesson: Lesson
    answers: dict[str, Given] = field(default_factory=dict)
    ticks: set[str] = field(default_factory=set)
    visited: set[str] = field(default_factory=set)
    history: list[Answer] = field(default_factory=list)
    solved: frozenset[str] = frozenset()

    def finished(self, block: Block) -> bool:
        """The block was opened and what it asks is done: questions right, myths guessed, exercises solved."""
        return block.id in self.visited and all(self._done(piece) for piece in block.pieces)

    def _done(self, piece: Piece) -> bool:
        match piece:
            case QuizRef():
                asked = questions(self.lesson, piece)
                return all(name in self.answers and self.answers[name].right for name in asked)
            case Part("myths"):
                return all(MYTH + myth.id in self.answers for myth in self.lesson.myths)
            case ExerciseRef(slug):
                return slug in self.solved
            case _:
                return True

    def done(self) -> frozenset[str]:
        """The ids of the finished blocks."""
        return frozenset(block.id for block in self.lesson.blocks if self.finished(block))

    def answer(self, question: str, given: Given, *, misconception: str = "") -> None:
        """Store an answer; the page shows it from here on."""
        sent = AnswerIn(
            lesson=self.lesson.id,
            question=question,
            response=given.response,
            right=given.right,
            confidence=given.confidence,
            misconception=misconception,
        )
        self.history.append(learning.answer(session.database(), session.actor(), sent))
        self.answers[question] = given

    def tick(self, item: str, on: bool) -> None:
        """Store a tick of the checklist, or its removal."""
        learning.tick(session.database(), session.actor(), self.lesson.id, item, on)
        (self.ticks.add if on else self.ticks.discard)(item)

    def visit(self, block: str) -> None:
        """Store where the learner is."""
        place = (self.lesson.id, block)
        if session.recall("place", ("", "")) == place:
            return
        try:
            learning.visit(session.database(), session.actor(), self.lesson.id, block)
        except DatabaseFault as fault:  # a page that can be read is worth more than the note that it was
            log.warning("%s/%s is shown, the visit is not stored: %s", self.lesson.id, block, fault)
            return
        session.remember("place", place)
        self.visited.add(block)


def load(lesson: Lesson) -> Record:
    """What is stored about whoever is looking, in this lesson."""
    database, actor = session.database(), session.actor()
    history = list(learning.answers(database, actor, lesson.id))
    return Record(
        lesson,
        {row.question: Given(row.response, row.right, row.confidence) for row in history},
        set(learning.ticks(database, actor, lesson.id)),
        set(learning.visited(database, actor, lesson.id)),
        history,
        submissions.passed(database, actor),
    )


def questions(lesson: Lesson, ref: QuizRef) -> tuple[str, ...]:
    """The questions of a directive: those it names or, when it names none, all that no other directive asks."""
    if ref.questions:
        return ref.questions
    named = {
        name
        for block in lesson.blocks
        for piece in block.pieces
        if isinstance(piece, QuizRef)
        for name in piece.questions
    }
    return tuple(question.id for question in lesson.questions if question.id not in named)
