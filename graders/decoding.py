"""Bytes of a text file in whatever encoding an editor wrote, to text. Fails with a Russian sentence, never guesses.

UTF-8, UTF-16 and UTF-32 with or without a mark, cp1251 where it reads as Russian. A declaration inside the file
(``# coding: ...``) has no effect: it may name a transformation, and what a reader sees has to be what runs.
"""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = (("utf-32-le", 4, 0), ("utf-32-be", 4, 3), ("utf-16-le", 2, 0), ("utf-16-be", 2, 1))
"""Encoding, bytes of a letter, and which of them is the low one."""
_FEWEST = 4  # letters that a guess needs: a stray zero byte is no encoding
_ASCII = bytes(range(128))
_RUSSIAN = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ«»—–…№".encode("cp1251")
_NULS = "В файле есть нулевые байты: похоже, это не текст программы. Сохраните его как .py в UTF-8."
_BROKEN = "Кодировка файла нарушена. Сохраните его как .py в UTF-8."
_UNKNOWN = "Не удалось прочитать текст: кодировка не UTF-8. Сохраните файл как .py в UTF-8."


class Undecodable(ValueError):
    """The bytes are no text that we know; the message is a Russian sentence."""


def decode(source: bytes) -> str:
    """The text in ``source``.

    Raises:
        Undecodable: there is none.
    """
    text = _decoded(source)
    if "\0" in text:
        raise Undecodable(_NULS)
    return text


def _decoded(source: bytes) -> str:
    for mark, encoding in _MARKS:
        if source.startswith(mark):
            return _strictly(source[len(mark) :], encoding)
    if b"\0" in source:
        return _wide(source)
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError:
        return _cp1251(source)


def _strictly(source: bytes, encoding: str) -> str:
    try:
        return source.decode(encoding)
    except UnicodeDecodeError:
        raise Undecodable(_BROKEN) from None


def _wide(source: bytes) -> str:
    """Text of two or four bytes a letter without a mark: accepted when nine letters of ten are ASCII or Russian."""
    for encoding, width, low in _WIDE:
        if len(source) % width or len(source) < _FEWEST * width:
            continue
        high = [source[at::width] for at in range(width) if at != low]
        # The byte above the low one is 0 for ASCII and 4 for Russian; those above it are 0.
        usual = sum(part.count(0) + part.count(4) for part in high)
        if usual >= 0.9 * sum(map(len, high)):
            return _strictly(source, encoding)
    raise Undecodable(_NULS)


def _cp1251(source: bytes) -> str:
    """Text of a Russian Windows editor: accepted when what is not ASCII reads as Russian letters and marks."""
    try:
        text = source.decode("cp1251")
    except UnicodeDecodeError:
        raise Undecodable(_UNKNOWN) from None
    foreign = source.translate(None, _ASCII)
    if len(foreign.translate(None, _RUSSIAN)) > 0.2 * len(foreign):
        raise Undecodable(_UNKNOWN)
    return text
