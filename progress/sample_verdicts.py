"""What grading says of the examples that the invented class sends: for the sample class only.

``graded`` asks the real grader once for each example. Where nobody has asked it (no isolation on this machine),
``verdict_of`` puts a verdict together from the exercise's checks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from zlib import crc32

from graders.protocol import Check, Outcome, Verdict
from progress.catalogue import Catalogue, CheckEntry, Example, ExerciseEntry
from progress.learning import to_bytes


def graded(catalogue: Catalogue, grade: Callable[[str, bytes], Verdict]) -> Catalogue:
    """The catalogue with a verdict on every example. ``grade`` takes an exercise's slug and a program."""

    def judged(slug: str, example: Example) -> Example:
        verdict = grade(slug, to_bytes(example.source))
        return example if verdict.outcome is Outcome.INFRA_ERROR else replace(example, verdict=verdict)

    exercises = (
        replace(
            exercise,
            solution=judged(exercise.slug, exercise.solution) if exercise.solution else None,
            mistakes=tuple(judged(exercise.slug, mistake) for mistake in exercise.mistakes),
        )
        for exercise in catalogue.exercises
    )
    return replace(catalogue, exercises=tuple(exercises))


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
    """The check whose title shares most words with the mistake's sentence; the same on every machine."""
    said = _stems(_sentence(example))
    likeness = {check.id: len(said & _stems(f"{check.title} {check.hint}")) for check in exercise.checks}
    best = [check for check in exercise.checks if likeness[check.id] == max(likeness.values())]
    return best[crc32(example.source.encode()) % len(best)] if best else None


def _stems(text: str) -> set[str]:
    return {word[:5] for word in re.findall(r"\w[\w/]*", text.lower()) if len(word) > 2}


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
