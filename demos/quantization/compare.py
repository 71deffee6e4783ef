"""All schemes side by side on the same numbers: in blocks, and with one block for the whole tensor.

Leaves out how the error changes with the block (``blocks``) and what one scheme does to one block (``histogram``).
"""

from __future__ import annotations

from dataclasses import dataclass

from demos.params import parameter
from demos.quantization import schemes
from demos.quantization.errors import Errors, measure
from demos.quantization.histogram import check_block
from demos.quantization.schemes import SCHEMES
from demos.quantization.weights import SOURCES, Origin, Source, Weights, load

NESTED = "nf4-double"
"""NF4 with double quantization: a row of its own."""


@dataclass(frozen=True, slots=True)
class Params(Weights):
    """The numbers and the block of the first column; ``block`` 0 makes both columns the same."""

    source: Source = parameter("normal", "Откуда числа", words=SOURCES)
    count: int = parameter(262_144, "Сколько чисел", low=64, high=2**22)
    block: int = parameter(64, "Размер блока", low=0, high=4096, note="0 — один блок на весь тензор.")


@dataclass(frozen=True, slots=True)
class Row:
    """One scheme; ``bits`` and ``bytes`` are those in blocks."""

    scheme: str
    title: str
    bits: float
    bytes: int
    errors: Errors
    whole: Errors  # one block for the whole tensor


@dataclass(frozen=True, slots=True)
class Result:
    """Schemes in the order of ``SCHEMES``, doubly quantized NF4 after the plain one."""

    origin: Origin
    block: int
    rows: tuple[Row, ...]

    def row(self, scheme: str) -> Row:
        """The row of a scheme."""
        return next(row for row in self.rows if row.scheme == scheme)


def compare(params: Params) -> Result:
    """Quantize by every scheme.

    Raises:
        ParamsError: numbers or a block that cannot be quantized.
    """
    check_block(params.block)
    values, origin = load(params)
    rows: list[Row] = []
    for name, scheme in SCHEMES.items():
        for double in (False, True) if name == "nf4" else (False,):
            near, whole = (
                measure(values, schemes.quantize(values, name, block, double=double).restored)
                for block in (params.block, 0)
            )
            size = schemes.size_of(len(values), name, params.block, double=double)
            title = f"{scheme.title} + двойное" if double else scheme.title
            rows.append(Row(NESTED if double else name, title, size.bits, size.total, near, whole))
    return Result(origin, params.block, tuple(rows))
