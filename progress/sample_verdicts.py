"""What grading would say of an example, for a catalogue that brings its examples ungraded. Sample class only."""

from __future__ import annotations

import ast
from zlib import crc32

from graders.protocol import Check, Outcome, Verdict
from progress.catalogue import CheckEntry, Example, ExerciseEntry


def verdict_of(exercise: ExerciseEntry, example: Example) -> Verdict:
    """The example's own verdict, or one put together: a mistake fails one check, with the sentence it opens with."""
    if example.verdict is not None:
        return example.verdict
    solved = example == exercise.solution
    failed = None if solved else _failed(exercise, example)
    checks = tuple(_check(check, check is failed, _sentence(example)) for check in exercise.checks)
    right = sum(check.outcome == Outcome.PASSED for check in checks)
    outcome = Outcome.PASSED if solved else Outcome.PARTIAL if right else Outcome.FAILED
    message = f"Пройдено проверок: {right} из {len(checks)}."
    return Verdict(exercise.slug, outcome, message, checks, seconds=0.3)


def _failed(exercise: ExerciseEntry, example: Example) -> CheckEntry | None:
    """The check whose misconception the mistake names, or any one: the same for the same text, on every machine."""
    named = [check for check in exercise.checks if check.misconception and check.misconception in example.source]
    choice = named or list(exercise.checks)
    return choice[crc32(example.source.encode()) % len(choice)] if choice else None


def _check(check: CheckEntry, failed: bool, sentence: str) -> Check:
    if not failed:
        return Check(check.id, check.title, check.concept, check.points, check.points, Outcome.PASSED)
    return Check(
        id=check.id,
        title=check.title,
        concept=check.concept,
        points=check.points,
        earned=0.0,
        outcome=Outcome.FAILED,
        message=sentence,
        hint=check.hint,
        misconception=check.misconception,
    )


def _sentence(example: Example) -> str:
    """The first line of the example's docstring: a mistake opens with what it must be told."""
    text = ast.get_docstring(ast.parse(example.source)) or "Результат не совпал с ожидаемым."
    return text.splitlines()[0]
