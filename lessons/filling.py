"""Fills the texts of one file: facts, links, and the language rules of ``prose``, with faults at their lines.

A TOML file is filled as a whole before it becomes dataclasses, so no part can be forgotten. Leaves out what the texts
are for.
"""

from __future__ import annotations

from typing import Any

from lessons import prose
from lessons.faults import nearest
from lessons.positions import Place
from lessons.prose import Link
from lessons.reading import Document, Source, dotted
from lessons.shelf import Shelf

QUOTED = frozenset({"code", "says"})
"""Keys whose text is quoted as it stands: no language rules."""

GIVEN = frozenset({"claim", "derivation", "place", "source", "unit"})
"""Keys that may hold figures typed by hand: wrong claims, arithmetic in words, titles of works."""

GIVEN_PLACES = frozenset({"question.text", "question.options.text", "question.options.pair", "myths.guesses.text"})
"""Likewise: what a question gives and offers."""


class Filler:
    """Fills texts of one source file."""

    def __init__(self, shelf: Shelf, source: Source) -> None:
        self._shelf, self._source = shelf, source

    def text(self, text: str, line: int, key: str = "", *, figures: bool = True, language: bool = True) -> str:
        """The text with its facts and links in place; ``line`` is where it begins.

        Args:
            figures: whether a figure with a unit typed by hand is a fault.
            language: whether the text is prose at all (code and quotations are not).
        """
        if "{{" in text:
            text = self._facts(text, line, key, language=language)
        if language:
            for remark in [*prose.avoided_words(text), *(self._figures(text) if figures else ())]:
                self._source.fault(self._source.seek(line, remark.snippet), key, remark.message, breaks=False)
        return self._links(text, line, key) if "](" in text else self._put(text)

    def _facts(self, text: str, line: int, key: str, *, language: bool) -> str:
        shown = self._shelf.ledger.facts
        for snippet, name in prose.facts_in(text):
            if name in self._shelf.ledger.specs and name not in shown:
                self._source.spoil()  # facts.toml answers for it
            elif name not in shown:
                at = self._source.seek(line, snippet)
                self._source.fault(at, key, f"нет факта «{name}» в facts.toml{nearest(name, shown)}")
        for remark in prose.strange_braces(text) if language else ():
            self._source.fault(self._source.seek(line, remark.snippet), key, remark.message)
        return text

    def _figures(self, text: str) -> Any:
        return prose.bare_figures(text)

    def _links(self, text: str, line: int, key: str) -> str:
        for link in prose.links_in(text):
            if problem := self._broken(link):
                self._source.fault(self._source.seek(line, link.snippet), key, problem)
        return self._put(prose.resolve_links(text))

    def _broken(self, link: Link) -> str:
        if link.kind == "exercise":
            return self._shelf.missing_exercise(link.target)
        return self._shelf.missing_lesson(link.target, link.block)

    def _put(self, text: str) -> str:
        facts = self._shelf.ledger.facts
        return prose.FACT.sub(lambda match: facts[match[1]].text if match[1] in facts else match[0], text)


def fill(document: Document, shelf: Shelf) -> dict[str, Any]:
    """The data of a TOML file with every text filled."""
    filler = Filler(shelf, document)

    def walk(value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            return {key: walk(item, (*place, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, (*place, index)) for index, item in enumerate(value)]
        return _filled(value, place, filler, document) if isinstance(value, str) else value

    return {key: walk(value, (key,)) for key, value in document.data.items()}


def _filled(value: str, place: Place, filler: Filler, document: Document) -> str:
    key = dotted(place)
    last = key.rsplit(".", 1)[-1]
    if value.isascii() and not any(mark in value for mark in " {%"):
        return value  # an id or a file's name: nothing to fill, nothing to say
    return filler.text(
        value,
        document.line(place),
        key,
        figures=last not in GIVEN and key not in GIVEN_PLACES,
        language=last not in QUOTED,
    )
