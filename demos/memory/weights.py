"""Bytes of a model's weights in each storage, by layer kind.

bitsandbytes quantizes the linear layers of the decoder and leaves embeddings, output head and normalisations in 16
bits. NF4 takes half a byte a weight and one absmax per 64 weights: 4 bytes, or with double quantization one byte and 4
bytes per 256 of those. Leaves out what a running process adds: CUDA context, buffers, activations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from demos.lora.architectures import Architecture
from demos.lora.models import ARCHITECTURES
from demos.params import Checked, parameter

Storage = Literal["float32", "float16", "int8", "nf4", "nf4-double", "nf4-footprint"]
_LINEAR: dict[str, float] = {
    "float32": 4,
    "float16": 2,
    "int8": 1,
    "nf4": 0.5 + 4 / 64,
    "nf4-double": 0.5 + (1 + 4 / 256) / 64,
    "nf4-footprint": 0.5,  # get_memory_footprint() does not see the absmax
}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """A model and how its weights lie in memory; float16 stands for bfloat16 too."""

    architecture: str = parameter("mistral-7b", "Архитектура", choices=tuple(ARCHITECTURES))
    storage: Storage = parameter("float16", "Хранение", choices=tuple(_LINEAR))


@dataclass(frozen=True, slots=True)
class Result:
    """Bytes."""

    parameters: int
    bytes: int
    linear_bytes: int
    other_bytes: int  # embeddings, output head, normalisations, biases
    bits: float  # mean bits a parameter


def weights(params: Params) -> Result:
    """How much memory the weights take."""
    architecture = ARCHITECTURES[params.architecture]
    linear, rest = split(architecture)
    linear_bytes = round(linear * _LINEAR[params.storage])
    other_bytes = rest * (4 if params.storage == "float32" else 2)
    whole = linear_bytes + other_bytes
    return Result(architecture.base, whole, linear_bytes, other_bytes, 8 * whole / architecture.base)


def split(architecture: Architecture) -> tuple[int, int]:
    """Weights of the decoder's linear layers, and everything else."""
    linear = sum(module.weights * architecture.times(module.path) for module in architecture.linear)
    return linear, architecture.base - linear
