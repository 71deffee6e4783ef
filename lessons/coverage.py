"""content/coverage.toml: where the course teaches, and where it checks, each section of the documents it grew from.

Every section of every document has a row; a row names the block that teaches it and the task that checks it, or says
that it is only mentioned, or left out, and why. Leaves out the documents themselves: learners have not seen them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lessons import schema
from lessons.faults import Collector, nearest
from lessons.model import Lesson
from lessons.reading import Document, read_toml
from lessons.shelf import Shelf

FILE = "coverage.toml"
ROWS_A_BLOCK = 4
"""More rows than that and the block cannot really teach them all."""
MENTIONS = 0.2
"""Share of the sections that must be checked which may only be mentioned."""


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """A document and its sections in order; those from ``checked_from`` to ``checked_to`` are the matter itself."""

    id: str
    title: str
    sections: tuple[str, ...]
    checked_from: str = ""
    checked_to: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of a section: taught and checked, mentioned for a reason, or left out for one."""

    source: str
    section: str
    what: str  # what it says, in a few words
    block: str = ""  # "lesson#block"
    check: str = ""  # "quiz:lesson/question" or "exercise:slug"
    mention: str = ""
    left_out: str = ""


def check(content: Path, shelf: Shelf, lessons: Sequence[Lesson], collector: Collector) -> None:
    """Report what is missing, leads nowhere or is too thin."""
    document = read_toml(content / FILE, content, collector, optional=True)
    if document is None:
        return
    schema.only(document, "document", "row")
    documents = [one for _, one in schema.build_list(SourceDocument, "document", document, document.data)]
    rows = schema.build_list(Row, "row", document, document.data)
    _Checker(document, shelf, {lesson.id: lesson for lesson in lessons}, documents).check(rows)


class _Checker:
    def __init__(
        self, document: Document, shelf: Shelf, lessons: dict[str, Lesson], documents: list[SourceDocument]
    ) -> None:
        self._document, self._shelf, self._lessons = document, shelf, lessons
        self._documents = {one.id: one for one in documents}

    def check(self, rows: list[tuple[int, Row]]) -> None:
        for index, row in rows:
            for problem in self._row(row):
                self._document.at(("row", index, "section"), problem, breaks=False)
        told = {(row.source, row.section) for _, row in rows}
        for place, one in enumerate(self._documents.values()):
            for section in one.sections:
                if (one.id, section) not in told:
                    self._say(place, f"раздел «{section}» документа {one.id} нигде не учтён")
            self._mentions(place, one, [row for _, row in rows])
        for block, count in Counter(row.block for _, row in rows if row.block).items():
            if count > ROWS_A_BLOCK:
                self._document.fault(1, block, f"блок отвечает за {count} строк, а можно {ROWS_A_BLOCK}", breaks=False)

    def _say(self, place: int, message: str) -> None:
        self._document.at(("document", place, "id"), message, breaks=False)

    def _row(self, row: Row) -> list[str]:
        source = self._documents.get(row.source)
        found = []
        if source is None:
            found.append(f"нет документа «{row.source}»{nearest(row.source, self._documents)}")
        elif row.section not in source.sections:
            found.append(f"в документе {row.source} нет раздела «{row.section}»")
        if row.left_out:
            return [*found, "left_out не сочетается с block, check и mention"] if row.block or row.check else found
        lesson, _, block = row.block.partition("#")
        found.append(self._shelf.missing_lesson(lesson, block))
        if bool(row.check) == bool(row.mention):
            found.append("нужно одно из двух: check (чем проверяется) или mention (почему только упомянуто)")
        found.append(self._task(row.check))
        return [problem for problem in found if problem]

    def _task(self, task: str) -> str:
        kind, _, target = task.partition(":")
        if not task:
            return ""
        if kind == "exercise":
            return self._shelf.missing_exercise(target)
        lesson_id, _, name = target.partition("/")
        if problem := self._shelf.missing_lesson(lesson_id):
            return problem
        lesson = self._lessons.get(lesson_id)  # a broken lesson has faults of its own
        return f"в уроке «{lesson_id}» нет вопроса «{name}»" if lesson and lesson.question(name) is None else ""

    def _mentions(self, place: int, one: SourceDocument, rows: list[Row]) -> None:
        if one.checked_from not in one.sections or one.checked_to not in one.sections:
            return
        matter = one.sections[one.sections.index(one.checked_from) : one.sections.index(one.checked_to) + 1]
        checked = {row.section for row in rows if row.source == one.id and row.check}
        thin = [section for section in matter if section not in checked]
        if len(thin) > MENTIONS * len(matter):
            message = f"не проверяется {len(thin)} разделов из {len(matter)}, а можно пятую часть: {', '.join(thin)}"
            self._say(place, message)
