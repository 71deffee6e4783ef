"""The models that the calculator offers, and named sets of target layers for each.

Sizes come from the models' published ``config.json``; a test builds each with ``transformers`` on the meta device and
compares the count. Leaves out models that are too new to be settled: a row is easy to add.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from demos.lora.architectures import Architecture, Family, Sizes, build

ALL_LINEAR = "all-linear"
"""PEFT's own word for «every linear layer except the output head»."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of target layers. A trap is copied from another architecture and does not do what it says."""

    id: str
    title: str
    targets: tuple[str, ...]
    trap: bool = False


def _gpt2(hidden: int, layers: int, heads: int) -> Sizes:
    return Sizes(hidden, layers, heads, heads, hidden // heads, 4 * hidden, 50257, True)


_MODELS: tuple[tuple[str, str, Family, Sizes], ...] = (
    # a row: id, title, family; Sizes: hidden, layers, heads, kv_heads, head_dim, intermediate, vocab and then tied
    ("mistral-7b", "Mistral-7B v0.1", "llama", Sizes(4096, 32, 32, 8, 128, 14336, 32000)),
    ("llama-2-7b", "Llama-2-7B", "llama", Sizes(4096, 32, 32, 32, 128, 11008, 32000)),
    ("llama-2-13b", "Llama-2-13B", "llama", Sizes(5120, 40, 40, 40, 128, 13824, 32000)),
    ("llama-2-70b", "Llama-2-70B", "llama", Sizes(8192, 80, 64, 8, 128, 28672, 32000)),
    ("llama-3.1-8b", "Llama-3.1-8B", "llama", Sizes(4096, 32, 32, 8, 128, 14336, 128256)),
    ("llama-3-70b", "Llama-3-70B", "llama", Sizes(8192, 80, 64, 8, 128, 28672, 128256)),
    ("llama-3.2-1b", "Llama-3.2-1B", "llama", Sizes(2048, 16, 32, 8, 64, 8192, 128256, True)),
    ("llama-3.2-3b", "Llama-3.2-3B", "llama", Sizes(3072, 28, 24, 8, 128, 8192, 128256, True)),
    ("phi-3-mini", "Phi-3-mini-4k", "phi3", Sizes(3072, 32, 32, 32, 96, 8192, 32064)),
    ("qwen2.5-0.5b", "Qwen2.5-0.5B", "qwen2", Sizes(896, 24, 14, 2, 64, 4864, 151936, True)),
    ("qwen2.5-1.5b", "Qwen2.5-1.5B", "qwen2", Sizes(1536, 28, 12, 2, 128, 8960, 151936, True)),
    ("qwen2.5-3b", "Qwen2.5-3B", "qwen2", Sizes(2048, 36, 16, 2, 128, 11008, 151936, True)),
    ("qwen2.5-7b", "Qwen2.5-7B", "qwen2", Sizes(3584, 28, 28, 4, 128, 18944, 152064)),
    ("qwen2.5-14b", "Qwen2.5-14B", "qwen2", Sizes(5120, 48, 40, 8, 128, 13824, 152064)),
    ("qwen2.5-32b", "Qwen2.5-32B", "qwen2", Sizes(5120, 64, 40, 8, 128, 27648, 152064)),
    ("qwen2.5-72b", "Qwen2.5-72B", "qwen2", Sizes(8192, 80, 64, 8, 128, 29568, 152064)),
    ("gemma-2-2b", "Gemma-2-2B", "gemma2", Sizes(2304, 26, 8, 4, 256, 9216, 256000, True)),
    ("gemma-2-9b", "Gemma-2-9B", "gemma2", Sizes(3584, 42, 16, 8, 256, 14336, 256000, True)),
    ("gemma-2-27b", "Gemma-2-27B", "gemma2", Sizes(4608, 46, 32, 16, 128, 36864, 256000, True)),
    ("gpt2", "GPT-2", "gpt2", _gpt2(768, 12, 12)),
    ("gpt2-medium", "GPT-2 medium", "gpt2", _gpt2(1024, 24, 16)),
    ("gpt2-large", "GPT-2 large", "gpt2", _gpt2(1280, 36, 20)),
    ("gpt2-xl", "GPT-2 XL", "gpt2", _gpt2(1600, 48, 25)),
)

ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType({row[0]: build(*row) for row in _MODELS})
"""Every model offered, by id."""

CUSTOM = "custom"
"""The id that stands for sizes typed in by hand."""

_QKVO = ("q_proj", "k_proj", "v_proj", "o_proj")
_SEVEN = (*_QKVO, "gate_proj", "up_proj", "down_proj")
_EVERYTHING = Preset(ALL_LINEAR, "все линейные слои", (ALL_LINEAR,))
_TRAPS = (
    Preset("llama-attention", "список внимания от Llama", _QKVO, True),
    Preset("llama-all", "полный список от Llama", _SEVEN, True),
)

_PRESETS: Mapping[str, tuple[Preset, ...]] = MappingProxyType(
    {
        "llama": (
            Preset("qv", "q и v", ("q_proj", "v_proj")),
            Preset("attention", "всё внимание: q, k, v, o", _QKVO),
            Preset("mlp", "только MLP", ("gate_proj", "up_proj", "down_proj")),
            _EVERYTHING,
        ),
        "phi3": (
            Preset("qkv", "слитный qkv", ("qkv_proj",)),
            Preset("attention", "всё внимание: qkv и o", ("qkv_proj", "o_proj")),
            Preset("mlp", "только MLP", ("gate_up_proj", "down_proj")),
            _EVERYTHING,
            *_TRAPS,
        ),
        "gpt2": (
            Preset("qkv", "слитный qkv", ("c_attn",)),
            Preset("attention", "всё внимание", ("attn.c_attn", "attn.c_proj")),
            Preset("mlp", "только MLP", ("mlp.c_fc", "mlp.c_proj")),
            _EVERYTHING,
            Preset("c_proj", "c_proj: два разных слоя", ("c_proj",)),
            *_TRAPS,
        ),
    }
)


def presets(architecture: Architecture) -> tuple[Preset, ...]:
    """The named target sets of an architecture: first those that mean what they say, then the traps."""
    return _PRESETS.get(architecture.family, _PRESETS["llama"])


def expand(architecture: Architecture, targets: tuple[str, ...]) -> tuple[str, ...]:
    """Layer names for ``targets``, which may be the id of a preset."""
    named = {preset.id: preset.targets for preset in presets(architecture)}
    return named.get(targets[0], targets) if len(targets) == 1 else targets
