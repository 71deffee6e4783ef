"""On which line each key of a TOML text stands: what ``tomllib`` knows while it parses and does not tell.

Reads text that ``tomllib`` has accepted, so it checks no grammar: it only walks over tables, arrays of tables, dotted
keys, inline tables, arrays and the four kinds of strings. Leaves out values.

>>> locate('title = "LoRA"\\n[[terms]]\\nid = "rank"\\n')[("terms", 0, "id")]
3
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

Place = tuple[str | int, ...]
"""Where a value stands: keys, and indexes within arrays, from the top of the file."""

_SKIP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*([A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*""")
_STRING = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''',
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}#\n]*")


def locate(text: str) -> Mapping[Place, int]:
    """The 1-based line of every key and array item of a valid TOML ``text``."""
    return _Walk(text).lines


class _Walk:
    """One pass over the text; ``at`` is the offset read so far."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.lines: dict[Place, int] = {(): 1}
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._tables: dict[Place, int] = {}  # how many tables each array of tables has so far
        self._document()

    def _document(self) -> None:
        table: Place = ()
        self._skip()
        while self.at < len(self.text):
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._pair(table)
            self._skip()

    def _header(self) -> Place:
        array, start = self.text.startswith("[[", self.at), self.at
        self.at += 2 if array else 1
        keys = self._keys()
        self.at += 2 if array else 1
        place: Place = ()
        for key in keys[:-1]:
            place = self._into((*place, key))
            self._mark(place, start)
        place = (*place, keys[-1])
        if array:
            self._mark(place, start)
            self._tables[place] = self._tables.get(place, 0) + 1
        place = self._into(place)
        self._mark(place, start)
        return place

    def _into(self, place: Place) -> Place:
        """``place`` itself, or the last table of the array that stands there."""
        return (*place, self._tables[place] - 1) if place in self._tables else place

    def _pair(self, table: Place) -> None:
        start, place = self.at, table
        for key in self._keys():
            place = (*place, key)
            self._mark(place, start)
        self.at += 1  # the equals sign
        self._blank()
        self._value(place)

    def _value(self, place: Place) -> None:
        opening = self.text[self.at : self.at + 1]
        if opening == "[":
            self._items(place, "]")
        elif opening == "{":
            self._items(place, "}")
        else:
            self._match(_STRING if opening in {'"', "'"} else _BARE)

    def _items(self, place: Place, closing: str) -> None:
        """The items of an array, or the pairs of an inline table."""
        self.at += 1
        count = 0
        self._skip()
        while not self.text.startswith(closing, self.at):
            if closing == "]":
                self._mark((*place, count), self.at)
                self._value((*place, count))
                count += 1
            else:
                self._pair(place)
            self._skip()
            if self.text.startswith(",", self.at):
                self.at += 1
            self._skip()
        self.at += 1

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while self.text.startswith(".", self.at):
            self.at += 1
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        written = self._match(_KEY).strip()
        return str(tomllib.loads(f"key = {written}")["key"]) if written[0] in "\"'" else written

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError(f"not the TOML that tomllib accepted, at offset {self.at}")
        self.at = found.end()
        return found.group()

    def _skip(self) -> None:
        self._match(_SKIP)

    def _blank(self) -> None:
        while self.text[self.at : self.at + 1] in {" ", "\t"}:
            self.at += 1

    def _mark(self, place: Place, offset: int) -> None:
        self.lines.setdefault(place, bisect_right(self._starts, offset))
