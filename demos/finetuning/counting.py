"""How many parameters each method trains in any model that the calculator knows, in closed form.

The configs are those of ``methods``; a test builds them with PEFT on the meta device and finds the same numbers. LoRA's
own arithmetic stands in ``demos.lora``. Leaves out bytes (``demos.memory``) and what is learned with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from demos.finetuning.spec import WITH_TARGETS, Method, RunSpec
from demos.lora.architectures import Architecture, Module
from demos.lora.matching import match
from demos.lora.models import ALL_LINEAR
from demos.memory.training import low_rank

Layers = tuple[tuple[Module, int], ...]
ADALORA_START = 1.5
"""As ``methods``: AdaLoRA begins with a rank so many times the one it is asked for."""
IA3_INPUTS = ("down_proj", "c_proj")
"""Layers whose inputs IA³ scales; of the others it scales the outputs (peft calls these feed-forward)."""
IA3_PLACES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "llama": ("k_proj", "v_proj", "down_proj"),
        "qwen2": ("q_proj", "v_proj", "down_proj"),
        "gemma2": ("q_proj", "v_proj", "down_proj"),
        "gpt2": ("c_attn", "mlp.c_proj"),
    }
)
"""The paper's places by family, as PEFT keeps them for «all-linear»; elsewhere every linear layer is taken."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a method adds to a model."""

    trainable: int
    added: int  # parameters that the base does not have; frozen projections of VeRA are none
    saved: int  # numbers in the adapter's file; 0 where the model itself is trained
    layers: Layers  # which are adapted, and how many of each
    fallback: bool = False  # the names mean nothing here, so every linear layer was taken


def count(architecture: Architecture, spec: RunSpec) -> Counted:
    """Trainable parameters of ``spec`` on this model.

    Raises:
        ParamsError: target names that are no names.
    """
    if spec.method in ("full", "none"):
        return Counted(architecture.base if spec.method == "full" else 0, 0, 0, ())
    layers, fallback = _layers(architecture, spec)
    trained, saved = _FORMULAS[spec.method](architecture, spec, layers)
    return Counted(trained, trained, saved, layers, fallback)


def adalora_start(rank: int) -> int:
    """The rank that AdaLoRA begins with."""
    return max(rank + 1, round(ADALORA_START * rank))


def _layers(architecture: Architecture, spec: RunSpec) -> tuple[Layers, bool]:
    """The layers that the method changes, and whether their names had to be replaced."""
    if spec.method not in WITH_TARGETS:
        return (), False
    names = spec.targets
    if spec.method == "ia3" and names == (ALL_LINEAR,):
        names = IA3_PLACES.get(architecture.family, names)
    taken = match(architecture, names)
    if taken.accepted:
        return taken.layers, False
    return match(architecture, (ALL_LINEAR,)).layers, True


def _lora(_: Architecture, spec: RunSpec, layers: Layers) -> tuple[int, int]:
    both = low_rank(layers, spec.rank)
    return both, both


def _dora(_: Architecture, spec: RunSpec, layers: Layers) -> tuple[int, int]:
    """A, B and a magnitude for every output."""
    whole = low_rank(layers, spec.rank) + sum(layer.outputs * times for layer, times in layers)
    return whole, whole


def _vera(_: Architecture, spec: RunSpec, layers: Layers) -> tuple[int, int]:
    """Two vectors a layer; the frozen projections, shared by all layers, lie in the file too."""
    vectors = sum((spec.rank + layer.outputs) * times for layer, times in layers)
    shared = spec.rank * (max(layer.inputs for layer, _ in layers) + max(layer.outputs for layer, _ in layers))
    return vectors, vectors + shared


def _ia3(_: Architecture, _spec: RunSpec, layers: Layers) -> tuple[int, int]:
    scales = sum((layer.inputs if layer.name in IA3_INPUTS else layer.outputs) * times for layer, times in layers)
    return scales, scales


def _adalora(_: Architecture, spec: RunSpec, layers: Layers) -> tuple[int, int]:
    """A, B and a diagonal at the first rank; the file holds what pruning has left, on the average."""
    first, last = adalora_start(spec.rank), spec.rank
    many = sum(times for _, times in layers)
    return low_rank(layers, first) + first * many, low_rank(layers, last) + last * many + many


def _prompt(architecture: Architecture, spec: RunSpec, _: Layers) -> tuple[int, int]:
    whole = spec.virtual_tokens * architecture.sizes.hidden
    return whole, whole


def _prefix(architecture: Architecture, spec: RunSpec, _: Layers) -> tuple[int, int]:
    """A key and a value for each layer and each key-value head."""
    sizes = architecture.sizes
    whole = spec.virtual_tokens * sizes.layers * 2 * sizes.kv_heads * sizes.head_dim
    return whole, whole


def _ptuning(architecture: Architecture, spec: RunSpec, _: Layers) -> tuple[int, int]:
    """Embeddings and a three-layer encoder as wide as the model; only what comes out of it is saved."""
    hidden, embeddings = architecture.sizes.hidden, spec.virtual_tokens * architecture.sizes.hidden
    return embeddings + 3 * (hidden * hidden + hidden), embeddings


def _bottleneck(architecture: Architecture, spec: RunSpec, _: Layers) -> tuple[int, int]:
    """Down and up, with biases, behind attention and behind the MLP of every layer."""
    hidden, width = architecture.sizes.hidden, spec.bottleneck
    whole = 2 * architecture.sizes.layers * (2 * hidden * width + width + hidden)
    return whole, whole


_FORMULAS: Mapping[Method, Callable[[Architecture, RunSpec, Layers], tuple[int, int]]] = MappingProxyType(
    {
        "lora": _lora,
        "rslora": _lora,
        "pissa": _lora,
        "dora": _dora,
        "vera": _vera,
        "ia3": _ia3,
        "adalora": _adalora,
        "prompt": _prompt,
        "prefix": _prefix,
        "ptuning": _ptuning,
        "bottleneck": _bottleneck,
    }
)
"""Method → trainable parameters and numbers in the file."""
