"""Trained tensors one by one: an optimizer treats the small ones, embeddings and DoRA's magnitudes in another way.

bitsandbytes keeps 8-bit moments of tensors of at least 4096 numbers, two bytes and two scales of float32 per 256; the
Trainer of ``transformers`` excepts embeddings. Others get two moments in float32, and bitsandbytes does so whatever
their own dtype. Leaves out step numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from demos.lora.architectures import Architecture, Module
from demos.memory.training_state import Optimizer, Precision

SMALLEST, BLOCK, TABLES = 4096, 256, 2 * 4 * 256
"""Numbers of a tensor that is quantized, numbers that share a scale, and bytes of the two tables of all tensors."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """``times`` tensors of ``size`` numbers."""

    size: int
    times: int = 1
    wide: bool = False  # float32 whatever the others are
    embedding: bool = False


def whole(architecture: Architecture) -> tuple[Tensor, ...]:
    """All tensors of a model; a tied head is the embedding's own."""
    owned = [module for module in architecture.modules if not (module.kind == "head" and architecture.sizes.tied)]
    found = [Tensor(m.weights, architecture.times(m.path), embedding=m.kind == "embedding") for m in owned]
    found += [Tensor(m.biases, architecture.times(m.path)) for m in owned if m.biases]
    for norm in architecture.norms:
        found.append(Tensor(norm.size, architecture.times(norm.path) * (2 if norm.bias else 1)))
    return tuple(found)


def adapter(layers: tuple[tuple[Module, int], ...], rank: int, *, magnitude: bool = False) -> tuple[Tensor, ...]:
    """A and B of each layer, and its magnitudes with DoRA."""
    pairs = tuple(Tensor(rank * size, times) for layer, times in layers for size in (layer.inputs, layer.outputs))
    return pairs + tuple(Tensor(layer.outputs, times, wide=True) for layer, times in layers if magnitude)


def states(tensors: tuple[Tensor, ...], precision: Precision, optimizer: Optimizer) -> int:
    """Bytes of the optimizer: moments and the master copy of mixed precision."""
    if not tensors:
        return 0
    master = 4 if precision == "mixed" else 0
    moments = sum(tensor.times * _moments(tensor, precision, optimizer) for tensor in tensors)
    tables = optimizer.endswith("8bit") and any(quantized(tensor) for tensor in tensors)
    return moments + master * sum(t.size * t.times for t in tensors if not t.wide) + (TABLES if tables else 0)


def quantized(tensor: Tensor) -> bool:
    """Whether an 8-bit optimizer keeps this tensor's moments in 8 bits."""
    return tensor.size >= SMALLEST and not tensor.embedding


def _moments(tensor: Tensor, precision: Precision, optimizer: Optimizer) -> int:
    if optimizer.endswith("8bit"):
        return 2 * tensor.size + 8 * ceil(tensor.size / BLOCK) if quantized(tensor) else 8 * tensor.size
    paged = optimizer.startswith("paged")  # bitsandbytes: float32 whatever the weight is
    narrow = precision == "bfloat16" and not tensor.wide and not paged
    return tensor.size * (4 if narrow else 8)
