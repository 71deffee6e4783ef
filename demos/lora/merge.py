"""What merging costs in precision: W + (α/r) B A as one matrix against the two branches, measured on a random layer.

Leaves out merging into quantized weights, where the loss is of another order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from demos.params import Checked, parameter

if TYPE_CHECKING:
    from torch import Tensor

BATCH = 32


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """A layer of d outputs and k inputs and the type its numbers have."""

    d: int = parameter(64, "Выходов d", low=1, high=4096)
    k: int = parameter(64, "Входов k", low=1, high=4096)
    rank: int = parameter(8, "Ранг r", low=1, high=4096)
    alpha: float = parameter(16, "Альфа (lora_alpha)", low=0, high=10**6)
    dtype: Literal["float32", "bfloat16"] = parameter("float32", "Тип чисел", choices=("float32", "bfloat16"))
    seed: int = parameter(0, "Зерно", low=0, high=2**31)


@dataclass(frozen=True, slots=True)
class Result:
    """Errors relative to the size of what they spoil."""

    forward_error: float  # largest |y merged − y of two branches| over the largest |y|
    restore_error: float  # largest |W − W after merge and unmerge| over the standard deviation of W
    without_scale_error: float  # ‖(W + B A) x − y‖ / ‖y‖: what forgetting α/r costs


def merge(params: Params) -> Result:
    """Merge, compare, unmerge, compare again."""
    import torch

    from demos.lora.layer import LoRALinear

    generator = torch.Generator().manual_seed(params.seed)
    dtype = torch.float32 if params.dtype == "float32" else torch.bfloat16
    layer = LoRALinear(torch.nn.Linear(params.k, params.d, bias=False), params.rank, params.alpha)
    with torch.no_grad():
        for matrix in (layer.base.weight, layer.A, layer.B):
            matrix.copy_(torch.randn(matrix.shape, generator=generator) / matrix.shape[1] ** 0.5)
        layer = layer.to(dtype)
        x = torch.randn(BATCH, params.k, generator=generator).to(dtype)
        apart, weight = layer(x), layer.base.weight.clone()
        careless = x @ (weight + layer.B @ layer.A).T
        layer.merge()
        together = layer(x)
        layer.unmerge()
    restored = _largest(layer.base.weight - weight) / weight.float().std(correction=0).item()
    without_scale = (careless - apart).float().norm().item() / apart.float().norm().item()
    return Result(_largest(together - apart) / _largest(apart), restored, without_scale)


def _largest(tensor: Tensor) -> float:
    return float(tensor.float().abs().max())
