"""Files of content/ as text with line numbers: UTF-8, TOML, and faults in the words of this course.

A broken file is a fault with its line, never an exception: the other files are read in the same run. Leaves out what
the keys mean (``schema``) and Markdown (``markdown``).
"""

from __future__ import annotations

import re
import tomllib
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from lessons import positions
from lessons.faults import Collector, Fault
from lessons.positions import Place

_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_SENTENCES = {
    "Expected '=' after a key": "после ключа нужен знак «=»",
    "Cannot overwrite a value": "этот ключ уже задан выше",
    "Duplicate inline table key": "этот ключ уже задан в той же строке",
    "Cannot declare": "эта таблица уже объявлена выше",
    "Cannot mutate immutable": "к этой таблице уже нельзя добавить ключ",
    "Invalid value": "значение не понять; тексту нужны кавычки",
    "Illegal character": "строка не закрыта кавычкой (или в ней непечатный знак)",
    "Unterminated string": "строка не закрыта кавычкой",
    "Expected \"'": "строка не закрыта апострофом",
    "Unclosed array": "массив не закрыт скобкой «]» или пропущена запятая",
    "Unclosed inline table": "таблица не закрыта скобкой «}» или пропущена запятая",
    "Invalid initial character for a key part": "здесь нужен ключ",
    "Invalid statement": "здесь нужен ключ или [таблица]",
    "Expected newline": "после значения нужен конец строки",
    "Unescaped '\\'": "косая черта в строке: удвойте её или возьмите строку в апострофы",
    "Expected ']": "заголовок таблицы не закрыт скобкой «]»",
}


class Source:
    """A text file of the content: knows its name and lines, and reports faults."""

    def __init__(self, file: Path, shown: Path, text: str, collector: Collector) -> None:
        self.file, self.shown, self.text = file, shown, text
        self._collector = collector

    def fault(self, line: int, key: str, message: str, *, breaks: bool = True) -> None:
        """Report a fault on a line."""
        self._collector.add(Fault(self.shown, line, key, message), breaks=breaks)

    def spoil(self) -> None:
        """Say that this file cannot be shown for a reason reported elsewhere."""
        self._collector.spoil(self.shown)

    def seek(self, line: int, snippet: str) -> int:
        """The first line from ``line`` on that contains the first line of ``snippet``; else ``line``."""
        wanted = snippet.split("\n", maxsplit=1)[0]
        rest = self.text.split("\n")[line - 1 :]
        return next((line + offset for offset, text in enumerate(rest) if wanted in text), line)


class Document(Source):
    """A parsed TOML file."""

    def __init__(self, file: Path, shown: Path, text: str, collector: Collector, data: dict[str, Any]) -> None:
        super().__init__(file, shown, text, collector)
        self.data = data

    @cached_property
    def _lines(self) -> dict[Place, int]:
        return dict(positions.locate(self.text))

    def line(self, place: Place) -> int:
        """The line of a key, or of the nearest table around it."""
        while place not in self._lines:
            place = place[:-1]
        return self._lines[place]

    def at(self, place: Place, message: str, *, breaks: bool = True) -> None:
        """Report a fault of a key."""
        self.fault(self.line(place), dotted(place), message, breaks=breaks)


def dotted(place: Place) -> str:
    """A place as an author names it: keys without indexes."""
    return ".".join(key for key in place if isinstance(key, str))


def shown(file: Path, content: Path) -> Path:
    """The name of a file in faults: relative to the folder that holds ``content``."""
    return file.relative_to(content.parent)


def read_text(file: Path, content: Path, collector: Collector) -> Source | None:
    """The text of a file, or None after a fault: no such file, no access, not UTF-8 (with the line)."""
    name = shown(file, content)
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        collector.add(Fault(name, 1, "", "нет такого файла"))
        return None
    except OSError as error:
        collector.add(Fault(name, 1, "", f"файл не читается: {error.strerror}"))
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        collector.add(Fault(name, line, "", "файл не в кодировке UTF-8; сохраните его как UTF-8"))
        return None
    return Source(file, name, text.replace("\r\n", "\n"), collector)


def read_toml(file: Path, content: Path, collector: Collector, *, optional: bool = False) -> Document | None:
    """A TOML file, or None after a fault. A missing file that is ``optional`` is no fault."""
    if optional and not file.exists():
        return None
    source = read_text(file, content, collector)
    if source is None:
        return None
    try:
        data = _parsed(source.text)
    except tomllib.TOMLDecodeError as error:
        line, message = _explain(str(error), source.text)
        source.fault(line, "", message)
        return None
    return Document(file, source.shown, source.text, collector, data)


@lru_cache(maxsize=256)
def _parsed(text: str) -> dict[str, Any]:
    """The data of a text. An edit of one file does not parse the others anew; nobody changes the data."""
    return tomllib.loads(text)


def _explain(error: str, text: str) -> tuple[int, str]:
    """Line and Russian sentence of an error of ``tomllib``."""
    found = _AT_LINE.search(error)
    line = int(found.group(1)) if found and found.group(1) else text.rstrip("\n").count("\n") + 1
    reason = next((ours for theirs, ours in _SENTENCES.items() if error.startswith(theirs)), "")
    return line, f"это не TOML: {reason or _AT_LINE.sub('', error)}"
