"""Bytes in, text out, or one sentence that says why not."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import pickle
import tarfile
import time
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.submission import FILE, LARGEST, InvalidFile, read, to_cells, to_text

TEXT = 'x = "привет, ёлка"  # это «строка» — с тире\n'
ENCODED = {
    "utf-8": TEXT.encode(),
    "bom": b"\xef\xbb\xbf" + TEXT.encode(),
    "utf-16": TEXT.encode("utf-16"),
    "utf-16-be": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "utf-16-le without a mark": TEXT.encode("utf-16-le"),
    "utf-16-be without a mark": TEXT.encode("utf-16-be"),
    "utf-32": TEXT.encode("utf-32"),
    "utf-32-be": b"\0\0\xfe\xff" + TEXT.encode("utf-32-be"),
    "utf-32-le without a mark": TEXT.encode("utf-32-le"),
    "utf-32-be without a mark": TEXT.encode("utf-32-be"),
    "cp1251": TEXT.encode("cp1251"),
    "crlf": TEXT.replace("\n", "\r\n").encode(),
    "cr": TEXT.replace("\n", "\r").encode(),
}


def zipped(name: str, content: bytes = b"x") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def tarred() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../etc/passwd"))
    return packed.getvalue()


ARCHIVES = {
    "zip": zipped("../../solution.py"),
    "empty zip": b"PK\x05\x06" + bytes(18),
    "gzip": gzip.compress(b"x = 1"),
    "bzip2": bz2.compress(b"x = 1"),
    "empty bzip2": bz2.compress(b""),
    "xz": lzma.compress(b"x = 1"),
    "tar": tarred(),
    "7z": b"7z\xbc\xaf\x27\x1c\0\x04",
    "rar": b"Rar!\x1a\x07\x01\0",
    "zstd": b"\x28\xb5\x2f\xfd\x04\0",
    "lz4": b"\x04\x22\x4d\x18\x64\x40",
}
FOREIGN = {
    "Word": (zipped("word/document.xml"), "документ Word"),
    "Excel": (zipped("xl/workbook.xml"), "таблица Excel"),
    "torch": (zipped("archive/data.pkl"), "веса PyTorch"),
    "npz": (zipped("arr_0.npy"), "массив NumPy"),
    "npy": (b"\x93NUMPY\x01\0v\0{'descr'", "массив NumPy"),
    "pickle": (pickle.dumps({"a": 1}), "файл pickle"),
    "safetensors": (b"\x40\0\0\0\0\0\0\0" + b'{"a":{}}', "веса safetensors"),
    "gguf": (b"GGUF\x03\0\0\0", "модель GGUF"),
    "pdf": (b"%PDF-1.7\n", "документ PDF"),
    "old Word": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "документ Office"),
    "rtf": (b"{\\rtf1\\ansi", "документ RTF"),
    "png": (b"\x89PNG\r\n\x1a\n", "картинка PNG"),
    "jpeg": (b"\xff\xd8\xff\xe0", "картинка JPEG"),
    "elf": (b"\x7fELF\x02\x01\x01\0" + bytes(50), "исполняемый файл"),
    "exe": (b"MZ\x90\0\x03", "исполняемый файл"),
    "pyc": (b"\xa7\r\r\n\0\0\0\0" + bytes(8) + b"\xe3", "скомпилированный Python"),
    "page": (b"\n<!DOCTYPE html>\n<html>", "веб-страница"),
}
UNREADABLE = [
    (b"#" * (LARGEST + 1), "a.py", "велик"),
    (b"x = 1\n" * 10**6, "a.py", "велик"),
    (bytes(50 << 20), "a.py", "велик"),
    ((b"#" + "я".encode() * 50) * 2700, "a.py", "велик"),
    (("я" * (LARGEST // 2 + 10)).encode("cp1251"), "a.py", "больше 256 КиБ"),  # larger in UTF-8, as it is stored
    (b"x = 1\0", "a.py", "нулевые"),
    (b"x\0", "a.py", "нулевые"),
    (bytes(100), "a.py", "нулевые"),
    (b"x = 1", "solution.zip", "архив"),
    (b"\x89\x50\x4e\x47\x81\x98", "a.py", "кодировка"),
    (b"\xff\xfea", "a.py", "Кодировка"),
    (b"\xff\xfe\x00\xd8", "a.py", "Кодировка"),  # half a surrogate pair
]


@pytest.mark.parametrize("name", ENCODED)
def test_every_common_encoding_is_read(name: str) -> None:
    assert read(ENCODED[name]).text == TEXT


def refusal(source: bytes, filename: str = FILE) -> str:
    with pytest.raises(InvalidFile) as caught:
        read(source, filename)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert sentence[0].isupper()
    return sentence


@pytest.mark.parametrize(("source", "filename", "word"), UNREADABLE)
def test_what_cannot_be_read_gets_a_sentence(source: bytes, filename: str, word: str) -> None:
    assert word in refusal(source, filename)


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_refused_by_its_content_and_never_opened(name: str) -> None:
    assert "архив" in refusal(ARCHIVES[name])


@pytest.mark.parametrize("name", FOREIGN)
def test_another_kind_of_file_is_named(name: str) -> None:
    source, word = FOREIGN[name]
    assert f"Это {word}" in refusal(source)


@pytest.mark.parametrize(
    "text",
    ["PK = np.load('a.npy')", "GGUF = 1", "MZ = 2", "BZh9 = 3", "RIFF = 'WEBP'", "#\r\nx = 'г'", "Rar = 1", "LZIP = 1"],
)
def test_a_program_is_not_taken_for_another_kind(text: str) -> None:
    for encoding in ("utf-8", "cp1251", "utf-16-le"):
        assert read(text.encode(encoding)).text == text.replace("\r\n", "\n")


@pytest.mark.parametrize("cookie", ["rot13", "utf-7", "koi8-r", "latin-1", "нет-такой", "utf-16", "unicode_escape"])
def test_a_declared_encoding_has_no_effect(cookie: str) -> None:
    text = f"# coding: {cookie}\nuryyb = 'привет +ACE-'\n"
    sent = read(text.encode())
    assert sent.cells == ((FILE, text),)
    scope: dict[str, object] = {}
    exec(compile(*reversed(sent.cells[0]), "exec"), scope)  # noqa: S102 - as the sandbox compiles it
    assert scope["uryyb"] == "привет +ACE-"


def test_a_file_of_the_largest_size_is_taken() -> None:
    assert len(read(b"#" * LARGEST).text) == LARGEST


@pytest.mark.parametrize("source", [b"", b"  \n\t\n", b"# todo\n\n   # later", b"\xef\xbb\xbf", b"\n" * LARGEST])
def test_nothing_is_empty(source: bytes) -> None:
    assert read(source).empty


def test_the_starter_is_recognised_but_not_a_changed_one() -> None:
    starter = "def f(x):\n    # your code\n    raise NotImplementedError\n"
    assert read(b"\n# my name\ndef f(x):  \n\n    raise NotImplementedError").untouched(starter)
    assert read(b"# %% \xd1\x8f\xd1\x87\xd0\xb5\xd0\xb9\xd0\xba\xd0\xb0 1\n" + starter.encode()).untouched(starter)
    assert not read(b"def f(x):\n    return x").untouched(starter)


# Cells in one text


def test_a_text_with_separators_has_cells_under_their_names() -> None:
    text = "import os\n# %% ячейка 2\nx = 1\n\n\n# %% ячейка 7 дополнение\n\ny = 2\n# %% ячейка 9\n\n"
    assert read(text.encode()).cells == (
        (FILE, "import os\n"),
        ("ячейка 2", "x = 1\n"),
        ("ячейка 7", "\ny = 2\n"),  # the line keeps its number
    )


def test_a_separator_that_stands_twice_still_names_two_cells() -> None:
    """A traceback looks lines up by the cell's name: two sources under one name would show the wrong line."""
    names = [name for name, _ in to_cells("# %% ячейка 1\na\n# %% ячейка 1\nb\n# %% ячейка 1\nc")]
    assert names == ["ячейка 1", "ячейка 1 (2)", "ячейка 1 (3)"]


@pytest.mark.parametrize("line", ["# %%", "# %% [markdown]", "  # %% ячейка 1", "# %% ячейка 0", "# %% ячейка 1x"])
def test_other_peoples_separators_are_comments(line: str) -> None:
    text = f"x = 1\n{line}\ny = 2\n"
    assert read(text.encode()).cells == ((FILE, text),)


line = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=20).filter(
    lambda text: not text.startswith("# %% ячейка") and text.strip("\n")
)
numbered = st.lists(st.tuples(st.integers(1, 99_999), line), unique_by=lambda cell: cell[0])


@given(numbered)
def test_cells_survive_the_editor(cells: list[tuple[int, str]]) -> None:
    cells = [(number, source) for number, source in cells if source.strip() and "\n# %%" not in source]
    back = to_cells(to_text(cells)) if cells else ()
    assert back == tuple((f"ячейка {number}", source.rstrip("\n") + "\n") for number, source in cells)


# Anything whatsoever

kinds = st.sampled_from(
    [b"", b"PK\x03\x04", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1f\x8b", b"{", "# %% ячейка 1\n".encode()]
)


@settings(max_examples=300)
@given(kinds, st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")))
def test_no_bytes_make_it_raise_anything_else(start: bytes, rest: bytes) -> None:
    begun = time.monotonic()
    with contextlib.suppress(InvalidFile):
        sent = read(start + rest)
        sent.text.encode()
        assert "\0" not in sent.text
        assert all(source.strip() for _, source in sent.cells if len(sent.cells) > 1)
    assert time.monotonic() - begun < 5
