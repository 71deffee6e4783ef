"""Requests with their cosines and who answers them right, measured beforehand: content/measured/router.json.

Torch-free. Leaves out measuring (``scripts/measure_router.py``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from demos import kept
from demos.finetuning import measured
from demos.finetuning.measured import Made
from demos.params import ParamsError
from settings import ROOT

FILE = ROOT / "content" / "measured" / "router.json"
VERSION = 1
Cue = Literal["with", "without", "shift"]
CUES: Mapping[Cue, str] = {
    "with": "как в обучении, с подсказкой",
    "without": "без подсказки",
    "shift": "примеры с подсказкой, запросы без неё",
}
"""In which form examples and requests come."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request in one form. Cosines by the router's way, in the order of ``Store.places``."""

    kind: str
    text: str
    cosines: Mapping[str, tuple[float, ...]]
    right: tuple[bool, ...]  # whether each place would answer it right; empty where nobody has a right answer


@dataclass(frozen=True, slots=True)
class Store:
    """The whole file."""

    base: str
    made: Made
    places: tuple[str, ...]
    examples: Mapping[str, tuple[str, ...]]  # requests that stand for each adapter, as in its training
    rows: Mapping[str, tuple[Row, ...]]  # by Cue


def load(file: Path | None = None) -> Store:
    """The file of the base model of now.

    Raises:
        ParamsError: there is none.
    """
    found = _read(file or FILE)
    if found is None or found.base != measured.base():
        raise ParamsError("Запросов, измеренных на этой базовой модели, нет: запустите scripts/measure_router.py.")
    return found


def faults(file: Path | None = None) -> list[str]:
    """What is wrong with the file, a Russian sentence each."""
    try:
        load(file)
    except ParamsError as error:
        return [f"content/measured/router.json: {error}"]
    return []


def write(store: Store, file: Path | None = None) -> None:
    """Store it, a request a line."""
    data = dataclasses.asdict(store)
    lines = [f'"{name}":{kept.line(value)}' for name, value in [("version", VERSION), *data.items()] if name != "rows"]
    forms = [f'"{cue}":[\n' + ",\n".join(map(kept.line, rows)) + "\n]" for cue, rows in data["rows"].items()]
    lines.append('"rows":{\n' + ",\n".join(forms) + "\n}")
    kept.write(file or FILE, "{" + ",\n".join(lines) + "}\n")


def _read(file: Path) -> Store | None:
    try:
        return kept.read(file, _parsed)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _parsed(data: Any) -> Store:
    if data["version"] != VERSION:
        raise ValueError("another version")
    rows = {cue: tuple(map(_row, found)) for cue, found in data["rows"].items()}
    examples = {name: tuple(map(str, texts)) for name, texts in data["examples"].items()}
    return Store(str(data["base"]), Made(**data["made"]), tuple(data["places"]), examples, rows)


def _row(said: Mapping[str, Any]) -> Row:
    cosines = {way: tuple(map(float, values)) for way, values in said["cosines"].items()}
    return Row(str(said["kind"]), str(said["text"]), cosines, tuple(map(bool, said["right"])))
