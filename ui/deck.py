"""The learner's cards as pages need them: what is due, which terms may be learned anew, what each card shows.

Leaves out scheduling (``progress.review``) and widgets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lessons.model import Course, Lesson, Question, Term
from progress import learning, review, roster
from progress.learning import AnswerIn
from progress.review import TERM
from progress.roster import Work
from ui import session

NEW_A_DAY = 10
"""New terms offered in one day: more of them and tomorrow's reviews become a chore."""


@dataclass(frozen=True, slots=True)
class Card:
    """One card: exactly one of ``question`` and ``term`` is there."""

    lesson: Lesson
    question: Question | None
    term: Term | None

    @property
    def name(self) -> tuple[str, str]:
        """What its answers are stored under."""
        return self.lesson.id, self.question.id if self.question else f"{TERM}{self.term.id}" if self.term else ""


@dataclass(frozen=True, slots=True)
class Deck:
    """What waits now, what comes later, and terms that were never recalled."""

    waiting: tuple[Card, ...]
    later: tuple[datetime, ...]
    fresh: tuple[Card, ...]


def deck(now: datetime) -> Deck:
    """The learner's deck. Cards of questions and terms that the course no longer has are left out."""
    course, work = session.course(), roster.own(session.database(), session.actor())
    known = [(due, card) for due in review.cards(work.answers) if (card := _card(course, due.lesson, due.question))]
    waiting = tuple(card for due, card in known if due.waits(now))
    later = tuple(due.due for due, _ in known if not due.waits(now))
    taken = {card.name for _, card in known}
    begun = sum(answer.number == 1 and _is_new(answer.question, answer.at, now) for answer in work.answers)
    fresh = [card for card in _terms(course, work) if card.name not in taken]
    return Deck(waiting, later, tuple(fresh[: max(0, NEW_A_DAY - begun)]))


def find(lesson: str, name: str) -> Card | None:
    """A card by what its answers are stored under, due or not."""
    return _card(session.course(), lesson, name)


def recalled(card: Card, confidence: str) -> None:
    """Store how a term was recalled; an empty ``confidence`` says that it was not.

    Raises:
        DatabaseFault: nothing was stored.
    """
    lesson, name = card.name
    given = AnswerIn(lesson, name, {}, right=bool(confidence), confidence=confidence or "guess")
    learning.answer(session.database(), session.actor(), given)


def _is_new(question: str, at: datetime, now: datetime) -> bool:
    return question.startswith(TERM) and (now - at).total_seconds() < 86_400


def _terms(course: Course, work: Work) -> list[Card]:
    """Terms of the lessons that the learner has opened."""
    opened = {lesson for lesson, _ in work.visits}
    return [Card(lesson, None, term) for lesson in course.lessons if lesson.id in opened for term in lesson.terms]


def _card(course: Course, lesson_id: str, name: str) -> Card | None:
    lesson = course.lesson(lesson_id)
    if lesson is None:
        return None
    if name.startswith(TERM):
        term = next((term for term in lesson.terms if term.id == name.removeprefix(TERM)), None)
        return Card(lesson, None, term) if term else None
    question = lesson.question(name)
    return Card(lesson, question, None) if question else None
