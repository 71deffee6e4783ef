"""Where the sixteen levels of a table come from: built here, compared with bitsandbytes' own, tried on N(0, 1).

NF4: quantiles at probabilities that an offset spaces out (``tables``). The offset may be moved to see why it is what it
is. Leaves out real weights (``histogram``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

from demos.params import Checked, parameter
from demos.quantization import schemes, tables
from demos.quantization.errors import measure
from demos.quantization.histogram import check_block, counts, edges

if TYPE_CHECKING:
    from torch import Tensor

Table = Literal["nf4", "fp4", "int4-absmax", "uniform", "bins"]
TABLES = {
    "nf4": "NF4",
    "fp4": "FP4",
    "int4-absmax": "INT4 absmax",
    "uniform": "16 равных шагов",
    "bins": "Средние 16 равных долей",
}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """The table, NF4's offset, and the numbers to try it on."""

    table: Table = parameter("nf4", "Таблица", words=TABLES)
    offset: float = parameter(
        tables.OFFSET, "Сдвиг квантилей", low=0.8, high=0.9999, note="Наибольшая вероятность, от которой берут уровень."
    )
    block: int = parameter(64, "Размер блока", low=0, high=4096, note="0 — один блок на все числа.")
    count: int = parameter(262_144, "Сколько чисел", low=64, high=2**22)
    seed: int = parameter(0, "Зерно", low=0, high=2**31)


@dataclass(frozen=True, slots=True)
class Level:
    """One level, −1 … 1. ``probability`` and ``quantile`` where the table is made of quantiles."""

    value: float
    probability: float | None
    quantile: float | None
    library: float | None  # bitsandbytes' own
    usage: float  # share of N(0, 1) in blocks


@dataclass(frozen=True, slots=True)
class Result:
    """Levels ascending; FP4 has two zeros, both listed."""

    table: Table
    offset: float
    block: int
    levels: tuple[Level, ...]
    difference: float | None  # the largest, from bitsandbytes' table
    has_zero: bool
    relative: float  # relative RMSE on N(0, 1) in blocks
    nf4_relative: float  # the same numbers by bitsandbytes' NF4
    edges: tuple[float, ...]
    density: tuple[float, ...]  # shares of x / absmax of its block
    others: tuple[tuple[str, tuple[float, ...]], ...]  # titles and levels of all tables, ascending


def levels(params: Params) -> Result:
    """Build the table, compare, try.

    Raises:
        ParamsError: a block from 1 to 15 numbers.
    """
    check_block(params.block)
    import torch

    values = torch.randn(params.count, generator=torch.Generator().manual_seed(params.seed))
    rows = schemes.blocks(values, params.block or params.count)  # (blocks, block)
    built = sorted(_build(params.table, params.offset))
    made = schemes.by_table(rows, torch.tensor(built))
    restored = made.restored.flatten()[: params.count]
    library = _library(params.table)
    usage = torch.bincount(made.codes.flatten().long(), minlength=len(built)).double() / made.codes.numel()
    own = rows / rows.abs().amax(1, keepdim=True)
    return Result(
        params.table,
        params.offset,
        params.block,
        _rows(built, params, library, usage.tolist()),
        None if library is None else max(abs(a - b) for a, b in zip(built, library, strict=True)),
        any(abs(value) < 1e-9 for value in built),
        measure(values, restored).relative,
        _nf4_error(values, params.block),
        edges(-1.02, 1.02),
        counts(own.flatten(), -1.02, 1.02),
        tuple((title, tuple(sorted(set(_build(name, tables.OFFSET))))) for name, title in TABLES.items()),
    )


def _build(table: str, offset: float) -> tuple[float, ...]:
    builders = {"fp4": tables.fp4, "int4-absmax": tables.symmetric, "uniform": tables.uniform, "bins": tables.bin_means}
    return tables.nf4(offset) if table == "nf4" else builders[table]()


def _library(table: str) -> list[float] | None:
    return sorted(schemes.levels(table)) if table in ("nf4", "fp4") else None


def _rows(
    built: Sequence[float], params: Params, library: Sequence[float] | None, usage: Sequence[float]
) -> tuple[Level, ...]:
    shares = tables.probabilities(params.offset) if params.table == "nf4" else ()
    normal = NormalDist()
    return tuple(
        Level(
            value,
            shares[i] if shares else None,
            normal.inv_cdf(shares[i]) if shares else None,
            None if library is None else library[i],
            usage[i],
        )
        for i, value in enumerate(built)
    )


def _nf4_error(values: Tensor, block: int) -> float:
    return measure(values, schemes.quantize(values, "nf4", block).restored).relative
