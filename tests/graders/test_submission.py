"""Bytes in, text out, or one sentence that says why not."""

from __future__ import annotations

import pytest

from graders.submission import LARGEST, InvalidFile, read

TEXT = 'x = "привет, ёлка"  # это «строка» — с тире\n'


@pytest.mark.parametrize(
    "source",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("cp1251"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16-be", "cp1251", "crlf", "cr"],
)
def test_every_common_encoding_is_read(source: bytes) -> None:
    assert read(source).text == TEXT


@pytest.mark.parametrize(
    ("source", "filename", "word"),
    [
        (b"#" * (LARGEST + 1), "a.py", "велик"),
        (b"x = 1\0", "a.py", "нулевые"),
        (b"PK\x03\x04....", "solution.py", "архив"),
        (b"x = 1", "solution.zip", "архив"),
        (b"\x89\x50\x4e\x47\x81\x98", "a.py", "кодировка"),
        (b"\xff\xfea", "a.py", "Кодировка"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(source: bytes, filename: str, word: str) -> None:
    with pytest.raises(InvalidFile, match=word) as caught:
        read(source, filename)
    assert str(caught.value).endswith(".")


def test_a_file_of_the_largest_size_is_taken() -> None:
    assert len(read(b"#" * LARGEST).text) == LARGEST


@pytest.mark.parametrize("source", [b"", b"  \n\t\n", b"# todo\n\n   # later"])
def test_nothing_is_empty(source: bytes) -> None:
    assert read(source).empty


def test_the_starter_is_recognised_but_not_a_changed_one() -> None:
    starter = "def f(x):\n    # your code\n    raise NotImplementedError\n"
    assert read(b"\n# my name\ndef f(x):  \n\n    raise NotImplementedError").untouched(starter)
    assert not read(b"def f(x):\n    return x").untouched(starter)
