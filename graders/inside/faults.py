"""What went wrong in the learner's code, as plain data: type, text, line, and a traceback of the learner's lines only.

The exception may be hostile: its ``__str__`` may raise or be huge, its type's name may lie. A text that never ends is
ended by the deadline outside. Leaves out the sentences around it (``graders.host.feedback``).
"""

from __future__ import annotations

import inspect
import linecache
import traceback
from collections.abc import Collection
from types import TracebackType
from typing import Any

LONGEST_TEXT, LONGEST_LINE, MOST_FRAMES = 1_000, 200, 8
_ARITY = ("positional argument", "keyword argument", "takes no arguments")


def describe(error: BaseException, files: Collection[str], called: object = None) -> dict[str, Any]:
    """``error`` as plain data; ``files`` are the names of the learner's sources.

    ``called`` is what the judge called: when the call itself did not fit, its signature is told under ``signature``.
    """
    frames = _frames(error.__traceback__, files)
    kind, text = type_name(error), safe_text(error)
    if isinstance(error, SyntaxError) and error.filename in files:
        frames.append((str(error.filename), error.lineno or 0, ""))
        text = safe_text(error.msg)
    return {
        "type": kind,
        "message": text,
        "line": frames[-1][1] if frames else 0,
        "file": frames[-1][0] if frames else "",
        "traceback": "\n".join([*_lines(frames), f"{kind}: {text}" if text else kind]),
        "signature": _signature(called) if _misfit(error, text, frames) else "",
    }


def type_name(value: object) -> str:
    """Name of the exact type, whatever its metaclass says."""
    name = type.__dict__["__name__"].__get__(type(value))
    return str.__getitem__(name, slice(0, 80)) if isinstance(name, str) else "?"


def safe_text(value: object, how: Any = str, longest: int = LONGEST_TEXT) -> str:
    """``how(value)`` (``str`` or ``repr``), cut, exactly a ``str``, even where the object refuses."""
    try:
        text = how(value)
        cut = str.__getitem__(text, slice(0, longest))
        whole = str.__len__(text) <= longest
    except BaseException as error:  # noqa: BLE001 - the learner's own method may raise anything
        return f"(не показать: {type_name(error)})"
    return str(cut) if whole else f"{cut}…"


def _frames(tb: TracebackType | None, files: Collection[str]) -> list[tuple[str, int, str]]:
    found = [(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in traceback.walk_tb(tb)]
    return [item for item in found if item[0] in files]


def _lines(frames: list[tuple[str, int, str]]) -> list[str]:
    lines = []
    for position, (file, number, name) in enumerate(frames):
        if MOST_FRAMES // 2 <= position < len(frames) - MOST_FRAMES // 2:
            if position == MOST_FRAMES // 2:
                lines.append(f"  … ещё {len(frames) - MOST_FRAMES} вызовов …")
            continue
        place = f", в {name}" if name and name != "<module>" else ""
        lines += [f"{file}, строка {number}{place}", f"    {linecache.getline(file, number).strip()[:LONGEST_LINE]}"]
    return lines


def _misfit(error: BaseException, text: str, frames: list[tuple[str, int, str]]) -> bool:
    return type(error) is TypeError and not frames and any(part in text for part in _ARITY)


def _signature(called: Any) -> str:
    target = type(called).forward if hasattr(type(called), "forward") else called
    try:
        return safe_text(inspect.signature(target))
    except (TypeError, ValueError):
        return ""
