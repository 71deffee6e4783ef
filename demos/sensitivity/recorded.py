"""The whole map, layer × type × block, measured beforehand: content/measured/sensitivity.json, read without torch.

``scripts/sensitivity.py`` makes the file with the functions that repeat one point live (``layer``); a map of another
base model or of other examples is a fault. Leaves out drawing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

from common import numbers
from demos import kept
from demos.finetuning import measured
from demos.finetuning.measured import Made
from demos.params import Checked, ParamsError, parameter
from demos.sensitivity.expansion import EACH, NAMES, SEED
from demos.sensitivity.kinds import BLOCKS, KINDS, Kind, bits_per_weight
from demos.sensitivity.layer import ALL
from settings import ROOT

FILE = ROOT / "content" / "measured" / "sensitivity.json"
VERSION = 1
DIGITS = 12
"""Significant digits kept: what float64 repeats on another machine."""
MAPPED = (64, 1024)
"""Block sizes of the map."""
ABSENT = "Карта чувствительности не записана на этой базовой модели: запустите scripts/sensitivity.py."


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which part of the map."""

    kind: Kind = parameter("nf4", "Тип", choices=KINDS)
    block: int = parameter(64, "Размер блока", low=BLOCKS[0], high=BLOCKS[-1], note="весов на один масштаб absmax")

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        if self.block not in MAPPED:
            raise ParamsError(f"Размер блока: карта записана для {MAPPED[0]} и {MAPPED[1]}, а не для «{self.block}».")


@dataclass(frozen=True, slots=True)
class Point:
    """One recorded point; nats per answer token. See ``layer.Result``."""

    layer: str
    kind: str
    block: int
    relative_error: float
    change: float
    first: float
    second: float
    curvature: float
    exact: int

    @property
    def estimate(self) -> float:
        """Both terms together."""
        return self.first + self.second


@dataclass(frozen=True, slots=True)
class Map:
    """The file's content."""

    base: str  # base_model.fingerprint() of then
    made: Made
    seed: str
    each: int
    examples: int
    tokens: int
    loss: float  # before, nats per answer token
    exact: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Miss:
    """How far estimates are from what was measured: medians over single layers of |estimate − change| / |change|."""

    kind: str
    first: float  # ⟨∇L, ε⟩ alone
    both: float  # with ½ εᵀHε
    change: float  # median change itself, nats per answer token


@dataclass(frozen=True, slots=True)
class Result:
    """The map and the part of it that was asked for."""

    kind: str
    block: int
    bits: float
    loss: float
    exact: int
    examples: int
    tokens: int
    date: str
    script: str
    layers: tuple[Point, ...]  # of this type and block, in the model's order
    whole: Point  # all layers at once
    every: tuple[Point, ...]  # of this block, every type
    misses: tuple[Miss, ...]  # of every type


def sensitivity_map(params: Params) -> Result:
    """The recorded points of one type and block, and those of every type beside them.

    Raises:
        ParamsError: nothing is recorded on the base model of now.
    """
    found = read()
    if found is None or found.base != measured.base():
        raise ParamsError(ABSENT)
    every = tuple(point for point in found.points if point.block == params.block)
    own = {point.layer: point for point in every if point.kind == params.kind}
    return Result(
        kind=params.kind,
        block=params.block,
        bits=bits_per_weight(params.kind, params.block),
        loss=found.loss,
        exact=found.exact,
        examples=found.examples,
        tokens=found.tokens,
        date=found.made.date,
        script=found.made.script,
        layers=tuple(own[name] for name in NAMES),
        whole=own[ALL],
        every=every,
        misses=tuple(_miss(kind, every) for kind in KINDS),
    )


def _miss(kind: str, every: Sequence[Point]) -> Miss:
    single = [point for point in every if point.kind == kind and point.layer != ALL and point.change]
    return Miss(
        kind,
        first=median(abs(point.first - point.change) / abs(point.change) for point in single),
        both=median(abs(point.estimate - point.change) / abs(point.change) for point in single),
        change=median(point.change for point in single),
    )


def read(file: Path = FILE) -> Map | None:
    """The map of a file; None when it cannot be read."""
    try:
        return kept.read(file, _parsed)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write(found: Map, file: Path = FILE) -> None:
    """Store a map, a point a line."""
    head = {"version": VERSION, **asdict(found), **asdict(found.made)}
    points = head.pop("points")
    del head["made"]
    columns = json.dumps([item.name for item in fields(Point)])
    lines = ",\n".join(json.dumps(kept.rounded(list(point.values()), DIGITS)) for point in points)
    text = json.dumps(head, ensure_ascii=False)[:-1]
    kept.write(file, f'{text},\n"columns": {columns},\n"points": [\n{lines}\n]}}\n')


def faults(file: Path = FILE) -> list[str]:
    """What is wrong with the recorded map, a Russian sentence each."""
    name, again = file.name, "Запустите scripts/sensitivity.py."
    found = read(file)
    if found is None:
        return [f"{name}: карты чувствительности нет или она не читается. {again}"]
    said = []
    if found.base != measured.base():
        said.append(f"{name}: карта измерена на другой базовой модели. {again}")
    if (found.seed, found.each) != (SEED, EACH):
        said.append(f"{name}: карта измерена на других примерах. {again}")
    wanted = {(layer, kind, block) for layer in (ALL, *NAMES) for kind in KINDS for block in MAPPED}
    missing = wanted - {(point.layer, point.kind, point.block) for point in found.points}
    if missing:
        said.append(f"{name}: не хватает {numbers.plural(len(missing), 'точки', 'точек', 'точек')}. {again}")
    return said


def _parsed(data: Any) -> Map:
    """A file's content.

    Raises:
        ValueError, TypeError, KeyError: it is no map of this version.
    """
    if data["version"] != VERSION or data["columns"] != [item.name for item in fields(Point)]:
        raise ValueError("another version")
    plain = {item.name: data[item.name] for item in fields(Map) if item.name not in ("made", "points")}
    return Map(**plain, made=measured.made_of(data), points=tuple(Point(*row) for row in data["points"]))
