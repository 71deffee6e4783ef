"""The page's look into a file: what an adapter holds, or why it is none. Leaves out reading it (``files``)."""

from __future__ import annotations

from dataclasses import dataclass

from demos.finetuning.adapters import files, store
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.files import Description
from demos.params import Checked, parameter


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """The name under which the page keeps the files."""

    adapter: str = parameter("", "Адаптер")


@dataclass(frozen=True, slots=True)
class Result:
    """One of the two: what it is, or a sentence saying why it cannot be opened."""

    problem: str = ""
    description: Description | None = None


def look(params: Params) -> Result:
    """Open, check, describe."""
    try:
        return Result(description=files.describe(store.adapter(params.adapter)))
    except AdapterError as problem:
        return Result(problem=str(problem))
