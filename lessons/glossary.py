"""The glossary: terms of all lessons by name, each with its neighbours. Leaves out searching and showing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lessons.model import Course, Lesson, Term


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a term means in one lesson."""

    lesson: Lesson
    term: Term


@dataclass(frozen=True, slots=True)
class Entry:
    """One word of the glossary: what each lesson that teaches it says."""

    name: str
    english: str
    meanings: tuple[Meaning, ...]
    near: tuple[str, ...]  # names of other entries: those that it names, then those that name it

    @property
    def text(self) -> str:
        """All of it, for a search; names count twice."""
        words = (f"{one.term.english} {one.term.definition} {one.term.example}" for one in self.meanings)
        return " ".join((self.name, self.name, self.english, *words))


def entries(course: Course) -> tuple[Entry, ...]:
    """Every term, by the alphabet. One that several lessons teach is one entry."""
    found: dict[str, list[Meaning]] = {}
    for lesson in course.lessons:
        for term in lesson.terms:
            found.setdefault(term.name, []).append(Meaning(lesson, term))
    names = {name: [near for one in of for near in one.term.near] for name, of in found.items()}
    return tuple(
        Entry(name, _english(of), tuple(of), _near(name, names))
        for name, of in sorted(found.items(), key=lambda item: _key(item[0]))
    )


def _key(name: str) -> str:
    return name.casefold().replace("ё", "е")


def _english(meanings: Sequence[Meaning]) -> str:
    said = [part.strip() for one in meanings for part in one.term.english.split(",")]
    return ", ".join(dict.fromkeys(part for part in said if part and part != meanings[0].term.name))


def _near(name: str, names: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Neighbours go both ways, whichever of the two was written."""
    back = [other for other, near in names.items() if name in near]
    return tuple(one for one in dict.fromkeys((*names[name], *back)) if one in names and one != name)
