"""One lesson's folder: read as a draft first, so that every lesson's blocks are known, then built and checked.

Leaves out what needs several lessons (``loader``) and what makes a lesson good rather than sound (``standards``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lessons import quiz, schema
from lessons.directives import Composer
from lessons.drawings import figure_problem
from lessons.faults import Collector, nearest
from lessons.filling import fill
from lessons.markdown import ID, Section, parse
from lessons.model import ChecklistItem, Lesson, Myth
from lessons.positions import Place
from lessons.reading import Document, Source, read_text, read_toml, shown
from lessons.shelf import Shelf
from lessons.written import WrittenLesson

_ID_LINE = re.compile(r"""^id\s*=\s*["']([\w.-]+)["']""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Draft:
    """A lesson's files as read; a file that could not be read is None."""

    folder: Path
    name: Path  # as faults name the folder
    id: str  # empty when lesson.toml hides it
    toml: Document | None
    flow: Source | None
    sections: list[Section]
    quiz: Document | None


def draft(folder: Path, content: Path, collector: Collector) -> Draft:
    """Read the three files of a lesson."""
    toml = read_toml(folder / "lesson.toml", content, collector)
    flow = read_text(folder / "lesson.md", content, collector)
    questions = read_toml(folder / "quiz.toml", content, collector)
    sections = parse(flow) if flow else []
    return Draft(folder, shown(folder, content), _id(folder, toml), toml, flow, sections, questions)


def _id(folder: Path, toml: Document | None) -> str:
    """The lesson's id, even from a file that is no TOML at the moment: others refer to it."""
    if toml:
        return str(toml.data.get("id", ""))
    try:
        found = _ID_LINE.search((folder / "lesson.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""
    return found.group(1) if found else ""


def build(written: Draft, shelf: Shelf) -> Lesson | None:
    """The lesson, or None after faults. Even a lesson with a broken file has its other files checked."""
    questions = quiz.read(written.quiz, shelf) if written.quiz else ()
    asked = quiz.declared(written.quiz) if written.quiz else []
    blocks = Composer(written.flow, shelf, asked).blocks(written.sections) if written.flow and written.quiz else ()
    head = schema.build(WrittenLesson, fill(written.toml, shelf), written.toml) if written.toml else None
    if written.flow:
        _blocks(written.flow, written.sections)
    if written.quiz:
        _questions(written, written.quiz)
    if written.toml and head:
        _References(written, written.toml, shelf, asked).check(head)
    if not (head and written.flow and written.quiz):
        return None
    return Lesson(
        head.id, head.number, head.title, head.summary, head.goal, head.outcomes, head.prerequisites, head.map,
        head.anchor, head.bridge, head.terms, head.phases, head.myths, head.errors, head.checklist, questions,
        head.next, blocks, written.folder,
    )  # fmt: skip


def _blocks(flow: Source, sections: list[Section]) -> None:
    first: dict[str, int] = {}
    for section in sections:
        if section.id in first:
            flow.fault(section.line, f"#{section.id}", f"блок с таким id уже есть в строке {first[section.id]}")
        first.setdefault(section.id, section.line)


def _questions(written: Draft, document: Document) -> None:
    ids = quiz.declared(document)
    unique(document, "question", ids)
    blocks = [section.id for section in written.sections]
    for index, row in enumerate(document.data["question"] if blocks and ids else []):
        block = row.get("block") if isinstance(row, dict) else None
        if isinstance(block, str) and block not in blocks:
            document.at(("question", index, "block"), f"в lesson.md нет блока «{block}»{nearest(block, blocks)}")


def unique(document: Document, table: str, ids: Iterable[str]) -> None:
    """Refuse ids of an array of tables that repeat or could not stand in an address."""
    first: dict[str, Place] = {}
    for index, name in enumerate(ids):
        place: Place = (table, index, "id")
        if name in first:
            document.at(place, f"id «{name}» уже есть в строке {document.line(first[name])}")
        elif name and not ID.fullmatch(name):
            document.at(place, f"id «{name}»: можно латинские буквы, цифры, дефис, точку и подчёркивание")
        first.setdefault(name, place)


class _References:
    """Everything in lesson.toml that names something else."""

    def __init__(self, written: Draft, document: Document, shelf: Shelf, asked: list[str]) -> None:
        self._document, self._shelf = document, shelf
        self._blocks = [section.id for section in written.sections]
        self._questions = asked
        self._all_asked = written.quiz is not None

    def check(self, head: WrittenLesson) -> None:
        """Report what leads nowhere."""
        if not ID.fullmatch(head.id):
            self._document.at(("id",), "id: латинские буквы, цифры и дефис")
        for table in ("terms", "phases", "myths", "errors", "checklist"):
            unique(self._document, table, [row.id for row in getattr(head, table)])
        for index, phase in enumerate(head.phases):
            self._say(figure_problem(phase.figure, phase.figure.name), "phases", index, "figure")
        for index, myth in enumerate(head.myths):
            self._say(self._shelf.missing_misconception(myth.misconception), "myths", index, "misconception")
            if myth.guesses and sum(guess.right for guess in myth.guesses) != 1:
                self._say("верная догадка нужна ровно одна", "myths", index, "guesses")
            self._picture(index, myth)
        for index, step in enumerate(head.next):
            self._say(self._shelf.missing_lesson(step.lesson) if step.lesson else "", "next", index, "lesson")
        for index, item in enumerate(head.checklist):
            self._checklist(index, item)

    def _say(self, message: str, *place: str | int) -> None:
        if message:
            self._document.at(place, message)

    def _picture(self, index: int, myth: Myth) -> None:
        """Bars are lengths of facts of one form; a drawing has its words."""
        ledger = self._shelf.ledger
        for number, bar in enumerate(myth.bars):
            known = "" if bar.fact in ledger.specs else f"нет факта «{bar.fact}» в facts.toml"
            self._say(known and known + nearest(bar.fact, ledger.specs), "myths", index, "bars", number)
            if bar.fact in ledger.facts and ledger.facts[bar.fact].value < 0:
                self._say("у полоски не бывает отрицательной длины", "myths", index, "bars", number)
        if len({ledger.specs[bar.fact].form for bar in myth.bars if bar.fact in ledger.specs}) > 1:
            self._say("полоски сравнивают числа одного вида, а здесь разные единицы", "myths", index, "bars")
        if len(myth.bars) == 1:
            self._say("одна полоска ничего не сравнивает", "myths", index, "bars")
        if myth.figure is not None:
            problem = figure_problem(myth.figure, myth.figure.name)
            self._say(
                problem or ("" if myth.alt else "к рисунку нужен alt: что на нём видно"), "myths", index, "figure"
            )

    def _checklist(self, index: int, item: ChecklistItem) -> None:
        if self._blocks and item.block not in self._blocks:
            message = f"в lesson.md нет блока «{item.block}»{nearest(item.block, self._blocks)}"
            self._say(message, "checklist", index, "block")
        for number, proof in enumerate(item.proofs):
            self._say(self._proof(proof), "checklist", index, "proofs", number)

    def _proof(self, proof: str) -> str:
        kind, _, target = proof.partition(":")
        if kind == "quiz":
            known = not self._all_asked or target in self._questions
            return "" if known else f"нет вопроса «{target}» в quiz.toml{nearest(target, self._questions)}"
        if kind == "exercise":
            slug, _, check = target.partition("/")
            return self._shelf.missing_exercise(slug, check)
        return f"«{proof}»: нужно quiz:ВОПРОС или exercise:УПРАЖНЕНИЕ/ПРОВЕРКА"
