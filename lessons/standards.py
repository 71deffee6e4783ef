"""What makes a sound lesson a good one: enough questions of enough kinds, proofs that prove, a path that fits.

These faults are reported and fail ``./course check``, but the lesson is shown, so that its author can see it grow.
"""

from __future__ import annotations

from collections import Counter

from lessons.lesson import Draft
from lessons.markdown import PARTS, Directive
from lessons.model import ChecklistItem, Lesson
from lessons.reading import Document, Source

CORE_MINUTES = 35
QUESTIONS, KINDS = 12, 5
RECALLED, SHOWN = 3, 5
"""Questions of a lesson: so many at most ask to remember, so many at least show something to look at."""
PARTS_AT_LEAST = {"terms": 12, "myths": 6, "errors": 8, "checklist": 6}
METAPHORS = 6


def check(lesson: Lesson, written: Draft) -> None:
    """Report where a lesson falls short."""
    if written.flow:
        _parts(written, written.flow)
        _minutes(lesson, written.flow)
    if written.quiz:
        _questions(lesson, written.quiz)
    if written.toml:
        _amounts(lesson, written.toml)
        _errors(lesson, written.toml)
    for index, item in enumerate(lesson.checklist):
        if written.toml:
            _proofs(lesson, item, index, written.toml)


def _parts(written: Draft, flow: Source) -> None:
    items = [item for section in written.sections for item in section.items if isinstance(item, Directive)]
    lines: dict[str, list[int]] = {name: [item.line for item in items if item.name == name] for name in PARTS}
    for name, found in lines.items():
        if not found:
            flow.fault(len(flow.text.split("\n")), name, f"в уроке нет «::: {name}»", breaks=False)
        for line in found[1:]:
            flow.fault(line, name, f"«::: {name}» уже стоит в строке {found[0]}", breaks=False)


def _minutes(lesson: Lesson, flow: Source) -> None:
    if lesson.core_minutes > CORE_MINUTES:
        message = f"основной путь — {lesson.core_minutes} мин., а нужно не больше {CORE_MINUTES}: сделайте часть deep"
        flow.fault(1, "core", message, breaks=False)
    for block in lesson.blocks:
        if block.minutes == 0:
            flow.fault(flow.seek(1, f"{{#{block.id} "), f"#{block.id}", "блок на 0 минут", breaks=False)


def _questions(lesson: Lesson, document: Document) -> None:
    kinds = Counter(question.kind for question in lesson.questions)
    if len(lesson.questions) < QUESTIONS:
        message = f"вопросов {len(lesson.questions)}, а нужно не меньше {QUESTIONS}"
        document.fault(1, "question", message, breaks=False)
    if len(kinds) < KINDS:
        message = f"видов вопросов {len(kinds)} ({', '.join(kinds)}), а нужно не меньше {KINDS}"
        document.fault(1, "question", message, breaks=False)

    recalled = [question.id for question in lesson.questions if question.recall]
    if len(recalled) > RECALLED:
        document.fault(1, "question", f"на память — {len(recalled)} вопросов, можно {RECALLED}", breaks=False)
    shown = sum(bool(question.artefact) for question in lesson.questions)
    if shown < SHOWN:
        message = f"вопросов с тем, на что смотреть (artefact), — {shown}, а нужно не меньше {SHOWN}"
        document.fault(1, "question", message, breaks=False)


def _amounts(lesson: Lesson, document: Document) -> None:
    for part, fewest in PARTS_AT_LEAST.items():
        count = len(getattr(lesson, part))
        if count < fewest:
            document.fault(1, part, f"здесь {count}, а нужно не меньше {fewest}", breaks=False)
    metaphors = sum(bool(term.metaphor) for term in lesson.terms)
    if metaphors > METAPHORS:
        document.fault(
            1, "terms", f"метафор {metaphors}, а можно {METAPHORS}: остальным терминам — пример", breaks=False
        )
    for index, myth in enumerate(lesson.myths):
        if not (myth.bars or myth.figure):
            message = "у мифа нет картинки: bars (полоски из фактов) или figure с alt"
            document.at(("myths", index, "id"), message, breaks=False)
    for index, term in enumerate(lesson.terms):
        if bool(term.metaphor) != bool(term.breaks) or not (term.metaphor or term.example):
            message = "нужен пример (example) или метафора (metaphor) с местом, где она ломается (breaks)"
            document.at(("terms", index, "id"), message, breaks=False)


def _errors(lesson: Lesson, document: Document) -> None:
    for index, error in enumerate(lesson.errors):
        if not (error.shows and (error.provoke or error.source)):
            message = "нужно, что видно на экране (shows), и откуда это: provoke (код) или source (обсуждение)"
            document.at(("errors", index, "id"), message, breaks=False)


def _proofs(lesson: Lesson, item: ChecklistItem, index: int, document: Document) -> None:
    kinds: set[str] = set()
    produced = False
    for proof in item.proofs:
        task, _, name = proof.partition(":")
        question = lesson.question(name) if task == "quiz" else None
        kinds.add(question.kind if question else task)
        produced = produced or task == "exercise" or bool(question and question.produced)
    if len(kinds) < 2:
        message = f"нужны два доказательства разного вида, а здесь {', '.join(sorted(kinds)) or 'ни одного'}"
        document.at(("checklist", index, "proofs"), message, breaks=False)
    elif not produced:
        message = "хотя бы одно доказательство должно быть сделанным: число, порядок, пары или упражнение"
        document.at(("checklist", index, "proofs"), message, breaks=False)
