"""How a weight matrix is rounded here: blocks of consecutive numbers, one scale (absmax) for each, few levels.

NF4 and FP4 are bitsandbytes' own; INTb is symmetric: codes from −(2ᵇ⁻¹−1) to 2ᵇ⁻¹−1, so INT2 keeps −1, 0 and 1. The
scales stay in float32, without double quantization. Leaves out what the rounding does to a model (``expansion``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["int8", "nf4", "fp4", "int4", "int3", "int2"]
KINDS: tuple[Kind, ...] = ("int8", "nf4", "fp4", "int4", "int3", "int2")
"""From the mildest to the roughest on average."""
BITS: Mapping[str, int] = MappingProxyType({"int8": 8, "nf4": 4, "fp4": 4, "int4": 4, "int3": 3, "int2": 2})
BLOCKS = (32, 64, 128, 256, 512, 1024)
"""What bitsandbytes takes on a CPU; from 2048 on it would compile for seconds first."""
SCALE_BITS = 32


def bits_per_weight(kind: str, block: int) -> float:
    """Bits that one weight takes, its share of the block's scale included."""
    return BITS[kind] + SCALE_BITS / block


def rounded(weight: Tensor, kind: str, block: int) -> Tensor:
    """The weights after a way there and back, in their own type; weight: (out, in), a multiple of ``block`` numbers."""
    if kind in ("nf4", "fp4"):
        return _four_bits(weight, kind, block)
    top = 2 ** (BITS[kind] - 1) - 1
    rows = weight.reshape(-1, block)  # (blocks, block)
    scales = (rows.abs().amax(1, keepdim=True) / top).float().to(weight.dtype)  # (blocks, 1)
    codes = (rows / scales.where(scales > 0, 1)).round().clamp(-top, top)  # (blocks, block)
    back: Tensor = (codes * scales).reshape(weight.shape)  # (out, in)
    return back


def _four_bits(weight: Tensor, kind: str, block: int) -> Tensor:
    from bitsandbytes import functional

    codes, state = functional.quantize_4bit(weight.float().contiguous(), blocksize=block, quant_type=kind)
    back: Tensor = functional.dequantize_4bit(codes, state)
    return back.to(weight.dtype)  # (out, in)
