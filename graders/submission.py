"""What a learner sent, from bytes to cells of source. Plain text work only: nothing is parsed or compiled here.

Accepts a .py file or pasted text in UTF-8 (with or without BOM), UTF-16 with BOM or cp1251. The kind is told by
content, not by name. Leaves out notebooks and archives (refused in words), and syntax errors (found behind the walls).
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

LARGEST = 256 << 10
"""Bytes of the largest submission."""
FILE = "solution.py"
"""The name that the one cell of a .py submission carries in tracebacks, whatever the learner called the file."""

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf", b"BZh")


class InvalidFile(ValueError):
    """The file cannot be taken; the message is a Russian sentence for the learner."""


@dataclass(frozen=True, slots=True)
class Submission:
    """Decoded text. ``cells`` are (name for tracebacks, source)."""

    cells: tuple[tuple[str, str], ...]
    text: str

    def untouched(self, starter: str) -> bool:
        """Whether this is the starter, give or take blank lines, trailing spaces and comments."""
        return _essence(self.text) == _essence(starter)

    @property
    def empty(self) -> bool:
        """Whether there is nothing but spaces and comments."""
        return not _essence(self.text)


def read(source: bytes, filename: str = FILE) -> Submission:
    """Decode ``source``. ``filename`` is only looked at for its suffix.

    Raises:
        InvalidFile: too large, an archive, a notebook, not text, or text in an unknown encoding.
    """
    if len(source) > LARGEST:
        raise InvalidFile(f"Файл слишком велик: {len(source) // 1024} КиБ, принимаем до {LARGEST // 1024} КиБ.")
    if source.startswith(_ARCHIVES) or filename.lower().endswith((".zip", ".tar", ".gz", ".rar", ".7z")):
        raise InvalidFile("Это архив. Пришлите один файл .py или вставьте текст решения.")
    text = _decode(source).replace("\r\n", "\n").replace("\r", "\n")
    if _is_notebook(text, filename):
        raise InvalidFile("Это тетрадка Jupyter. Пока принимаем .py: скопируйте ячейки решения в один файл.")
    if "\0" in text:
        raise InvalidFile("В файле есть нулевые байты: похоже, это не текст программы. Сохраните его как .py в UTF-8.")
    return Submission(((FILE, text),), text)


def _decode(source: bytes) -> str:
    for mark, encoding in _BOMS:
        if source.startswith(mark):
            return _strictly(source[len(mark) :], encoding)
    if b"\0" in source:
        raise InvalidFile("В файле есть нулевые байты: похоже, это не текст программы. Сохраните его как .py в UTF-8.")
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError:
        return _cp1251(source)


def _strictly(source: bytes, encoding: str) -> str:
    try:
        return source.decode(encoding)
    except UnicodeDecodeError:
        raise InvalidFile("Кодировка файла нарушена. Сохраните его как .py в UTF-8.") from None


def _cp1251(source: bytes) -> str:
    """Text of a Russian Windows editor: accepted when what is not ASCII reads as Russian letters and marks."""
    refusal = InvalidFile("Не удалось прочитать текст: кодировка не UTF-8. Сохраните файл как .py в UTF-8.")
    try:
        text = source.decode("cp1251")
    except UnicodeDecodeError:
        raise refusal from None
    foreign = [letter for letter in text if not letter.isascii()]
    russian = [letter for letter in foreign if "а" <= letter.lower() <= "я" or letter in "ёЁ«»—–…№"]
    if len(russian) < 0.8 * len(foreign):
        raise refusal
    return text


def _is_notebook(text: str, filename: str) -> bool:
    start = text.lstrip()[:1]
    return filename.lower().endswith(".ipynb") or (start == "{" and '"cells"' in text and '"nbformat"' in text)


def _essence(text: str) -> list[str]:
    lines = (line.rstrip() for line in text.splitlines())
    return [line for line in lines if line and not line.lstrip().startswith("#")]
