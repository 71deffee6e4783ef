"""Ways to write a number in 8 or 4 bits: codes, constants of a block, and the numbers restored from them.

NF4, FP4 and INT8 absmax are bitsandbytes' own functions. Where bitsandbytes has no such block (it takes 32 … 4096 in
powers of two for four bits, and never a whole tensor) its table is applied in torch: code for code what it does, as a
test proves. Affine: Jacob et al., arXiv 1712.05877, with 0 always on the grid. Double quantization: QLoRA, section 3.

Trap: from block 2048 on, and for an odd count, bitsandbytes 0.50 restores four bits on a CPU through ``torch.compile``,
six seconds the first time: there its table is applied in torch too. Leaves out where numbers come from (``weights``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from demos.params import ParamsError
from demos.quantization import tables

if TYPE_CHECKING:
    from torch import Tensor

Way = Literal["table", "absmax", "affine", "minimum"]
BNB_BLOCKS = (32, 64, 128, 256, 512, 1024, 2048, 4096)
FASTEST_RESTORED = 1024
"""The largest block that bitsandbytes restores by a kernel of its own on every CPU."""
SUPERBLOCK = 256
"""Scales that share one float32 after double quantization."""
TINY = 1e-38


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way to write numbers. ``constants`` are bytes per block without double quantization."""

    title: str
    bits: int
    way: Way
    constants: int
    library: bool = False  # bitsandbytes' own


SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        "int8-absmax": Scheme("INT8 absmax", 8, "absmax", 4, library=True),
        "int8-affine": Scheme("INT8 с нулевой точкой", 8, "affine", 4 + 1),
        "nf4": Scheme("NF4", 4, "table", 4, library=True),
        "fp4": Scheme("FP4", 4, "table", 4, library=True),
        "int4-affine": Scheme("INT4 с нулевой точкой", 4, "affine", 4 + 1),
        "int4-absmax": Scheme("INT4 absmax", 4, "absmax", 4),
        "int4-minimum": Scheme("INT4 от минимума", 4, "minimum", 4 + 4),
        "uniform": Scheme("16 равных шагов", 4, "table", 4),
        "bins": Scheme("средние 16 равных долей", 4, "table", 4),
    }
)
"""All schemes. The last three are there to be compared: a grid without a zero-point, two tables without a zero."""
NESTABLE = frozenset(name for name, scheme in SCHEMES.items() if scheme.way in ("table", "absmax"))
"""Schemes with one positive scale per block, which double quantization can write in 8 bits."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """A quantized tensor (n,) in blocks; tensors live inside the compute process only."""

    codes: Tensor  # (n,) int16
    restored: Tensor  # (n,) float32
    scale: Tensor  # (blocks,) float32: absmax of a table or of INT8, otherwise the step
    shift: Tensor | None  # (blocks,): the zero-point (affine) or the minimum
    table: tuple[float, ...]  # levels by code, when the scheme is a table


@dataclass(frozen=True, slots=True)
class Size:
    """What a tensor takes. ``bits`` is the formula per number; ``stored`` divides the bytes by the numbers."""

    codes: int  # bytes
    constants: int
    bits: float
    stored: float

    @property
    def total(self) -> int:
        """Bytes of codes and constants."""
        return self.codes + self.constants


def quantize(values: Tensor, name: str, block: int, *, double: bool = False) -> Quantized:
    """``values`` (n,) float32 by scheme ``name`` in blocks of ``block`` numbers; 0: the whole tensor is one block.

    Raises:
        ParamsError: double quantization of a scheme that has no single scale per block.
    """
    check_double(name, double=double)
    size = block or len(values)
    if name in ("nf4", "fp4") and size in BNB_BLOCKS:
        return _by_library(values, name, size, double=double)
    rows = blocks(values, size)  # (blocks, block)
    made = _WAYS[SCHEMES[name].way](rows, name, double)
    return Quantized(
        made.codes.flatten()[: len(values)],
        made.restored.flatten()[: len(values)],
        made.scale,
        made.shift,
        made.table,
    )


def check_double(name: str, *, double: bool) -> None:
    """Refuse double quantization where there is nothing to nest.

    Raises:
        ParamsError: see ``quantize``.
    """
    if double and name not in NESTABLE:
        raise ParamsError(
            f"Двойное квантование сжимает absmax блоков, а у схемы «{SCHEMES[name].title}» на блок две константы: "
            "выберите NF4, FP4 или absmax."
        )


def size_of(count: int, name: str, block: int, *, double: bool = False) -> Size:
    """Bytes and bits of ``count`` numbers.

    Bits are the scheme's own and the share of the constants: 4 + 32/64 = 4.5, doubly 4 + 8/64 + 32/(64·256) ≈ 4.127.
    """
    scheme, length = SCHEMES[name], block or count
    rows = -(-count // length)
    codes = -(-count * scheme.bits // 8)
    if double:
        constants = rows + 4 * -(-rows // SUPERBLOCK) + 4  # codes of absmax, their own absmax, one mean
        bits = scheme.bits + 8 / length + 32 / (length * SUPERBLOCK)
    else:
        constants = rows * scheme.constants
        bits = scheme.bits + 8 * scheme.constants / length
    return Size(codes, constants, bits, 8 * (codes + constants) / count)


def levels(name: str) -> tuple[float, ...]:
    """The levels of a scheme with a table, by code, as floats of 32 bits; NF4 and FP4 from bitsandbytes."""
    import torch

    own = {"uniform": tables.uniform, "bins": tables.bin_means}
    found = torch.tensor(own[name]()) if name in own else _library_levels(name)
    return tuple(found.tolist())


@cache
def _library_levels(name: str) -> Tensor:
    from bitsandbytes.functional import get_4bit_type

    found: Tensor = get_4bit_type(name, device="cpu")
    return found


def pack(codes: Tensor, bits: int) -> Tensor:
    """Codes (n,) as bytes: one each, or two in a byte, the first in the high half, as bitsandbytes lays them."""
    import torch

    plain: Tensor = codes.to(torch.int16) & (2**bits - 1)  # negative codes as two's complement
    if bits == 8:
        return plain.to(torch.uint8)
    if len(plain) % 2:
        plain = torch.cat([plain, plain.new_zeros(1)])
    both: Tensor = plain[::2] << 4 | plain[1::2]
    return both.to(torch.uint8)


def unpack(packed: Tensor) -> Tensor:
    """Codes (2n,) of bytes (n,) that hold two each."""
    import torch

    halves = packed.flatten().to(torch.int16)
    return torch.stack([halves >> 4, halves & 15], dim=1).flatten()


def nested(absmax: Tensor) -> Tensor:
    """Scales (blocks,) after double quantization: their mean taken off, the rest in bitsandbytes' 8 bits."""
    from bitsandbytes.functional import dequantize_blockwise, quantize_blockwise

    mean = absmax.mean()
    codes, state = quantize_blockwise(absmax - mean, blocksize=SUPERBLOCK)
    found: Tensor = dequantize_blockwise(codes, state) + mean
    return found


def _by_library(values: Tensor, name: str, block: int, *, double: bool) -> Quantized:
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    packed, state = quantize_4bit(values, blocksize=block, quant_type=name, compress_statistics=False)
    codes = unpack(packed)[: len(values)]
    scale = nested(state.absmax) if double else state.absmax  # (blocks,)
    table = levels(name)
    if block > FASTEST_RESTORED or len(values) % 2:
        return Quantized(codes, _restored(codes, scale, name, block), scale, None, table)
    if double:
        packed, state = quantize_4bit(values, blocksize=block, quant_type=name, compress_statistics=True)
    return Quantized(codes, dequantize_4bit(packed, state).flatten(), scale, None, table)


def _restored(codes: Tensor, scale: Tensor, name: str, block: int) -> Tensor:
    """What ``dequantize_4bit`` gives: the level of each code times its block's scale, (n,)."""
    return _library_levels(name)[codes.long()] * scale.repeat_interleave(block)[: len(codes)]


def blocks(values: Tensor, size: int) -> Tensor:
    """Rows of ``size`` numbers; the last one is filled up with its last number, which changes no extreme."""
    import torch

    missing = -len(values) % size
    filled = torch.cat([values, values[-1:].expand(missing)]) if missing else values
    return filled.view(-1, size)


def by_table(rows: Tensor, table: Tensor, *, double: bool = False) -> Quantized:
    """Blocks (blocks, block) by a table of levels (levels,) in any order: the nearest level of x / absmax."""
    import torch

    ascending, order = table.sort()
    absmax = rows.abs().amax(1, keepdim=True)  # (blocks, 1)
    places = torch.bucketize(rows * (1 / absmax.clamp(min=TINY)), (ascending[1:] + ascending[:-1]) / 2)
    codes = order[places]  # (blocks, block)
    scale = nested(absmax[:, 0]) if double else absmax[:, 0]
    return Quantized(codes.to(torch.int16), table[codes] * scale[:, None], scale, None, tuple(table.tolist()))


def _by_table(rows: Tensor, name: str, double: bool) -> Quantized:
    import torch

    return by_table(rows, torch.tensor(levels(name)), double=double)


def _by_absmax(rows: Tensor, name: str, double: bool) -> Quantized:
    import torch

    if SCHEMES[name].library:
        from bitsandbytes.functional import int8_vectorwise_dequant, int8_vectorwise_quant

        codes, absmax, _ = int8_vectorwise_quant(rows)  # int8 (blocks, block), (blocks,)
        codes = codes.masked_fill(absmax[:, None] == 0, 0)  # it divides by zero there
        scale = nested(absmax) if double else absmax
        return Quantized(codes.to(torch.int16), int8_vectorwise_dequant(codes, scale), scale, None, ())
    absmax = rows.abs().amax(1)
    codes = (rows / (absmax / 7).clamp(min=TINY)[:, None]).round()
    scale = nested(absmax) if double else absmax
    return Quantized(codes.to(torch.int16), codes * (scale / 7)[:, None], scale, None, ())


def _by_affine(rows: Tensor, name: str, double: bool) -> Quantized:  # noqa: ARG001 - one signature for all ways
    import torch

    most = 2 ** SCHEMES[name].bits - 1
    low, high = rows.amin(1).clamp(max=0), rows.amax(1).clamp(min=0)  # 0 must lie on the grid
    step = ((high - low) / most).clamp(min=TINY)  # (blocks,)
    zero = (-low / step).round().clamp(0, most)
    codes = ((rows / step[:, None]).round() + zero[:, None]).clamp(0, most)
    return Quantized(codes.to(torch.int16), (codes - zero[:, None]) * step[:, None], step, zero, ())


def _by_minimum(rows: Tensor, name: str, double: bool) -> Quantized:  # noqa: ARG001 - one signature for all ways
    import torch

    low, high = rows.amin(1, keepdim=True), rows.amax(1, keepdim=True)
    step = ((high - low) / (2 ** SCHEMES[name].bits - 1)).clamp(min=TINY)
    codes = ((rows - low) / step).round()
    return Quantized(codes.to(torch.int16), low + codes * step, step[:, 0], low[:, 0], ())


_WAYS: Mapping[Way, Callable[[Tensor, str, bool], Quantized]] = {
    "table": _by_table,
    "absmax": _by_absmax,
    "affine": _by_affine,
    "minimum": _by_minimum,
}
