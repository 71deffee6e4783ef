"""A tensor before and after quantization: histograms, levels over the density, one block under a magnifier, the price.

Everything is computed on all numbers of the tensor; the magnifier shows the first of its block. ``outlier`` puts one
number of that many standard deviations at the head of the magnified block: what a hand can drag. Leaves out comparing
schemes (``compare``) and block sizes (``blocks``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos.params import ParamsError, parameter
from demos.quantization import schemes
from demos.quantization.errors import Errors, measure
from demos.quantization.schemes import SCHEMES, Quantized
from demos.quantization.weights import Origin, Weights, load

if TYPE_CHECKING:
    from torch import Tensor

BINS = 101
"""Odd, so that zero has a bin of its own."""
LEAST_BLOCK = 16
SHOWN = 64
"""Numbers of a block under the magnifier."""


@dataclass(frozen=True, slots=True)
class Params(Weights):
    """What to quantize and how. ``block`` 0 means one block for the whole tensor."""

    scheme: str = parameter("nf4", "Тип", words={name: one.title for name, one in SCHEMES.items()})
    block: int = parameter(64, "Размер блока", low=0, high=4096, note="0 — один блок на весь тензор.")
    double: bool = parameter(False, "Двойное квантование")
    lens: int = parameter(1, "Блок под лупой", low=1, high=2**22)
    outlier: float = parameter(0, "Выброс в этом блоке, σ", low=0, high=200)


@dataclass(frozen=True, slots=True)
class Bins:
    """Shares of all numbers in bins of equal width between ``edges`` (one more than bins)."""

    edges: tuple[float, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Numbers on their block's own scale, and the levels there: −1 … 1 of absmax, or steps of the grid from code 0.

    ``usage`` is the share of numbers that got each level.
    """

    edges: tuple[float, ...]
    density: tuple[float, ...]
    levels: tuple[float, ...]
    usage: tuple[float, ...]
    relative: bool  # on the scale of absmax


@dataclass(frozen=True, slots=True)
class Lens:
    """One block: its first numbers, their codes and bytes, and the levels that it has."""

    block: int  # counted from 1
    blocks: int
    length: int
    values: tuple[float, ...]
    restored: tuple[float, ...]
    codes: tuple[int, ...]
    packed: tuple[int, ...]  # bytes of these codes
    levels: tuple[float, ...]  # in the units of the numbers, by code
    scale: float
    shift: float | None
    errors: Errors


@dataclass(frozen=True, slots=True)
class Result:
    """All that the page shows."""

    origin: Origin
    scheme: str
    block: int
    double: bool
    outlier: float
    bins: Bins
    grid: Grid
    lens: Lens
    errors: Errors
    size: schemes.Size
    distinct: int  # different numbers after, in the whole tensor


def histogram(params: Params) -> Result:
    """Quantize, restore, look.

    Raises:
        ParamsError: numbers or a block that cannot be quantized.
    """
    check_block(params.block)
    values, origin = load(params)
    blocks = -(-len(values) // (params.block or len(values)))
    place = (min(params.lens, blocks) - 1) * params.block
    if params.outlier:
        values = values.clone()
        values[place] = params.outlier * (origin.sigma or origin.absmax)
    made = schemes.quantize(values, params.scheme, params.block, double=params.double)
    size = schemes.size_of(len(values), params.scheme, params.block, double=params.double)
    return Result(
        origin,
        params.scheme,
        params.block,
        params.double,
        params.outlier,
        bins=_bins(values, made.restored),
        grid=_grid(values, made, params.scheme, params.block),
        lens=_lens(values, made, params, place),
        errors=measure(values, made.restored),
        size=size,
        distinct=_distinct(made.restored),
    )


def check_block(block: int) -> None:
    """Refuse a block shorter than its constants deserve.

    Raises:
        ParamsError: from 1 to 15 numbers.
    """
    if 0 < block < LEAST_BLOCK:
        raise ParamsError(f"Размер блока: от {LEAST_BLOCK} до 4096, или 0 — один блок на весь тензор.")


def counts(values: Tensor, low: float, high: float, bins: int = BINS) -> tuple[float, ...]:
    """Shares of ``values`` (n,) in equal bins between ``low`` and ``high``; what lies outside counts at the edge."""
    import torch

    places = ((values.double() - low) * (bins / (high - low))).long().clamp(0, bins - 1)
    return tuple((torch.bincount(places, minlength=bins).double() / len(values)).tolist())


def edges(low: float, high: float, bins: int = BINS) -> tuple[float, ...]:
    """The borders of ``counts``."""
    return tuple(low + (high - low) * i / bins for i in range(bins + 1))


def _distinct(values: Tensor) -> int:
    import torch

    return int(torch.unique(values).numel())


def _bins(values: Tensor, restored: Tensor) -> Bins:
    reach = 1.0001 * max(float(values.abs().max()), float(restored.abs().max()))
    return Bins(edges(-reach, reach), counts(values, -reach, reach), counts(restored, -reach, reach))


def _grid(values: Tensor, made: Quantized, scheme: str, block: int) -> Grid:
    """Numbers over their block's scale; codes counted."""
    import torch

    size = block or len(values)
    scale = made.scale.repeat_interleave(size)[: len(values)].clamp(min=schemes.TINY)  # (n,)
    most = 2 ** SCHEMES[scheme].bits - 1
    kind = SCHEMES[scheme]
    if kind.way in ("affine", "minimum"):
        shift = made.shift.repeat_interleave(size)[: len(values)] if made.shift is not None else 0.0
        own = values / scale + shift if kind.way == "affine" else (values - shift) / scale
        low, high, found = -0.5, most + 0.5, tuple(float(code) for code in range(most + 1))
        used = made.codes.long()
    else:
        own, low, high = values / scale, -1.02, 1.02
        largest = most // 2
        found = made.table or tuple(code / largest for code in range(-largest, largest + 1))
        used = made.codes.long() if made.table else made.codes.long() + largest
    usage = torch.bincount(used, minlength=len(found)).double() / len(values)
    return Grid(edges(low, high), counts(own, low, high), found, tuple(usage.tolist()), kind.way in ("table", "absmax"))


def _lens(values: Tensor, made: Quantized, params: Params, place: int) -> Lens:
    size = params.block or len(values)
    end = min(place + size, len(values))
    number = place // size
    kind = SCHEMES[params.scheme]
    scale = float(made.scale[number])
    shift = None if made.shift is None else float(made.shift[number])
    seen = slice(place, min(end, place + SHOWN))
    block = values[place:end]
    nothing = not bool(block.any())
    return Lens(
        block=number + 1,
        blocks=-(-len(values) // size),
        length=end - place,
        values=tuple(values[seen].tolist()),
        restored=tuple(made.restored[seen].tolist()),
        codes=tuple(made.codes[seen].tolist()),
        packed=tuple(schemes.pack(made.codes[seen], kind.bits).tolist()),
        levels=_levels(made, kind, scale, shift),
        scale=scale,
        shift=shift,
        errors=Errors(0.0, 0.0, 0.0, float("inf"), 1.0) if nothing else measure(block, made.restored[place:end]),
    )


def _levels(made: Quantized, kind: schemes.Scheme, scale: float, shift: float | None) -> tuple[float, ...]:
    """The numbers that this block can hold; none for 8 bits, where they would be a solid wall."""
    if kind.bits == 8:
        return ()
    if made.table:
        return tuple(level * scale for level in made.table)
    if kind.way == "absmax":
        return tuple(code / 7 * scale for code in range(-7, 8))
    codes = range(2**kind.bits)
    return tuple(
        (code - (shift or 0)) * scale if kind.way == "affine" else (shift or 0) + code * scale for code in codes
    )
