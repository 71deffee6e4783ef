"""What a learner sent, from bytes to cells of source, with notices that cost nothing.

Accepts a .py file or pasted text in UTF-8, UTF-16, UTF-32 or cp1251, and Jupyter notebooks. The kind is told by
content, not by name. Here is text work of bounded time only; what has to be parsed is parsed in a process that can be
killed (``graders.aside``). Leaves out syntax errors: they are found behind the walls, where the text is compiled.

A notebook's text, as the editor shows it and as it is sent again, keeps its cells under separators of its own:

>>> to_text([(1, "import torch"), (3, "r = 8")])
'# %% ячейка 1\\nimport torch\\n\\n# %% ячейка 3\\nr = 8\\n'
>>> to_cells(to_text([(1, "import torch"), (3, "r = 8")]))
(('ячейка 1', 'import torch\\n'), ('ячейка 3', 'r = 8\\n'))
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from graders import aside, letters, sniffing
from graders.decoding import Undecodable, decode

LARGEST = 256 << 10
"""Bytes of the largest submission, in UTF-8; of a notebook, of the code in it."""
LARGEST_NOTEBOOK = 4 << 20
"""Bytes of the largest notebook with its outputs and pictures, which are dropped."""
FILE = "solution.py"
"""The name that the one cell of a .py submission carries in tracebacks, whatever the learner called the file."""

_SEPARATOR = re.compile(r"^\# %% (ячейка [1-9][0-9]{0,4})\b[^\n]*\n?", re.MULTILINE)
_SECONDS = 10.0


class InvalidFile(ValueError):
    """The file cannot be taken; the message is a Russian sentence for the learner."""


@dataclass(frozen=True, slots=True)
class Submission:
    """Decoded text. ``cells`` are (name for tracebacks, source); ``notices`` are Russian sentences."""

    cells: tuple[tuple[str, str], ...]
    text: str
    notices: tuple[str, ...] = ()

    def untouched(self, starter: str) -> bool:
        """Whether this is the starter, give or take blank lines, trailing spaces and comments."""
        return _essence(self.text) == _essence(starter)

    @property
    def empty(self) -> bool:
        """Whether there is nothing but spaces and comments."""
        return not _essence(self.text)


def read(source: bytes, filename: str = FILE, names: Collection[str] = ()) -> Submission:
    """The cells in ``source``. ``filename`` only lends its suffix; ``names`` are those that the exercise asks for.

    Raises:
        InvalidFile: too large, an archive, not text, text in an unknown encoding, a notebook that is not in order.
        aside.Broken: a notebook could not be read through a fault of ours.
    """
    if len(source) > LARGEST and not sniffing.may_be_notebook(source):
        raise InvalidFile(f"Файл слишком велик: {len(source) // 1024} КиБ, принимаем до {LARGEST // 1024} КиБ.")
    if len(source) > LARGEST_NOTEBOOK:
        raise InvalidFile(f"Тетрадка больше {LARGEST_NOTEBOOK >> 20} МиБ: очистите вывод ячеек и пришлите её снова.")
    if refusal := sniffing.refusal(source, filename):
        raise InvalidFile(refusal)
    try:
        text = decode(source).replace("\r\n", "\n").replace("\r", "\n")
    except Undecodable as problem:
        raise InvalidFile(str(problem)) from None
    found: tuple[str, ...] = ()
    if sniffing.is_notebook(text, filename):
        text, found = _from_notebook(text)
    if len(text.encode()) > LARGEST:
        raise InvalidFile(f"Кода больше {LARGEST // 1024} КиБ: решение столько не занимает. Пришлите только его.")
    cells = to_cells(text)
    return Submission(cells, text, (*found, *_noticed(cells, names)))


def to_text(cells: Iterable[tuple[int, str]]) -> str:
    """Numbered cells as one text for the editor."""
    return "\n".join(f"# %% ячейка {number}\n{source.rstrip(chr(10))}\n" for number, source in cells)


def to_cells(text: str) -> tuple[tuple[str, str], ...]:
    """(name for tracebacks, source) of each cell of ``text``: of a file without separators, itself."""
    pieces = _SEPARATOR.split(text)
    if len(pieces) == 1:
        return ((FILE, text),)
    named = [(FILE, pieces[0]), *zip(pieces[1::2], pieces[2::2], strict=True)]
    times: dict[str, int] = {}
    cells = []
    for name, source in named:
        times[name] = times.get(name, 0) + 1
        again = f" ({times[name]})" if times[name] > 1 else ""  # tracebacks look a cell's lines up by its name
        if source.strip():
            cells.append((f"{name}{again}", source.rstrip("\n") + "\n"))
    return tuple(cells)


def _from_notebook(text: str) -> tuple[str, tuple[str, ...]]:
    try:
        found = aside.run("graders.notebook:read", {"text": text, "largest": LARGEST}, seconds=_SECONDS)
    except aside.TooHard:
        raise InvalidFile("Тетрадку не удалось прочитать: она устроена слишком сложно. Пришлите код в .py.") from None
    if "refused" in found:
        raise InvalidFile(found["refused"])
    return to_text(found["cells"]), tuple(found["notices"])


def _noticed(cells: Iterable[tuple[str, str]], names: Collection[str]) -> list[str]:
    found: list[str] = []
    for name, source in cells:
        place = "" if name == FILE else f"в {name.replace('ячейка', 'ячейке')}, "
        found += letters.notices(source, place, names)
        if len(found) >= letters.MOST:
            break
    return found[: letters.MOST]


def _essence(text: str) -> list[str]:
    lines = (line.rstrip() for line in text.splitlines())
    return [line for line in lines if line and not line.lstrip().startswith("#")]
