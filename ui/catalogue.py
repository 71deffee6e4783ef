"""The course as ``progress`` knows it: ``lessons``, ``graders.exercise`` and ``progress`` are strangers, this converts.

Imports no streamlit, so that the command line uses it too. Leaves out states (``progress.states``) and judging
(``ui.answers``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graders.exercise import Exercise
from lessons.model import ChecklistItem, Course, Lesson, Question
from progress.catalogue import (
    Catalogue,
    CheckEntry,
    Example,
    ExerciseEntry,
    ItemEntry,
    LessonEntry,
    Proof,
    QuestionEntry,
    WrongAnswer,
)


def catalogue(course: Course, exercises: Mapping[str, Exercise], *, examples: bool = False) -> Catalogue:
    """The whole course. ``examples`` adds solutions and mistakes, which only the invented class needs."""
    return Catalogue(
        lessons=tuple(lesson_entry(lesson) for lesson in course.lessons),
        exercises=tuple(exercise_entry(exercise, examples=examples) for exercise in exercises.values()),
        misconceptions={name: known.title for name, known in course.misconceptions.items()},
    )


def lesson_entry(lesson: Lesson) -> LessonEntry:
    """A lesson: blocks, checklist, questions."""
    return LessonEntry(
        id=lesson.id,
        title=lesson.title,
        blocks=tuple(block.id for block in lesson.blocks),
        items=tuple(ItemEntry(item.id, item.text, proofs(lesson, item), item.block) for item in lesson.checklist),
        questions=tuple(question_entry(question) for question in lesson.questions),
    )


def proofs(lesson: Lesson, item: ChecklistItem) -> tuple[Proof, ...]:
    """The tasks that prove a checklist item."""
    return tuple(_proof(lesson, task) for task in item.proofs)


def question_entry(question: Question) -> QuestionEntry:
    """A question with its right response and the wrong ones that people give."""
    return QuestionEntry(question.id, question.kind, _right(question), _wrong(question), question.text)


def exercise_entry(exercise: Exercise, *, examples: bool = False) -> ExerciseEntry:
    """An exercise with its checks."""
    checks = (CheckEntry(c.id, c.title, c.concept, c.points, c.hint, c.misconception) for c in exercise.checks)
    solution, mistakes = exercise.folder / "solution.py", sorted(exercise.folder.glob("mistakes/*.py"))
    return ExerciseEntry(
        slug=exercise.slug,
        title=exercise.title,
        lesson=exercise.lesson,
        checks=tuple(checks),
        solution=Example(solution.read_text(encoding="utf-8")) if examples else None,
        mistakes=tuple(Example(path.read_text(encoding="utf-8")) for path in mistakes) if examples else (),
    )


def _proof(lesson: Lesson, task: str) -> Proof:
    where, _, name = task.partition(":")
    question = lesson.question(name) if where == "quiz" else None
    return Proof(task, question.kind, question.produced) if question else Proof.by_code(task)


def _right(question: Question) -> dict[str, Any]:
    right = [option.text for option in question.options if option.right]
    match question.kind:
        case "number":
            return {"number": f"{question.answer:.12g}"}
        case "order":
            return {"order": [option.text for option in question.options]}
        case "match":
            return {"pairs": {option.text: option.pair for option in question.options}}
        case "several":
            return {"chosen": right}
        case _:
            return {"chosen": right[0] if right else ""}


def _wrong(question: Question) -> tuple[WrongAnswer, ...]:
    match question.kind:
        case "number":
            known = question.wrong_numbers
            return tuple(WrongAnswer({"number": f"{wrong.value:.12g}"}, wrong.misconception) for wrong in known)
        case "order":
            backwards = [option.text for option in reversed(question.options)]
            return (WrongAnswer({"order": backwards}, question.options[-1].misconception),)
        case "match":
            pairs = [option.pair for option in question.options]
            turned = zip((option.text for option in question.options), pairs[1:] + pairs[:1], strict=True)
            return (WrongAnswer({"pairs": dict(turned)}, question.options[0].misconception),)
        case _:
            several = question.kind == "several"
            astray = [option for option in question.options if not option.right]
            return tuple(WrongAnswer({"chosen": [o.text] if several else o.text}, o.misconception) for o in astray)
