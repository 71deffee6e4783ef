"""What each trained parameter costs besides its activations: itself, its gradient, AdamW's two moments, a master copy.

float32: 4 + 4 + 8 = 16 bytes. Mixed precision: weight and gradient in 16 bits, master copy and moments in 32:
2 + 2 + 4 + 8 = 16. Pure bfloat16: 2 + 2 + 4 = 8, moments in the weight's own type. An 8-bit optimizer keeps one byte a
moment and a scale of 4 bytes per 256. Leaves out activations and the framework's buffers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from demos.params import Checked, parameter

Precision = Literal["float32", "mixed", "bfloat16"]
Optimizer = Literal["adamw", "adamw-8bit", "paged-adamw", "paged-adamw-8bit"]
OPTIMIZER_WORDS = {
    "adamw": "AdamW",
    "adamw-8bit": "AdamW 8 бит",
    "paged-adamw": "paged AdamW",
    "paged-adamw-8bit": "paged AdamW 8 бит",
}
"""A paged one keeps the same bytes, but may move them to the machine's own memory when the card's runs out."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """How the trained parameters are kept."""

    precision: Precision = parameter("float32", "Точность", choices=("float32", "mixed", "bfloat16"))
    optimizer: Optimizer = parameter("adamw", "Оптимизатор", words=OPTIMIZER_WORDS)


@dataclass(frozen=True, slots=True)
class Result:
    """Bytes per trained parameter."""

    weight: float
    gradient: float
    master: float
    moments: float
    total: float


def training_state(params: Params) -> Result:
    """Bytes per trained parameter."""
    wide = params.precision == "float32"
    weight = gradient = 4.0 if wide else 2.0
    master = 4.0 if params.precision == "mixed" else 0.0
    moments = 4.0 if params.precision == "bfloat16" else 8.0
    if params.optimizer.endswith("8bit"):
        moments = 2 * (1 + 4 / 256)
    return Result(weight, gradient, master, moments, weight + gradient + master + moments)
