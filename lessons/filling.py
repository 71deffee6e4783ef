"""Fills the texts of one file: facts, links, and the language rules of ``prose``, with faults at their lines.

A TOML file is filled as a whole before it becomes dataclasses, so no part can be forgotten. Leaves out what the texts
are for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from lessons import prose
from lessons.faults import nearest
from lessons.positions import Place
from lessons.prose import Link
from lessons.reading import Document, Source, dotted
from lessons.shelf import Shelf

QUOTED = frozenset({"code", "provoke", "says", "shows"})
"""Keys whose text is quoted as it stands: no language rules."""

GIVEN = frozenset({"claim", "derivation", "place", "source", "unit"})
"""Keys that may hold figures typed by hand: wrong claims, arithmetic in words, titles of works."""

GIVEN_PLACES = frozenset(
    {"case.text", "question.text", "question.options.text", "question.options.pair", "myths.guesses.text"}
)
"""Likewise: what a question gives and offers."""


Line = Callable[[], int]


class Filler:
    """Fills texts of one source file."""

    def __init__(self, shelf: Shelf, source: Source) -> None:
        self._shelf, self._source = shelf, source

    def text(self, text: str, line: Line, key: str = "", *, figures: bool = True, language: bool = True) -> str:
        """The text with its facts and links in place.

        Args:
            text: Markdown, or code when ``language`` is False.
            line: where it begins; a function, since finding a line costs and faults are rare.
            key: of the text, for faults.
            figures: whether a figure with a unit typed by hand is a fault.
            language: whether the text is prose at all (code and quotations are not).
        """
        for snippet, message, breaks in self._faults(text, figures=figures, language=language):
            self._source.fault(self._source.seek(line(), snippet), key, message, breaks=breaks)
        if "](" in text:
            text = prose.resolve_links(text)
        return self._put(text) if "{{" in text else text

    def _faults(self, text: str, *, figures: bool, language: bool) -> Iterator[tuple[str, str, bool]]:
        """Snippet, sentence, and whether the lesson cannot be shown."""
        for snippet, name in prose.facts_in(text) if "{{" in text else ():
            if problem := self._no_fact(name):
                yield snippet, problem, True
        for link in prose.links_in(text) if "](" in text else ():
            if problem := self._broken(link):
                yield link.snippet, problem, True
        if not language:
            return
        yield from ((remark.snippet, remark.message, True) for remark in prose.strange_braces(text))
        yield from ((remark.snippet, remark.message, False) for remark in prose.avoided_words(text))
        if figures:
            yield from ((remark.snippet, remark.message, False) for remark in prose.bare_figures(text))

    def _no_fact(self, name: str) -> str:
        ledger = self._shelf.ledger
        if name in ledger.facts:
            return ""
        if name in ledger.specs:
            self._source.spoil()  # facts.toml answers for it
            return ""
        return f"нет факта «{name}» в facts.toml{nearest(name, ledger.specs)}"

    def _broken(self, link: Link) -> str:
        if link.kind == "exercise":
            return self._shelf.missing_exercise(link.target)
        return self._shelf.missing_lesson(link.target, link.block)

    def _put(self, text: str) -> str:
        facts = self._shelf.ledger.facts
        return prose.FACT.sub(lambda match: facts[match[1]].text if match[1] in facts else match[0], text)


def fill(document: Document, shelf: Shelf, *keys: str) -> dict[str, Any]:
    """The data of a TOML file with every text filled; only the top-level ``keys`` when some are named."""
    filler = Filler(shelf, document)

    def walk(value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            return {key: walk(item, (*place, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, (*place, index)) for index, item in enumerate(value)]
        return _filled(value, place, filler, document) if isinstance(value, str) else value

    return {key: walk(value, (key,)) for key, value in document.data.items() if key in keys or not keys}


def _filled(value: str, place: Place, filler: Filler, document: Document) -> str:
    key = dotted(place)
    last = key.rsplit(".", 1)[-1]
    if value.isascii() and not any(mark in value for mark in " {%"):
        return value  # an id or a file's name: nothing to fill, nothing to say
    return filler.text(
        value,
        partial(document.line, place),
        key,
        figures=last not in GIVEN and key not in GIVEN_PLACES,
        language=last not in QUOTED,
    )
