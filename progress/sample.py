"""An invented class, so that an instructor sees a full dashboard before the first learner comes.

Two dozen learners of seven characters go through the course day by day; what each answers, ticks and sends follows
from the character and a seed. Their rows are marked as sample, and ``remove`` takes them all away. Leaves out
grading: verdicts come with the catalogue's examples or are put together from the exercise's checks.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.orm import Session

from progress.catalogue import Catalogue, Example, ExerciseEntry, LessonEntry, QuestionEntry
from progress.database import Database
from progress.learning import to_bytes
from progress.records import AnswerRow, DraftRow, HintRow, LearnerRow, SubmissionRow, TickRow, VisitRow
from progress.sample_people import CLASS, Character
from progress.sample_verdicts import verdict_of

T = TypeVar("T")

SEED = 2
PREFIX = "sample-"


def add(db: Database, catalogue: Catalogue, now: datetime, *, seed: int = SEED) -> int:
    """Invent the class, as of ``now``; returns how many learners were added: none if they are there already."""
    with db.writing() as session:
        if _count(session):
            return 0
        for number, (name, character) in enumerate(CLASS, start=1):
            learner = f"{PREFIX}{number:02}"
            start = now - timedelta(days=character.started)
            session.add(LearnerRow(id=learner, name=name, instructor=False, sample=True, created=start))
            session.flush()
            dice = random.Random(f"{seed}/{learner}")  # noqa: S311 (an invented life, not a secret)
            end = now - timedelta(days=character.silent, minutes=dice.randint(5, 300))
            _Life(session, learner, character, start, end, dice).live(catalogue)
        return len(CLASS)


def remove(db: Database) -> int:
    """Take the invented class away, with all its work; returns how many learners went."""
    with db.writing() as session:
        gone = session.execute(delete(LearnerRow).where(LearnerRow.sample.is_(True)))
        assert isinstance(gone, CursorResult)  # noqa: S101 (narrows a type)
        return gone.rowcount


def present(db: Database) -> bool:
    """Whether the invented class is there."""
    with db.reading() as session:
        return _count(session) > 0


def _count(session: Session) -> int:
    return session.scalar(select(func.count()).where(LearnerRow.sample.is_(True))) or 0


@dataclass(slots=True)
class _Life:
    """One invented learner: a clock that moves on between their start and their last day, and what they do."""

    session: Session
    learner: str
    character: Character
    clock: datetime
    end: datetime
    dice: random.Random
    pause: timedelta = timedelta()
    place: VisitRow | None = None
    answered: dict[tuple[str, str], int] = field(default_factory=dict)

    def live(self, catalogue: Catalogue) -> None:
        """Go through the lessons, then the exercises, as far as this character gets."""
        exercises = self._reach(catalogue.exercises)
        self.pause = (self.end - self.clock) / (len(catalogue.lessons) + len(exercises) + 1)
        for lesson in catalogue.lessons:
            self._study(lesson)
        for exercise in exercises:
            self._solve(exercise)
        if self.place is not None:
            self.place.last = self.end  # looks in once more on the last day

    def _study(self, lesson: LessonEntry) -> None:
        blocks, questions = self._reach(lesson.blocks), self._reach(lesson.questions)
        for block in blocks:
            at = self._later(minutes=6)
            self.place = VisitRow(learner=self.learner, lesson=lesson.id, block=block, first=at, last=at)
            self.session.add(self.place)
        missed = [question for question in questions if not self._try(lesson.id, question)]
        self._rest()
        for question in missed:
            if self.dice.random() < self.character.reviews:
                self._answer(lesson.id, question, right=True)
        for item in lesson.items:
            if self.dice.random() < self.character.ticks:
                at = self._later(minutes=1)
                self.session.add(TickRow(learner=self.learner, lesson=lesson.id, item=item.id, at=at))

    def _try(self, lesson: str, question: QuestionEntry) -> bool:
        """Answer a question, and when that went wrong mostly once more; says whether the first try was right."""
        right = self.dice.random() < self.character.skill or not question.wrong
        self._answer(lesson, question, right=right)
        if not right and self.dice.random() < 0.7:
            self._answer(lesson, question, right=True)
        return right

    def _answer(self, lesson: str, question: QuestionEntry, *, right: bool) -> None:
        slip = None if right else self.dice.choice(question.wrong)
        number = self.answered[lesson, question.id] = self.answered.get((lesson, question.id), 0) + 1
        row = AnswerRow(
            learner=self.learner,
            lesson=lesson,
            question=question.id,
            number=number,
            response=dict(slip.response if slip else question.right),
            right=right,
            confidence=self.dice.choices(("guess", "think", "sure"), self.character.confidence)[0],
            misconception=slip.misconception if slip else "",
            hinted=False,
            at=self._later(minutes=2),
        )
        self.session.add(row)

    def _solve(self, exercise: ExerciseEntry) -> None:
        self._rest()
        sent = [self.dice.choice(exercise.mistakes) for _ in range(self._failures())] if exercise.mistakes else []
        if exercise.solution is not None and self.dice.random() < self.character.finishes:
            sent.append(exercise.solution)
        for number, example in enumerate(sent, start=1):
            self._send(exercise, example, number)
        if len(sent) > 1:
            self.session.add(HintRow(learner=self.learner, exercise=exercise.slug, number=1, at=self._later(minutes=3)))

    def _failures(self) -> int:
        low, high = self.character.failures
        return self.dice.randint(low, high)

    def _send(self, exercise: ExerciseEntry, example: Example, number: int) -> None:
        at, source = self._later(minutes=25), to_bytes(example.source)
        verdict = verdict_of(exercise, example)
        row = SubmissionRow(
            learner=self.learner,
            exercise=exercise.slug,
            number=number,
            source=source,
            filename="solution.py",
            created=at,
            state="done",
            started=at,
            finished=at + timedelta(seconds=max(verdict.seconds, 0.1)),
            outcome=str(verdict.outcome),
            verdict=verdict.to_json(),
        )
        self.session.add(row)
        self.session.merge(DraftRow(learner=self.learner, exercise=exercise.slug, source=source, at=at))

    def _reach(self, things: tuple[T, ...]) -> tuple[T, ...]:
        """As many as this character gets to, give or take a tenth."""
        share = self.character.reach + self.dice.uniform(-0.1, 0.1) * (self.character.reach < 1)
        return things[: max(1, round(share * len(things)))]

    def _later(self, *, minutes: float) -> datetime:
        """Some minutes on; never past the end of this life."""
        self.clock += timedelta(minutes=minutes * self.dice.uniform(0.5, 1.5))
        return min(self.clock, self.end)

    def _rest(self) -> None:
        """Come back on another day."""
        self.clock = min(self.clock + self.pause * self.dice.uniform(0.7, 1.2), self.end)
