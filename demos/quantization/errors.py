"""How far numbers moved: absolute and relative error, signal to noise, angle; counted in float64.

Leaves out what a moved weight does to a model's loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of restored numbers against the original ones, in the units of the numbers where not said otherwise."""

    rmse: float
    relative: float  # RMSE / root mean square of the original
    largest: float
    snr: float  # dB: 10 lg (Σ w² / Σ error²); infinite when nothing moved
    cosine: float


def measure(original: Tensor, restored: Tensor) -> Errors:
    """Errors of ``restored`` (n,) against ``original`` (n,), which must not be all zeros."""
    before, after = original.double(), restored.double()
    moved = after - before  # (n,)
    energy, noise = float(before.square().sum()), float(moved.square().sum())
    length = math.sqrt(float(after.square().sum()))
    return Errors(
        rmse=math.sqrt(noise / len(before)),
        relative=math.sqrt(noise / energy),
        largest=float(moved.abs().max()),
        snr=10 * math.log10(energy / noise) if noise else math.inf,
        cosine=float(before @ after) / (math.sqrt(energy) * length) if length else 0.0,
    )
