"""Arithmetic of one training step per token, full fine-tuning against LoRA: why LoRA is not ten times faster.

A linear layer with P weights costs 2P operations forward, 2P for the gradient of its input and 2P for the gradient of
its weights. LoRA drops the last of the three for the frozen weights; the gradient still has to pass through them.
Counts matrix products of layers with weights, the output head included. Leaves out attention scores, normalisations,
the optimizer's step (cheaper with LoRA) and memory traffic: a real step differs.
"""

from __future__ import annotations

from dataclasses import dataclass

from demos.lora.matching import match
from demos.lora.models import ARCHITECTURES
from demos.params import Checked, parameter


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """A model and an adapter."""

    architecture: str = parameter("mistral-7b", "Архитектура", choices=tuple(ARCHITECTURES))
    rank: int = parameter(8, "Ранг r", low=1, high=65536)
    targets: tuple[str, ...] = parameter(("q_proj", "v_proj"), "Целевые слои")


@dataclass(frozen=True, slots=True)
class Result:
    """Floating-point operations per token of one step."""

    weights: int  # P: weights that take part in matrix products
    adapter: int  # weights of A and B
    full: int  # 6P
    lora: int  # 4P + 6 · adapter
    speedup: float  # full / lora


def flops(params: Params) -> Result:
    """Operations per token of a full step and of a LoRA step.

    Raises:
        ParamsError: no target names.
    """
    architecture = ARCHITECTURES[params.architecture]
    products = (m for m in architecture.modules if m.kind != "embedding")
    weights = sum(m.weights * architecture.times(m.path) for m in products)
    taken = match(architecture, params.targets).layers
    adapter = sum(params.rank * (m.inputs + m.outputs) * times for m, times in taken)
    full, lora = 6 * weights, 4 * weights + 6 * adapter
    return Result(weights, adapter, full, lora, full / lora)
