"""Merging as arithmetic on weights: W + (α/r)·B A in every type that a base may have, layer by layer.

The same as PEFT's ``merge`` does to a model, without a model: tests hold the two together bit for bit. bitsandbytes
quantizes. Leaves out what the merged model answers (``answers``) and what the loss means (``precision``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from demos.finetuning import base_model
from demos.finetuning.adapters import expected, library
from demos.finetuning.adapters.files import Adapter

if TYPE_CHECKING:
    from torch import Tensor

Way = Literal["float32", "float16", "bfloat16", "dequantized", "after", "nf4"]
WAYS: Mapping[Way, str] = MappingProxyType(
    {
        "float32": "в исходную базу, float32",
        "float16": "в базу float16",
        "bfloat16": "в базу bfloat16",
        "dequantized": "в деквантованную базу, float32",
        "after": "в float32, потом квантовать в NF4",
        "nf4": "прямо в веса NF4",
    }
)
"""Where an adapter is merged into, from the finest to the coarsest."""
HALVES = ("float16", "bfloat16")
FOUR_BITS = ("after", "nf4")
"""Ways that end in 4 bits."""
Weights = Mapping[str, "Tensor"]
"""Layer → its matrix (outputs, inputs), float32."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """One matrix in NF4: two codes a byte, and bitsandbytes' state that says what they mean."""

    packed: Tensor  # (outputs · inputs / 2, 1), uint8
    state: Any

    @property
    def value(self) -> Tensor:
        """What the codes mean, (outputs, inputs), float32."""
        import bitsandbytes

        found: Tensor = bitsandbytes.functional.dequantize_4bit(self.packed, self.state)
        return found


@dataclass(frozen=True, slots=True)
class Merged:
    """A layer before and after merging in one way, both as float32 values of what is stored."""

    before: Tensor  # (outputs, inputs)
    after: Tensor  # (outputs, inputs)
    changed: float  # share of stored numbers (codes in NF4) that merging changed


def base() -> dict[str, Tensor]:
    """The matrices of the bundled model that an adapter may change."""
    from safetensors.torch import load_file

    stored = load_file(base_model.FOLDER / "model.safetensors")
    return {
        name.removesuffix(".weight"): tensor.float()  # (outputs, inputs)
        for name, tensor in stored.items()
        if tensor.ndim == 2 and "embed" not in name
    }


def deltas(adapter: Adapter, strength: float = 1.0) -> dict[str, Tensor]:
    """Layer → (α/r)·B A, (outputs, inputs), times ``strength``. A plain LoRA only."""
    tensors = library.tensors(adapter)
    ends = (".lora_A.weight", ".lora_B.weight")
    layers = dict.fromkeys(name.removesuffix(end) for name in tensors for end in ends if name.endswith(end))
    return {
        layer.removeprefix(expected.PREFIX): (tensors[layer + ends[1]] @ tensors[layer + ends[0]])
        * (strength * expected.scale(adapter.config, layer.removeprefix(expected.PREFIX)))
        for layer in layers
    }


def quantize(weight: Tensor) -> Quantized:
    """NF4 in blocks of 64 with double quantization, as the course quantizes its base."""
    import bitsandbytes

    packed, state = bitsandbytes.functional.quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
    return Quantized(packed, state)


def codes(quantized: Quantized) -> Tensor:
    """One code a number, 0 to 15, (outputs · inputs,)."""
    import torch

    flat = quantized.packed.flatten()
    return torch.stack([flat >> 4, flat & 15], 1).flatten()


def merge(way: Way, weight: Tensor, delta: Tensor, four_bits: Quantized) -> Merged:
    """One layer merged. ``weight`` is the original, ``four_bits`` the same quantized."""
    if way in HALVES:
        return _half(way, weight, delta)
    if way == "float32":
        return Merged(weight, weight + delta, _changed(weight, weight + delta))
    before = four_bits.value
    if way == "dequantized":
        return Merged(before, before + delta, _changed(before, before + delta))
    fresh = quantize((weight if way == "after" else before) + delta)
    return Merged(before, fresh.value, _changed(codes(four_bits), codes(fresh)))


def _half(way: Way, weight: Tensor, delta: Tensor) -> Merged:
    """As PEFT does it on a base of 16 bits: W is rounded, the update is added in float32, the sum rounded again.

    With ``safe_merge=True`` PEFT rounds the update too before it adds it.
    """
    import torch

    dtype = torch.float16 if way == "float16" else torch.bfloat16
    before = weight.to(dtype)
    after = (before.float() + delta).to(dtype)
    return Merged(before.float(), after.float(), _changed(before, after))


def _changed(before: Tensor, after: Tensor) -> float:
    return float((before != after).float().mean())
