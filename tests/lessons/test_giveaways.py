"""A quiz measures understanding: whoever chooses by the look of the options alone must fail it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

import settings
from cli import check
from lessons.loader import load_leniently
from lessons.model import Option, Question
from ui.answers import shuffled

CAUTIOUS = re.compile(r"зависит|обычно|часто|не всегда|может|иногда|скорее|как правило|сначала", re.IGNORECASE)
LIMIT = 0.35
LEARNERS = [f"learner-{number}" for number in range(20)]


def longest(options: list[Option]) -> Option:
    return max(options, key=lambda option: len(option.text))


def first(options: list[Option]) -> Option:
    return options[0]


def cautious(options: list[Option]) -> Option:
    return max(options, key=lambda option: (len(CAUTIOUS.findall(option.text)), len(option.text)))


@pytest.fixture(scope="module")
def choices() -> list[Question]:
    ours = settings.load({})
    course, _ = load_leniently(ours.content_dir, check.gather(ours)[0])
    asked = [question for lesson in course.lessons for question in lesson.questions]
    return [question for question in asked if question.kind in ("single", "predict")]


@pytest.mark.parametrize("habit", [longest, first, cautious])
def test_a_habit_does_not_pass_for_knowledge(habit: Callable[[list[Option]], Option], choices: list[Question]) -> None:
    """As a learner sees the options: in the order of the page."""
    rights = [
        habit(shuffled(question.options, learner, question.id)).right for question in choices for learner in LEARNERS
    ]
    assert sum(rights) / len(rights) < LIMIT


def test_no_two_questions_are_alike(choices: list[Question]) -> None:
    def words(question: Question) -> frozenset[str]:
        return frozenset(re.findall(r"\w{3,}", question.text.casefold() + " " + question.code.casefold()))

    bags = [(question.id, words(question)) for question in choices]
    alike = [
        (one, other)
        for place, (one, bag) in enumerate(bags)
        for other, second in bags[:place]
        if len(bag & second) > 0.8 * len(bag | second)
    ]
    assert alike == []
