"""Recorded speed of the bundled model in six forms, content/measured/speed.json: batch, length of the request, cache.

Torch-free. Leaves out measuring a point (``timing``) and making the recording (``scripts/measure_speed.py``).
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from demos import kept
from demos.finetuning import measured
from demos.finetuning.measured import Made, Origin
from demos.inference.timing import FORMS, NEW, SEED
from demos.params import Checked, parameter
from settings import ROOT

FILE = ROOT / "content" / "measured" / "speed.json"
AGAIN = "Запустите scripts/measure_speed.py."
BATCHES, LENGTHS, USUAL = (1, 8, 32), (16, 64, 256), 64
Against = Literal["forms", "batch", "prompt", "cache"]
AGAINST = {
    "forms": "формы весов",
    "batch": "размер пачки",
    "prompt": "длина запроса",
    "cache": "с KV-кэшем и без",
}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What is compared."""

    against: Against = parameter("forms", "Что сравнить", words=AGAINST)


@dataclass(frozen=True, slots=True)
class Point:
    """One measured point; seconds and bytes."""

    form: str
    batch: int
    prompt: int
    cache: bool
    first: float
    each: float
    rate: float
    cache_bytes: int
    weights: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Result:
    """Points that differ in one thing only. ``problem`` is a sentence when nothing was measured."""

    problem: str = ""
    against: Against = "forms"
    points: tuple[Point, ...] = ()
    new: int = NEW
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """All points and how they were measured."""

    base: str
    made: Made
    points: tuple[Point, ...]


def wanted() -> tuple[tuple[str, int, int, bool], ...]:
    """Form, batch, length and cache of every point that is measured: one thing is changed at a time."""
    here = [(batch, USUAL, True) for batch in BATCHES]
    here += [(1, length, cached) for length in LENGTHS for cached in (True, False) if (length, cached) != (USUAL, True)]
    return tuple((form, *point) for form in FORMS for point in here)


def speed(params: Params) -> Result:
    """The recorded points of one comparison."""
    found = recording()
    if isinstance(found, str):
        return Result(problem=found, against=params.against)
    kept = tuple(point for point in found.points if _belongs(point, params.against))
    return Result(against=params.against, points=kept, origin=measured.origin_of(found.made, SEED))


def _belongs(point: Point, against: Against) -> bool:
    if against == "forms":
        return (point.batch, point.prompt, point.cache) == (1, USUAL, True)
    if against == "batch":
        return point.prompt == USUAL and point.cache
    return point.batch == 1 and (point.cache or against == "cache")


def recording(file: Path = FILE) -> Recording | str:
    """What was measured on the model of now, or a Russian sentence why there is nothing."""
    try:
        found = kept.read(file, _parsed)
    except OSError:
        return f"Скорость пока не измерена. {AGAIN}"
    except (ValueError, TypeError, KeyError, AttributeError):
        return f"Запись о скорости не читается. {AGAIN}"
    return found if found.base == measured.base() else f"Скорость измерена на другой базовой модели. {AGAIN}"


def faults(file: Path = FILE) -> list[str]:
    """What is wrong with the recording, a Russian sentence each."""
    found = recording(file)
    if isinstance(found, str):
        return [f"content/measured/{file.name}: {found}"]
    known = {(point.form, point.batch, point.prompt, point.cache) for point in found.points}
    missing = [point for point in wanted() if point not in known]
    return [f"content/measured/{file.name}: не измерено точек: {len(missing)}. {AGAIN}"] if missing else []


def write(found: Recording, file: Path = FILE) -> None:
    """Store it, one point a line."""
    head = json.dumps({"base": found.base, **dataclasses.asdict(found.made)}, ensure_ascii=False)
    lines = ",\n".join(json.dumps(dataclasses.asdict(point)) for point in found.points)
    kept.write(file, f'{head[:-1]},\n"points":[\n{lines}\n]}}\n')


def _parsed(data: Any) -> Recording:
    return Recording(str(data["base"]), measured.made_of(data), tuple(Point(**point) for point in data["points"]))
