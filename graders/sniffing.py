"""What kind of file these bytes are, told by their content: archives, documents, pictures, models, notebooks.

Looks at fixed places only and opens nothing: whatever an archive holds stays packed. Leaves out the text itself
(``graders.submission``) and files that are nothing in particular.
"""

from __future__ import annotations

import re

_ARCHIVE = "Это архив. Пришлите один файл .py или .ipynb либо вставьте текст решения."
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_ARCHIVES = (
    *_ZIPS,
    b"\x1f\x8b",  # gzip
    b"\x1f\x9d",  # compress
    b"Rar!\x1a",
    b"7z\xbc\xaf\x27\x1c",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",  # zstd
    b"\x04\x22\x4d\x18",  # lz4
    b"LZIP\x01",
)
_BZIP = re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)")
_ENDINGS = (".zip", ".tar", ".gz", ".tgz", ".rar", ".7z", ".xz", ".zst", ".bz2")
_INSIDE_ZIP = (
    (b"word/", "документ Word"),
    (b"xl/", "таблица Excel"),
    (b"ppt/", "презентация"),
    (b"/data.pkl", "веса PyTorch (.pt)"),
    (b".npy", "массив NumPy (.npz)"),
    (b"mimetypeapplication/vnd.oasis", "документ LibreOffice"),
)
_KINDS = (
    (rb"%PDF-", "документ PDF"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "документ Office"),
    (rb"\{\\rtf", "документ RTF"),
    (rb"\x93NUMPY", "массив NumPy (.npy)"),
    (rb"\x80[\x02-\x05].", "файл pickle"),
    (rb"GGUF[\x01-\x09]\0\0\0", "модель GGUF"),
    (rb".{6}\0\0\{\"", "веса safetensors"),
    (rb"\x89PNG\r\n", "картинка PNG"),
    (rb"\xff\xd8\xff", "картинка JPEG"),
    (rb"GIF8[79]a", "картинка GIF"),
    (rb"RIFF.{4}WEBPVP8", "картинка WebP"),
    (rb"\x7fELF|MZ.{1,64}\0|\xcf\xfa\xed\xfe", "исполняемый файл"),
    (rb"SQLite format 3\0", "база данных SQLite"),
    (rb".{2}\r\n[\x00-\x03]\0\0\0", "скомпилированный Python (.pyc)"),
    (rb"(?i:\s*<(?:!doctype html|html))", "веб-страница"),
)
_NOTEBOOK = re.compile(r'\s*\{\s*(?:"(?:cells|worksheets|metadata|nbformat|nbformat_minor)"\s*:|$)')


def refusal(source: bytes, filename: str) -> str:
    """Why these bytes are no program, as a Russian sentence; empty when nothing speaks against it."""
    head = source[:4096]
    if head.startswith(_ZIPS):
        kind = next((kind for mark, kind in _INSIDE_ZIP if mark in head), "")
    else:
        kind = next((kind for mark, kind in _KINDS if re.match(mark, head, re.DOTALL)), "")
    if kind:
        return f"Это {kind}, а не программа. Пришлите файл .py или .ipynb либо вставьте текст решения."
    packed = head.startswith(_ARCHIVES) or head[257:262] == b"ustar" or _BZIP.match(head)
    return _ARCHIVE if packed or filename.lower().endswith(_ENDINGS) else ""


def may_be_notebook(source: bytes) -> bool:
    """Whether bytes too many for a program may still be a notebook: they open with a brace, in whatever encoding."""
    return source[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"{")


def is_notebook(text: str, filename: str) -> bool:
    """Whether ``text`` is meant as a notebook. A name decides only where the content could be either."""
    if filename.lower().endswith(".ipynb"):
        return text.lstrip()[:1] in {"{", "["}
    return _NOTEBOOK.match(text) is not None and ('"cells"' in text or '"worksheets"' in text)
