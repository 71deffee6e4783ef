"""content/ → the typed course: every file read, every reference resolved, all faults of all files in one run.

``load`` refuses content with any fault; ``load_leniently`` leaves out the lessons that cannot be shown, for the app.
Leaves out computing facts (``facts``) and the rules of single parts (``lesson``, ``quiz``, ``directives``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from lessons import coverage, decision, facts, misconceptions, schema, standards
from lessons.facts import Ledger
from lessons.faults import Collector, ContentError, Fault, nearest
from lessons.filling import Filler, fill
from lessons.lesson import Draft, build, draft
from lessons.model import Claim, Course, Fact, Lesson
from lessons.reading import Document, read_toml
from lessons.shelf import Known, Shelf
from lessons.written import WrittenCourse

__all__ = ["Known", "load", "load_leniently", "stamp"]

_FOLDER = re.compile(r"\d\d-[a-z0-9-]+")
_LOOKS_LIKE_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def load(content_dir: Path, known: Known) -> Course:
    """The course.

    Raises:
        ContentError: anything is wrong, down to a figure typed by hand; carries all faults.
    """
    course, faults = load_leniently(content_dir, known)
    if faults:
        raise ContentError(faults)
    return course


def load_leniently(content_dir: Path, known: Known) -> tuple[Course, tuple[Fault, ...]]:
    """The course without the lessons that are too broken to show, and all faults."""
    content, collector = content_dir.absolute(), Collector()
    head_file = read_toml(content / "course.toml", content, collector)
    facts_files, ledger = facts.ledger(content, collector)
    drafts = [draft(folder, content, collector) for folder in _folders(content)]
    outlines = {one.id: tuple(section.id for section in one.sections) for one in drafts if one.id}
    shelf = Shelf(known, ledger, outlines)
    catalogue = misconceptions.read(content, shelf, collector)
    shelf = Shelf(known, ledger, outlines, frozenset(catalogue.known))
    lessons = [_lesson(one, shelf, collector) for one in drafts]
    _across(drafts, lessons)
    _terms(drafts, lessons)
    sound = [one for one, by in zip(lessons, drafts, strict=True) if one and not collector.broken(by.name)]
    misconceptions.closed(catalogue, sound)
    coverage.check(content, shelf, sound, collector)
    head = schema.build(WrittenCourse, fill(head_file, shelf), head_file) if head_file else None
    course = Course(
        head.title if head else "Донастройка",
        head.lead if head else "",
        tuple(sound),
        head.planned if head else (),
        _derivations(ledger, shelf, facts_files),
        catalogue.known,
        tuple(claim for document in facts_files for claim in _claims(document, shelf)),
        decision.read(content, shelf, collector),
        head.plan if head else (),
    )
    return course, collector.faults


def stamp(content_dir: Path) -> frozenset[tuple[str, int, int]]:
    """Changes whenever a file under ``content_dir`` is added, removed or written: a key for a cache."""
    files = (path for path in content_dir.rglob("*") if path.is_file())
    return frozenset((str(path), status.st_mtime_ns, status.st_size) for path in files for status in [path.stat()])


def _folders(content: Path) -> list[Path]:
    """Folders of lessons: named NN-slug, or with a lesson.toml in them."""
    if not content.is_dir():
        return []
    folders = (path for path in content.iterdir() if path.is_dir())
    return sorted(path for path in folders if _FOLDER.fullmatch(path.name) or (path / "lesson.toml").exists())


def _lesson(written: Draft, shelf: Shelf, collector: Collector) -> Lesson | None:
    lesson = build(written, shelf)
    if lesson and not collector.broken(written.name):
        standards.check(lesson, written)
    return lesson


def _across(drafts: list[Draft], lessons: list[Lesson | None]) -> None:
    """Ids that two lessons share, and prerequisites that lead nowhere or round in a circle."""
    first: dict[str, Draft] = {}
    needs: dict[str, list[str]] = {}
    for written, lesson in zip(drafts, lessons, strict=True):
        if written.id in first and written.toml:
            written.toml.at(("id",), f"id «{written.id}» уже есть у урока {first[written.id].folder.name}")
        first.setdefault(written.id, written)
        needs.setdefault(written.id, list(lesson.prerequisites) if lesson else [])
    for written, lesson in zip(drafts, lessons, strict=True):
        for index, name in enumerate(lesson.prerequisites if lesson and written.toml else ()):
            problem = _prerequisite(written.id, name, needs)
            if problem and written.toml:
                written.toml.at(("prerequisites", index), problem, breaks=False)


def _terms(drafts: list[Draft], lessons: list[Lesson | None]) -> None:
    """Neighbours of a term that no lesson teaches."""
    known = [term.name for lesson in lessons if lesson for term in lesson.terms]
    for written, lesson in zip(drafts, lessons, strict=True):
        for index, term in enumerate(lesson.terms if lesson else ()):
            for name in term.near:
                if name not in known and written.toml and all(lessons):
                    message = f"нет термина «{name}»{nearest(name, known)}"
                    written.toml.at(("terms", index, "near"), message, breaks=False)


def _prerequisite(lesson: str, name: str, needs: Mapping[str, list[str]]) -> str:
    if name not in needs:
        return f"нет урока «{name}»; обычные слова пишите по-русски" if _LOOKS_LIKE_ID.fullmatch(name) else ""
    way = _way(name, lesson, needs, ())
    return f"круг: {' → '.join([lesson, *way])}" if way else ""


def _way(start: str, goal: str, needs: Mapping[str, list[str]], passed: tuple[str, ...]) -> list[str]:
    """The lessons from ``start`` to ``goal`` along prerequisites; empty when there is no way."""
    if start == goal:
        return [start]
    for name in needs.get(start, []):
        if name in needs and name not in passed:
            rest = _way(name, goal, needs, (*passed, start))
            if rest:
                return [start, *rest]
    return []


def _derivations(ledger: Ledger, shelf: Shelf, documents: Iterable[Document]) -> dict[str, Fact]:
    """Facts with the facts in their own derivations filled in."""
    filled = dict(ledger.facts)
    for document in documents:
        filler = Filler(shelf, document)
        for index, row in enumerate(document.data.get("fact", [])):
            fact = ledger.facts.get(str(row.get("id"))) if isinstance(row, dict) else None
            if fact is not None:
                line = partial(document.line, ("fact", index, "derivation"))
                text = filler.text(fact.derivation, line, "fact.derivation", figures=False)
                filled[fact.id] = replace(fact, derivation=text)
    return filled


def _claims(document: Document, shelf: Shelf) -> tuple[Claim, ...]:
    rows = schema.build_list(Claim, "claim", document, fill(document, shelf, "claim"))
    for index, claim in rows:
        lesson, _, block = claim.taught.partition("#")
        problem = shelf.missing_lesson(lesson, block) if lesson else ""
        if problem:
            document.at(("claim", index, "taught"), problem)
    return tuple(claim for _, claim in rows)
