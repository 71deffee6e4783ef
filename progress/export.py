"""Tables for download: CSV that a Russian spreadsheet opens by double click, and that runs nothing there.

UTF-8 with a byte order mark, semicolons (the separator of a Russian Excel, whose decimal sign is the comma), CRLF.
A cell that a spreadsheet would take for a formula begins with an apostrophe. Leaves out what the tables say
(``reports``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from progress.catalogue import ExerciseEntry
from progress.reports import ClassProgress, Misconception, Result
from progress.roster import Work
from progress.states import INSTRUCTOR_WORDS

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a formula may begin with (OWASP, «CSV Injection»), full-width signs included."""
SAMPLE = "пример"


def progress_csv(progress: ClassProgress) -> bytes:
    """Learners × checklist items of a lesson, in the instructor's words."""
    head = ["Учащийся", "Пометка", *(item.text for item in progress.lesson.items)]
    rows = (
        [person.name, SAMPLE if person.sample else "", *(INSTRUCTOR_WORDS[state] for state in row)]
        for person, row in zip(progress.people, progress.matrix(), strict=True)
    )
    return table(head, rows)


def results_csv(results: Sequence[Result], exercises: Sequence[ExerciseEntry]) -> bytes:
    """One row for each learner and exercise; times are UTC."""
    titles = {exercise.slug: exercise.title for exercise in exercises}
    head = ["Учащийся", "Пометка", "Задание", "Попыток", "Баллы", "Из", "Зачтено", "Последняя отправка (UTC)"]
    rows = (
        [
            result.person.name,
            SAMPLE if result.person.sample else "",
            titles.get(result.exercise, result.exercise),
            result.attempts,
            result.points,
            result.possible,
            "да" if result.passed else "нет",
            result.last.created if result.last else "",
        ]
        for result in results
    )
    return table(head, rows)


def answers_csv(works: Sequence[Work], questions: dict[tuple[str, str], str]) -> bytes:
    """Every answer of the class, oldest first within a learner. ``questions``: (lesson, question) -> its text."""
    head = ["Учащийся", "Пометка", "Урок", "Вопрос", "Попытка", "Верно", "Уверенность", "С подсказкой", "Когда (UTC)"]
    words = {"guess": "угадываю", "think": "думаю", "sure": "уверен"}
    rows = (
        [
            work.person.name,
            SAMPLE if work.person.sample else "",
            answer.lesson,
            questions.get((answer.lesson, answer.question), answer.question),
            answer.number,
            "да" if answer.right else "нет",
            words[answer.confidence],
            "да" if answer.hinted else "нет",
            answer.at,
        ]
        for work in works
        for answer in work.answers
    )
    return table(head, rows)


def misconceptions_csv(rows: Sequence[Misconception]) -> bytes:
    """How common each misconception is."""
    head = ["Заблуждение", "Учащихся", "Раз", "Код"]
    return table(head, ([row.title, row.people, row.times, row.id] for row in rows))


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, exact: bool = False) -> bytes:
    """A file with one line of headings; ``exact`` keeps every digit of fractions, otherwise four after the comma."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    for row in (head, *rows):
        writer.writerow([cell(value, exact=exact) for value in row])
    return text.getvalue().encode("utf-8-sig", "replace")


def cell(value: object, *, exact: bool = False) -> str:
    """A value as a spreadsheet shall read it; text stays text, nothing (None) stays empty.

    >>> cell("=1+1"), cell(2.5), cell(3.0), cell(-3), cell(1 / 8192, exact=True)
    ("'=1+1", '2,5', '3', '-3', '0,0001220703125')
    """
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return (repr(value) if exact else f"{value:.4f}".rstrip("0").rstrip(".")).replace(".", ",")
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(FORMULA) else text
