"""The factor before B A: α/r, or α/√r with rank-stabilised LoRA (Kalajdzievski, 2023, arXiv:2312.03732)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from demos.params import Checked, parameter


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Alpha and rank, as ``LoraConfig`` takes them."""

    alpha: float = parameter(16, "Альфа (lora_alpha)", low=0, high=10**6)
    rank: int = parameter(8, "Ранг r", low=1, high=65536)
    rslora: bool = parameter(False, "rsLoRA (масштаб α/√r)")


@dataclass(frozen=True, slots=True)
class Result:
    """The factor."""

    scale: float


def scale(params: Params) -> Result:
    """The factor by which PEFT multiplies B A x."""
    return Result(params.alpha / (math.sqrt(params.rank) if params.rslora else params.rank))
