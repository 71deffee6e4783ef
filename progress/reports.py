"""What an instructor asks: who has what proven, who passed, who is stuck, which misconceptions are common. Pure.

Everything is computed from ``roster.load``, which checks who may ask. Leaves out tables for download (``export``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile

from common import numbers
from graders.protocol import Outcome
from progress.catalogue import Catalogue, ExerciseEntry, LessonEntry
from progress.roster import Attempt, Person, Work
from progress.states import ProofItem, State, states

FAILURES = 3
"""Failed attempts in a row at one exercise after which a learner is stuck."""
STANDSTILL = timedelta(days=7)
"""A learner who has not done anything for so long, and is not through, is stuck."""


@dataclass(frozen=True, slots=True)
class ClassProgress:
    """Learners × checklist items of one lesson: the data of the heat-map."""

    lesson: LessonEntry
    people: tuple[Person, ...]
    states: Mapping[str, Mapping[str, State]]  # learner id -> item id -> state

    def matrix(self) -> list[list[State]]:
        """One row for each of ``people``, one column for each of ``lesson.items``."""
        return [[self.states[person.id][item.id] for item in self.lesson.items] for person in self.people]

    def count(self, item: str) -> Counter[State]:
        """How many learners have the item in each state."""
        return Counter(self.states[person.id][item] for person in self.people)


@dataclass(frozen=True, slots=True)
class Result:
    """One learner at one exercise. ``attempts`` are those that count; ``points`` are of the best one."""

    person: Person
    exercise: str
    attempts: int
    points: float
    possible: float
    passed: bool
    last: Attempt | None  # the latest submission, counted or not


class Reason(StrEnum):
    """Why somebody needs help."""

    FAILURES = "failures"
    STANDSTILL = "standstill"


@dataclass(frozen=True, slots=True)
class Stuck:
    """Somebody who needs help: why, since when, in a Russian sentence. ``exercise`` is empty for a standstill."""

    person: Person
    reason: Reason
    since: datetime
    sentence: str
    exercise: str = ""


@dataclass(frozen=True, slots=True)
class Misconception:
    """How common a recognised wrong idea is."""

    id: str
    title: str
    people: int  # learners who have shown it
    times: int  # answers and failed checks that showed it


def checklist(work: Work, lesson: LessonEntry) -> dict[str, State]:
    """The state of each item of a lesson's checklist for one learner."""
    items = (ProofItem(item.id, item.proofs, (lesson.id, item.id) in work.ticks) for item in lesson.items)
    return states(items, (answer for answer in work.answers if answer.lesson == lesson.id), work.verdicts())


def class_progress(works: Sequence[Work], lesson: LessonEntry) -> ClassProgress:
    """The checklist of a lesson for the whole class."""
    people = tuple(work.person for work in works)
    return ClassProgress(lesson, people, {work.person.id: checklist(work, lesson) for work in works})


def results(works: Sequence[Work], exercises: Sequence[ExerciseEntry]) -> tuple[Result, ...]:
    """How every learner did at every exercise, learner by learner; those who have sent nothing too."""
    return tuple(result(work, exercise) for work in works for exercise in exercises)


def result(work: Work, exercise: ExerciseEntry) -> Result:
    """How one learner did at one exercise."""
    sent = [attempt for attempt in work.attempts if attempt.exercise == exercise.slug]
    counted = [attempt for attempt in sent if attempt.outcome is not None and attempt.outcome.counts]
    return Result(
        person=work.person,
        exercise=exercise.slug,
        attempts=len(counted),
        points=max((attempt.verdict.points for attempt in counted if attempt.verdict), default=0.0),
        possible=exercise.points,
        passed=any(attempt.outcome == Outcome.PASSED for attempt in counted),
        last=sent[-1] if sent else None,
    )


def stuck(works: Sequence[Work], catalogue: Catalogue, now: datetime) -> tuple[Stuck, ...]:
    """Who needs help, the longest wait first: three failed attempts in a row, or a week without moving.

    Who is through (every exercise passed, every question answered right at some time) is not waited for.
    """
    found = [one for work in works for one in (*_failing(work, catalogue), *_standing(work, catalogue, now))]
    return tuple(sorted(found, key=lambda one: (one.since, one.person.name)))


def misconceptions(works: Sequence[Work], catalogue: Catalogue) -> tuple[Misconception, ...]:
    """The misconceptions that the class has shown, those of most learners first."""
    shown = {work.person.id: _shown(work) for work in works}
    times: Counter[str] = sum(shown.values(), Counter())
    people = Counter(name for one in shown.values() for name in one)
    rows = [Misconception(name, catalogue.misconceptions.get(name, name), people[name], times[name]) for name in times]
    return tuple(sorted(rows, key=lambda row: (-row.people, -row.times, row.id)))


def _failing(work: Work, catalogue: Catalogue) -> list[Stuck]:
    found = []
    for exercise in catalogue.exercises:
        streak = _streak([attempt for attempt in work.attempts if attempt.exercise == exercise.slug])
        if len(streak) >= FAILURES:
            many = numbers.plural(len(streak), "неудачная попытка", "неудачные попытки", "неудачных попыток")
            sentence = f"«{exercise.title}»: {many} подряд."
            found.append(Stuck(work.person, Reason.FAILURES, streak[0].created, sentence, exercise.slug))
    return found


def _streak(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The failed attempts since the last success, oldest first."""
    counted = [attempt for attempt in attempts if attempt.outcome is not None and attempt.outcome.counts]
    latest = takewhile(lambda attempt: attempt.outcome != Outcome.PASSED, reversed(counted))
    return list(latest)[::-1]


def _standing(work: Work, catalogue: Catalogue, now: datetime) -> list[Stuck]:
    if work.seen is None or now - work.seen < STANDSTILL or _through(work, catalogue):
        return []
    days = numbers.plural((now - work.seen).days, "день", "дня", "дней")
    return [Stuck(work.person, Reason.STANDSTILL, work.seen, f"Ничего нового уже {days}.")]


def _through(work: Work, catalogue: Catalogue) -> bool:
    answered = {(answer.lesson, answer.question) for answer in work.answers if answer.right}
    asked = {(lesson.id, question.id) for lesson in catalogue.lessons for question in lesson.questions}
    passed = {attempt.exercise for attempt in work.attempts if attempt.outcome == Outcome.PASSED}
    return asked <= answered and {exercise.slug for exercise in catalogue.exercises} <= passed


def _shown(work: Work) -> Counter[str]:
    answered = [answer.misconception for answer in work.answers if not answer.right]
    graded = [
        check.misconception
        for verdict in work.verdicts()
        for check in verdict.checks
        if check.outcome != Outcome.PASSED
    ]
    return Counter(name for name in (*answered, *graded) if name)
