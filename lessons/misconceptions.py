"""misconceptions.toml, the course's own and those of any lesson's folder: known wrong ideas and what closes them.

Leaves out what gives an idea away: options, numbers, myths and checks name it themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lessons import schema
from lessons.faults import Collector, nearest
from lessons.filling import fill
from lessons.lesson import unique
from lessons.model import Lesson, Misconception, Question
from lessons.reading import Document, read_toml
from lessons.shelf import Shelf

FILE = "misconceptions.toml"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All of them by id, and where each is written: file and place among its tables."""

    known: Mapping[str, Misconception]
    places: Mapping[str, tuple[Document, int]]


def read(content: Path, shelf: Shelf, collector: Collector) -> Catalogue:
    """Every file; ids are unique in the whole course."""
    known: dict[str, Misconception] = {}
    places: dict[str, tuple[Document, int]] = {}
    for file in [content / FILE, *sorted(content.glob(f"*/{FILE}"))]:
        document = read_toml(file, content, collector, optional=True)
        for index, one in _rows(document, shelf) if document else ():
            if one.id in known and document:
                document.at(("misconception", index, "id"), f"«{one.id}» уже есть в другом файле")
            elif document:
                known[one.id], places[one.id] = one, (document, index)
    return Catalogue(known, places)


def _rows(document: Document, shelf: Shelf) -> list[tuple[int, Misconception]]:
    schema.only(document, "misconception")
    rows = schema.build_list(Misconception, "misconception", document, fill(document, shelf))
    unique(document, "misconception", [one.id for _, one in rows])
    for index, one in rows:
        problem = shelf.missing_lesson(one.lesson, one.block) if one.lesson else ""
        if problem:
            key = "block" if one.lesson in shelf.outlines else "lesson"
            document.at(("misconception", index, key), problem)
    return rows


def closed(catalogue: Catalogue, lessons: Sequence[Lesson]) -> None:
    """Report ideas that no question closes, or only one that gives them away. A broken lesson has its own faults."""
    known = {f"{lesson.id}/{question.id}": question for lesson in lessons for question in lesson.questions}
    shown = {lesson.id for lesson in lessons}
    for name, one in catalogue.known.items():
        document, index = catalogue.places[name]
        if problem := _problem(one, known, shown):
            document.at(("misconception", index, "closes"), problem, breaks=False)


def _problem(one: Misconception, known: Mapping[str, Question], lessons: set[str]) -> str:
    if not one.closes:
        return "не сказано, какой другой вопрос покажет, что заблуждения больше нет: урок/вопрос"
    if one.closes.partition("/")[0] not in lessons:
        return ""
    question = known.get(one.closes)
    if question is None:
        return f"нет вопроса «{one.closes}»{nearest(one.closes, known)}"
    gives_away = {option.misconception for option in question.options}
    gives_away |= {number.misconception for number in question.wrong_numbers}
    return "этот вопрос сам выдаёт заблуждение: нужен другой" if one.id in gives_away else ""
