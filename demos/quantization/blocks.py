"""The error against the size of a block, and what the block costs in bits: where small blocks stop paying.

Leaves out single blocks (``histogram``) and the spread over layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos.params import ParamsError, nearest, parameter
from demos.quantization import schemes
from demos.quantization.errors import measure
from demos.quantization.schemes import SCHEMES
from demos.quantization.weights import Origin, Weights, load

if TYPE_CHECKING:
    from torch import Tensor

SIZES = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 0)
"""Blocks tried; 0 is the whole tensor."""
MOST_SCHEMES = 6


@dataclass(frozen=True, slots=True)
class Params(Weights):
    """The numbers and the schemes to draw."""

    schemes: tuple[str, ...] = parameter(("nf4", "fp4", "int4-absmax", "int4-affine"), "Типы")
    double: bool = parameter(False, "Двойное квантование")


@dataclass(frozen=True, slots=True)
class Point:
    """One block size: bits per number by the formula, relative RMSE."""

    block: int  # 0: the whole tensor
    bits: float
    relative: float


@dataclass(frozen=True, slots=True)
class Curve:
    """One scheme over all block sizes; ``double`` where its scales are quantized too."""

    scheme: str
    title: str
    double: bool
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """A curve for each scheme."""

    origin: Origin
    curves: tuple[Curve, ...]


def blocks(params: Params) -> Result:
    """Quantize by every scheme with every block. Double quantization is left to the schemes that have it.

    Raises:
        ParamsError: no scheme, an unknown one, too many, or numbers that cannot be quantized.
    """
    if not 0 < len(set(params.schemes)) <= MOST_SCHEMES:
        raise ParamsError(f"Типы: выберите от одного до {MOST_SCHEMES}.")
    for name in params.schemes:
        if name not in SCHEMES:
            raise ParamsError(f"Типы: нет типа «{name[:40]}»{nearest(name, SCHEMES)}.")
    values, origin = load(params)
    wanted = [(name, params.double and name in schemes.NESTABLE) for name in SCHEMES if name in params.schemes]
    return Result(origin, tuple(_curve(values, name, double=double) for name, double in wanted))


def _curve(values: Tensor, name: str, *, double: bool) -> Curve:
    points: list[Point] = []
    for block in SIZES:
        if block < len(values):
            made = schemes.quantize(values, name, block, double=double)
            bits = schemes.size_of(len(values), name, block, double=double).bits
            points.append(Point(block, bits, measure(values, made.restored).relative))
    return Curve(name, SCHEMES[name].title + (" + двойное" if double else ""), double, tuple(points))
