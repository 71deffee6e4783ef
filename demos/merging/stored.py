"""What merged models answer, measured beforehand: content/measured/merging.json. Torch-free.

Leaves out measuring (``scripts/measure_merging.py``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demos import kept
from demos.finetuning import measured
from demos.finetuning.measured import Made
from settings import ROOT

FILE = ROOT / "content" / "measured" / "merging.json"
VERSION = 2
EXAMPLES = 2


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A request whose answer merging changed."""

    prompt: str
    tuned: str
    merged: str
    right: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One model on held-out requests of the adapter's task, beside the tuned one (adapter beside its base)."""

    right: int
    of: int
    low: float  # Wilson's 95 % interval
    high: float
    same: int  # answers letter for letter those of the tuned model
    better: int  # wrong when tuned, right here
    worse: int  # right when tuned, wrong here
    largest: float  # largest difference of a logit of the first token, over all requests and the vocabulary
    mean: float
    drift: float | None  # the same largest difference after unmerging; None where there is nothing to take out
    spoilt: tuple[Spoilt, ...]

    @property
    def changed(self) -> int:
        """Answers that are not those of the tuned model."""
        return self.of - self.same

    @property
    def other(self) -> int:
        """Changed answers that were wrong and are, or were right and are: nothing gained or lost."""
        return self.changed - self.better - self.worse

    @property
    def gained(self) -> int:
        """By how much the number of right answers moved, whichever way."""
        return abs(self.better - self.worse)


@dataclass(frozen=True, slots=True)
class Blend:
    """A sum of two adapters on the requests of both tasks."""

    way: str
    weight: float  # of the first; the second has 1 − weight
    first: int  # right answers
    second: int


@dataclass(frozen=True, slots=True)
class Store:
    """The whole file. Rows by «adapter/strength/way»; blends by «first+second»."""

    base: str
    made: Made
    of_blends: int  # requests of each task that a blend answered
    rows: Mapping[str, Measured]
    blends: Mapping[str, tuple[Blend, ...]]
    requests: Mapping[str, tuple[tuple[str, str], ...]]  # task → a few held-out requests with their right answers


def find(adapter: str, strength: str, way: str) -> Measured | None:
    """One measured point; None when there is none on the base model of now."""
    store = load()
    return store.rows.get(f"{adapter}/{strength}/{way}") if store else None


def load(file: Path | None = None) -> Store | None:
    """The file, when it is there and of the base model of now."""
    found = _read(file or FILE)
    return found if found and found.base == measured.base() else None


def said(file: Path | None = None) -> str:
    """Who measured it and when, for a learner; empty when nothing is measured."""
    store = load(file)
    if store is None:
        return ""
    versions = ", ".join(f"{name} {store.made.versions[name]}" for name in ("torch", "peft", "bitsandbytes"))
    return f"{store.made.script}, {store.made.date[:10]}, {versions}"


def faults(file: Path | None = None) -> list[str]:
    """What is wrong with the file, a Russian sentence each."""
    found = _read(file or FILE)
    if found is None:
        return ["content/measured/merging.json не читается. Запустите scripts/measure_merging.py."]
    if found.base != measured.base():
        return [
            "content/measured/merging.json: измерено на другой базовой модели. Запустите scripts/measure_merging.py."
        ]
    return []


def write(store: Store, file: Path | None = None) -> None:
    """Store it, a row a line, so that two measurements can be compared."""
    data = kept.rounded(dataclasses.asdict(store))
    parts = {"version": VERSION, **{name: data[name] for name in ("base", "made", "of_blends")}}
    lines = [f'"{name}":{kept.line(value)}' for name, value in parts.items()]
    for name in ("rows", "blends", "requests"):
        inside = ",\n".join(f'"{key}":{kept.line(value)}' for key, value in data[name].items())
        lines.append(f'"{name}":{{\n{inside}\n}}')
    kept.write(file or FILE, "{" + ",\n".join(lines) + "}\n")


def _read(file: Path) -> Store | None:
    try:
        return kept.read(file, _parsed)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _parsed(data: Any) -> Store:
    if data["version"] != VERSION:
        raise ValueError("another version")
    rows = {
        key: Measured(**{**row, "spoilt": tuple(Spoilt(**one) for one in row["spoilt"])})
        for key, row in data["rows"].items()
    }
    blends = {key: tuple(Blend(**row) for row in found) for key, found in data["blends"].items()}
    requests = {task: tuple((asked, right) for asked, right in pairs) for task, pairs in data["requests"].items()}
    return Store(str(data["base"]), Made(**data["made"]), int(data["of_blends"]), rows, blends, requests)
