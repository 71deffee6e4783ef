"""The file that ``save_pretrained`` writes for an adapter, to the byte: names, shapes, header.

A safetensors file is eight bytes with the header's length, the header as JSON padded with spaces to a multiple of
eight, then the numbers (github.com/huggingface/safetensors, README, «Format»). Tensors stand by the size of their
numbers, largest first, then by name. Names and shapes are those of PEFT's ``get_peft_model_state_dict``. Leaves out
adapter_config.json, about a kilobyte beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType

from demos.lora.architectures import Architecture, Module

Layers = tuple[tuple[Module, tuple[str, ...]], ...]
"""Layers and the full names of those that are taken."""
Maker = Callable[["Wanted"], Iterator["Tensor"]]
PREFIX = "base_model.model."
"""What PEFT puts before every name of the base model."""
BYTES = {"F32": 4, "BF16": 2}
LENGTH = 8
"""Bytes of the header's length; the header itself is padded to a multiple of as many."""
IA3_INPUTS = ("down_proj", "c_proj")
"""Layers whose inputs IA³ scales; of the others it scales the outputs."""
INSERTS_AFTER = ("o_proj", "down_proj", "c_proj")
"""Layers behind which a bottleneck stands."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One entry of the file. The adapter's own numbers are float32, copies of base weights as the base is, bfloat16."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "F32"

    @property
    def numbers(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """What they take."""
        return self.numbers * BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an adapter is built from."""

    architecture: Architecture
    layers: Layers
    rank: int
    tokens: int  # virtual ones
    width: int  # of a bottleneck
    copied: tuple[str, ...] = ()  # ends of the names of modules that are trained whole
    new_tokens: int = 0  # rows of the embedding that are trained


def header_bytes(tensors: Iterable[Tensor], *, peft: bool = True) -> int:
    """Length of everything before the numbers; PEFT writes what made the file into it, the course's own format not."""
    table: dict[str, object] = {"__metadata__": {"format": "pt"}} if peft else {}
    end = 0
    for tensor in sorted(tensors, key=lambda each: (-BYTES[each.dtype], each.name)):
        start, end = end, end + tensor.bytes
        table[tensor.name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": (start, end)}
    text = len(json.dumps(table, separators=(",", ":")))
    return LENGTH + -(-text // LENGTH) * LENGTH


def tensors(method: str, wanted: Wanted) -> tuple[Tensor, ...]:
    """What the file of this method holds."""
    return tuple(_MAKERS[method](wanted))


def copies(wanted: Wanted) -> Iterator[Tensor]:
    """Whole modules kept in the file. PEFT takes every module whose name ends so: «norm» is every normalisation."""
    architecture = wanted.architecture
    for module in architecture.modules:
        for path in _taken(architecture, module.path, wanted.copied):
            yield Tensor(f"{PREFIX}{path}.weight", (module.outputs, module.inputs), "BF16")
            if module.bias:
                yield Tensor(f"{PREFIX}{path}.bias", (module.outputs,), "BF16")
    for norm in architecture.norms:
        for path in _taken(architecture, norm.path, wanted.copied):
            for part in ("weight", "bias")[: 1 + norm.bias]:
                yield Tensor(f"{PREFIX}{path}.{part}", (norm.size,), "BF16")


def rows(wanted: Wanted) -> Iterator[Tensor]:
    """New rows of the embedding: one for each token that is trained."""
    embedding = next(module for module in wanted.architecture.modules if module.kind == "embedding")
    name = f"{PREFIX}{embedding.path}.token_adapter.trainable_tokens_delta"
    yield Tensor(name, (wanted.new_tokens, wanted.architecture.sizes.hidden))


def _lora(wanted: Wanted) -> Iterator[Tensor]:
    for path, layer in _each(wanted):
        yield Tensor(f"{path}.lora_A.weight", (wanted.rank, layer.inputs))
        yield Tensor(f"{path}.lora_B.weight", (layer.outputs, wanted.rank))


def _dora(wanted: Wanted) -> Iterator[Tensor]:
    yield from _lora(wanted)
    yield from (Tensor(f"{path}.lora_magnitude_vector", (layer.outputs,)) for path, layer in _each(wanted))


def _adalora(wanted: Wanted) -> Iterator[Tensor]:
    """As if pruning had left every layer the rank that it was asked for: layers differ, their mean does not."""
    for path, layer in _each(wanted):
        yield Tensor(f"{path}.lora_A", (wanted.rank, layer.inputs))
        yield Tensor(f"{path}.lora_B", (layer.outputs, wanted.rank))
        yield Tensor(f"{path}.lora_E", (wanted.rank, 1))


def _vera(wanted: Wanted) -> Iterator[Tensor]:
    """Two vectors a layer, and the frozen projections that all layers share: PEFT saves those, too."""
    for path, layer in _each(wanted):
        yield Tensor(f"{path}.vera_lambda_b", (layer.outputs,))
        yield Tensor(f"{path}.vera_lambda_d", (wanted.rank,))
    if wanted.layers:
        yield Tensor("base_model.vera_A", (wanted.rank, max(layer.inputs for layer, _ in wanted.layers)))
        yield Tensor("base_model.vera_B", (max(layer.outputs for layer, _ in wanted.layers), wanted.rank))


def _ia3(wanted: Wanted) -> Iterator[Tensor]:
    for path, layer in _each(wanted):
        yield Tensor(f"{path}.ia3_l", (1, layer.inputs) if layer.name in IA3_INPUTS else (layer.outputs, 1))


def _prompt(wanted: Wanted) -> Iterator[Tensor]:
    yield Tensor("prompt_embeddings", (wanted.tokens, wanted.architecture.sizes.hidden))


def _prefix(wanted: Wanted) -> Iterator[Tensor]:
    sizes = wanted.architecture.sizes
    yield Tensor("prompt_embeddings", (wanted.tokens, 2 * sizes.layers * sizes.kv_heads * sizes.head_dim))


def _bottleneck(wanted: Wanted) -> Iterator[Tensor]:
    """The course's own format (``demos.finetuning.bottleneck``): PEFT has none."""
    hidden, width = wanted.architecture.sizes.hidden, wanted.width
    for module in wanted.architecture.linear:
        if module.name in INSERTS_AFTER:
            for path in wanted.architecture.keys(module.path):
                yield Tensor(f"{path}.down.weight", (width, hidden))
                yield Tensor(f"{path}.down.bias", (width,))
                yield Tensor(f"{path}.up.weight", (hidden, width))
                yield Tensor(f"{path}.up.bias", (hidden,))


def _saved(wanted: Wanted) -> Iterator[Tensor]:
    yield from _lora(wanted)
    yield from copies(wanted)


def _tokens(wanted: Wanted) -> Iterator[Tensor]:
    yield from _lora(wanted)
    yield from rows(wanted)


def _each(wanted: Wanted) -> Iterator[tuple[str, Module]]:
    return ((PREFIX + path, module) for module, paths in wanted.layers for path in paths)


def _taken(architecture: Architecture, path: str, ends: tuple[str, ...]) -> Iterator[str]:
    return (key for key in architecture.keys(path) if key.endswith(ends))


_MAKERS: Mapping[str, Maker] = MappingProxyType(
    {
        "lora": _lora,
        "rslora": _lora,
        "dora": _dora,
        "adalora": _adalora,
        "vera": _vera,
        "ia3": _ia3,
        "prompt": _prompt,
        "ptuning": _prompt,
        "prefix": _prefix,
        "bottleneck": _bottleneck,
        "modules_to_save": _saved,
        "trainable_tokens": _tokens,
    }
)
