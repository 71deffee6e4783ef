"""Measured files of content/measured: JSON on disk, written whole or not at all, read once for each change.

Leaves out what a file means and whether it is of the base model of now: the module that owns it says that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")
DIGITS = 6
"""Significant digits of a measured number: more would only make the files longer."""


def read(file: Path, parse: Callable[[Any], T]) -> T:
    """What ``parse`` makes of the file's data. Failures are not kept.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: it is no JSON; and whatever ``parse`` raises.
    """
    state = file.stat()
    return cast("T", _parsed(file, parse, state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=512)
def _parsed(file: Path, parse: Callable[[Any], Any], _changed: int, _size: int) -> Any:
    return parse(json.loads(file.read_text(encoding="utf-8")))


def write(file: Path, text: str) -> None:
    """Store it, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(f".{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.replace(file)


def line(data: object) -> str:
    """Data on one line, so that two measurements can be compared."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def rounded(value: Any, digits: int = DIGITS) -> Any:
    """The same data with so many significant digits in every fraction."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, Mapping):
        return {name: rounded(item, digits) for name, item in value.items()}
    return [rounded(item, digits) for item in value] if isinstance(value, list | tuple) else value
