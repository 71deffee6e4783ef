"""A Jupyter notebook's text, to cells of Python. Runs in a process of its own (``graders.aside``), and nowhere else.

Reads the few fields that matter of formats 2, 3 and 4; outputs, images, attachments and text cells are dropped. What is
wrong with a notebook comes back as a sentence. Leaves out decoding (``graders.submission``) and validation against
Jupyter's schema: a field that we do not read cannot harm.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from graders.magics import Refused, clean

MOST_CELLS = 1_000
MOST_NOTICES = 6
_HALVES = re.compile("[\0\ud800-\udfff]")

Ran = tuple[str, int | None]
"""Source of a code cell, and the number under which it was run."""


class NotANotebook(ValueError):
    """The notebook cannot be taken; the message is a Russian sentence."""


def read(task: dict[str, Any]) -> dict[str, Any]:
    """``{"cells": [[number, source], ...], "notices": [...]}``, or ``{"refused": sentence}``.

    ``task``: the notebook's ``text`` and the ``largest`` size of its code, in letters.
    """
    try:
        found = list(_code_cells(_parsed(task["text"])))
        _check_size(found, task["largest"])
        cells, removed = _cleaned(found)
    except NotANotebook as problem:
        return {"refused": str(problem)}
    return {"cells": cells, "notices": [*removed, *_order(found)]}


def _check_size(found: Sequence[Ran], largest: int) -> None:
    if not found:
        raise NotANotebook("В тетрадке нет ни одной ячейки с кодом: проверять нечего.")
    if len(found) > MOST_CELLS:
        raise NotANotebook(f"В тетрадке больше {MOST_CELLS} ячеек с кодом: оставьте только решение.")
    if sum(len(source) for source, _ in found) > largest:
        raise NotANotebook(f"Кода в тетрадке больше {largest // 1024} КиБ: оставьте только решение.")


def _parsed(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text, parse_int=_number)
    except ValueError as error:
        line = f" (строка {error.lineno} файла)" if isinstance(error, json.JSONDecodeError) else ""
        raise NotANotebook(f"Тетрадка повреждена{line}: сохраните её в Jupyter ещё раз и пришлите снова.") from None
    if not isinstance(data, dict):
        raise NotANotebook("Это не тетрадка Jupyter: в файле нет ячеек. Пришлите .ipynb или .py.")
    return data


def _number(digits: str) -> int:
    """An integer; one too long to be converted in reasonable time is nothing that we read."""
    return int(digits) if len(digits) < 20 else 0


def _code_cells(data: dict[str, Any]) -> Iterator[Ran]:
    """Each code cell, of whatever format."""
    _check_language(data.get("metadata"))
    version = data.get("nbformat")
    if type(version) is not int or not 2 <= version <= 4:
        raise NotANotebook(
            "Формат тетрадки незнаком: сохраните её в Jupyter в формате 4 (nbformat 4) и пришлите снова."
        )
    names = ("source", "execution_count") if version == 4 else ("input", "prompt_number")
    cells = data.get("cells") if version == 4 else _of_worksheets(data.get("worksheets"))
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise NotANotebook("В тетрадке нет списка ячеек: сохраните её в Jupyter ещё раз и пришлите снова.")
    for number, cell in enumerate((cell for cell in cells if cell.get("cell_type") == "code"), start=1):
        count = cell.get(names[1])
        yield _source(cell.get(names[0]), number), count if type(count) is int else None


def _check_language(metadata: Any) -> None:
    """Refuse R, Julia and so on; a notebook that does not say is taken for Python."""
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        part = metadata.get(key) if isinstance(metadata, dict) else None
        language = part.get(name) if isinstance(part, dict) else None
        if isinstance(language, str) and language and not language.lower().startswith(("python", "ipython")):
            raise NotANotebook(f"Это тетрадка на языке {_plain(language)[:20]}, а решение нужно на Python.")


def _of_worksheets(worksheets: Any) -> list[Any] | None:
    if not isinstance(worksheets, list) or not all(isinstance(sheet, dict) for sheet in worksheets):
        return None
    parts = [sheet.get("cells", []) for sheet in worksheets]
    return [cell for part in parts for cell in part] if all(isinstance(part, list) for part in parts) else None


def _source(value: Any, number: int) -> str:
    lines = [value] if isinstance(value, str) else value
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise NotANotebook(f"В ячейке {number} нет текста кода: сохраните тетрадку в Jupyter ещё раз и пришлите снова.")
    text = "".join(lines).replace("\r\n", "\n").replace("\r", "\n")
    if _HALVES.search(text):
        raise NotANotebook(f"В ячейке {number} есть знак, которого в тексте быть не может: наберите её код заново.")
    return text


def _cleaned(found: Sequence[Ran]) -> tuple[list[tuple[int, str]], list[str]]:
    """Cells of plain Python with their numbers, and what was removed from them."""
    cells: list[tuple[int, str]] = []
    removed: dict[tuple[str, str], str] = {}
    for number, (source, _) in enumerate(found, start=1):
        try:
            cell = clean(source)
        except Refused as problem:
            raise NotANotebook(f"Ячейка {number}, строка {problem.line}: {problem}.") from None
        if cell.source.strip():
            cells.append((number, cell.source))
        for line, what, why in cell.removed:
            removed.setdefault((what, why), f"ячейка {number}, строка {line}")
    told = [f"Строку {what} мы убрали: {why} ({place})." for (what, why), place in removed.items()]
    more = len(told) - MOST_NOTICES
    return cells, told if more <= 0 else [*told[:MOST_NOTICES], f"Так же убраны и другие строки: ещё {more}."]


def _order(found: Sequence[Ran]) -> list[str]:
    """Whether cells were run in another order than they stand in."""
    last, before = 0, 0
    for number, (_, count) in enumerate(found, start=1):
        if count is None:
            continue
        if count < last:
            return [
                f"Ячейку {number} вы выполняли раньше ячейки {before}, а мы выполняем их сверху вниз: "
                "проверьте тетрадку командой «Restart Kernel and Run All Cells»."
            ]
        last, before = count, number
    return []


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
