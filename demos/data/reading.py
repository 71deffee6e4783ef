"""Asks ``demos.data.child`` in a process that can be killed: learners' data are never parsed here.

Leaves out what is asked (``lint``, ``convert``) and reading itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from demos.params import ParamsError
from graders import aside

LONGEST = 200_000
"""Characters of a text in a demo; a larger file goes to a run as it is."""


def ask(function: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What ``demos.data.child`` says.

    Raises:
        ParamsError: the text is too hard to read, or the process failed.
    """
    try:
        said: dict[str, Any] = aside.run(f"demos.data.child:{function}", {**payload, "packages": _packages()})
    except aside.TooHard:
        raise ParamsError("Данные слишком сложные, чтобы их прочесть: возьмите меньше строк или проще.") from None
    except aside.Broken:
        raise ParamsError("Прочитать данные не удалось по нашей вине: попробуйте ещё раз.") from None
    return said


def _packages() -> str:
    """Where the tokenizers library lies: the child starts without the folder of libraries."""
    found = find_spec("tokenizers")
    if found is None or found.origin is None:
        raise ParamsError("Библиотека tokenizers не установлена: запустите ./course start.")
    return str(Path(found.origin).parent.parent)
