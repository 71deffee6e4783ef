"""What a calculator needs to know about a causal language model: its layers by name and size, and what else it stores.

Five families of ``transformers`` are described here, the models themselves stand in ``models``. Leaves out
mixture-of-experts models, whose experts are plain tensors rather than layers, and everything that has no parameters
except its name (PEFT refuses such a target, and so does the calculator).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["attention", "mlp", "embedding", "head"]
Family = Literal["llama", "qwen2", "gemma2", "phi3", "gpt2"]
FAMILIES: Mapping[Family, str] = MappingProxyType(
    {"llama": "Llama, Mistral", "qwen2": "Qwen2.5", "gemma2": "Gemma-2", "phi3": "Phi-3", "gpt2": "GPT-2"}
)


@dataclass(frozen=True, slots=True)
class Module:
    """A layer that LoRA can wrap: y (outputs) = W (outputs × inputs) · x (inputs) + bias.

    ``path`` is its full name in ``model.named_modules()`` with ``{layer}`` for the number of the decoder layer.
    ``covers`` names the projections that it computes, so that a fused layer is found by the parts it replaces.
    """

    path: str
    inputs: int
    outputs: int
    kind: Kind
    covers: tuple[str, ...] = ()
    bias: bool = False

    @property
    def name(self) -> str:
        """The last part of the path: what people write into ``target_modules``."""
        return self.path.rpartition(".")[2]

    @property
    def per_layer(self) -> bool:
        """Whether every decoder layer has one."""
        return "{layer}" in self.path

    @property
    def weights(self) -> int:
        """Entries of the weight matrix."""
        return self.inputs * self.outputs

    @property
    def biases(self) -> int:
        """Entries of the bias vector."""
        return self.outputs if self.bias else 0


@dataclass(frozen=True, slots=True)
class Norm:
    """A normalisation: a weight per feature and, in GPT-2, a bias."""

    path: str
    size: int
    bias: bool = False


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a configuration file says of a model."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    tied: bool = False  # the output head shares the embedding's matrix
    positions: int = 1024  # learned positions, GPT-2 only


@dataclass(frozen=True, slots=True)
class Architecture:
    """A model as the calculator sees it."""

    id: str
    title: str
    family: Family
    sizes: Sizes
    modules: tuple[Module, ...]
    norms: tuple[Norm, ...]
    others: tuple[str, ...]  # modules without parameters

    @property
    def linear(self) -> tuple[Module, ...]:
        """The layers that ``target_modules="all-linear"`` takes: every linear one except the output head."""
        return tuple(module for module in self.modules if module.kind in {"attention", "mlp"})

    @property
    def base(self) -> int:
        """Parameters of the model without an adapter; a tied head is counted once."""
        owned = (module for module in self.modules if not (module.kind == "head" and self.sizes.tied))
        inside = sum(self.times(module.path) * (module.weights + module.biases) for module in owned)
        return inside + sum(self.times(norm.path) * norm.size * (2 if norm.bias else 1) for norm in self.norms)

    @property
    def biases(self) -> int:
        """Entries of all bias vectors, those of normalisations too: what ``bias="all"`` trains."""
        linear = sum(self.times(module.path) * module.biases for module in self.modules)
        return linear + sum(self.times(norm.path) * norm.size for norm in self.norms if norm.bias)

    def label(self, module: Module) -> str:
        """The shortest name that means this layer alone: ``q_proj``, but ``attn.c_proj`` in GPT-2."""
        alone = sum(other.name == module.name for other in self.modules) == 1
        return module.name if alone or not module.per_layer else module.path.rpartition("{layer}.")[2]

    def times(self, path: str) -> int:
        """How many modules a path with or without ``{layer}`` stands for."""
        return self.sizes.layers if "{layer}" in path else 1

    def keys(self, path: str) -> Iterator[str]:
        """The full names that a path stands for."""
        return (path.format(layer=layer) for layer in range(self.times(path)))

    def untouchable(self) -> Iterator[str]:
        """Paths of what exists but cannot be wrapped: containers, normalisations, activations."""
        yield from (*(norm.path for norm in self.norms), *self.others)
        parents = {module.path.rpartition(".")[0] for module in self.modules}
        while parents := {parent for parent in parents if parent}:
            yield from parents
            parents = {parent.rpartition(".")[0] for parent in parents}


def build(identity: str, title: str, family: Family, sizes: Sizes) -> Architecture:
    """The architecture of a family with these sizes."""
    describe = _gpt2 if family == "gpt2" else _phi3 if family == "phi3" else _llama
    modules, norms, others = describe(family, sizes)
    return Architecture(identity, title, family, sizes, modules, norms, others)


Described = tuple[tuple[Module, ...], tuple[Norm, ...], tuple[str, ...]]
LAYER = "model.layers.{layer}."


def _llama(family: Family, s: Sizes) -> Described:
    """Llama, Mistral, Qwen2 (biases on q, k, v) and Gemma-2 (four normalisations in a layer)."""
    queries, values, qkv_bias = s.heads * s.head_dim, s.kv_heads * s.head_dim, family == "qwen2"
    attention, mlp = f"{LAYER}self_attn.", f"{LAYER}mlp."
    modules = (
        Module("model.embed_tokens", s.vocab, s.hidden, "embedding"),
        Module(f"{attention}q_proj", s.hidden, queries, "attention", ("query",), qkv_bias),
        Module(f"{attention}k_proj", s.hidden, values, "attention", ("key",), qkv_bias),
        Module(f"{attention}v_proj", s.hidden, values, "attention", ("value",), qkv_bias),
        Module(f"{attention}o_proj", queries, s.hidden, "attention", ("output",)),
        Module(f"{mlp}gate_proj", s.hidden, s.intermediate, "mlp", ("gate",)),
        Module(f"{mlp}up_proj", s.hidden, s.intermediate, "mlp", ("up",)),
        Module(f"{mlp}down_proj", s.intermediate, s.hidden, "mlp", ("down",)),
        Module("lm_head", s.hidden, s.vocab, "head"),
    )
    inner: tuple[str, ...] = ("input_layernorm", "post_attention_layernorm")
    if family == "gemma2":
        inner += ("pre_feedforward_layernorm", "post_feedforward_layernorm")
    return modules, _rms_norms(inner, s.hidden), (f"{mlp}act_fn", "model.rotary_emb")


def _phi3(_: Family, s: Sizes) -> Described:
    """Phi-3: the query, key and value projections are one layer, and so are gate and up."""
    queries, values = s.heads * s.head_dim, s.kv_heads * s.head_dim
    attention, mlp = f"{LAYER}self_attn.", f"{LAYER}mlp."
    modules = (
        Module("model.embed_tokens", s.vocab, s.hidden, "embedding"),
        Module(f"{attention}qkv_proj", s.hidden, queries + 2 * values, "attention", ("query", "key", "value")),
        Module(f"{attention}o_proj", queries, s.hidden, "attention", ("output",)),
        Module(f"{mlp}gate_up_proj", s.hidden, 2 * s.intermediate, "mlp", ("gate", "up")),
        Module(f"{mlp}down_proj", s.intermediate, s.hidden, "mlp", ("down",)),
        Module("lm_head", s.hidden, s.vocab, "head"),
    )
    dropouts = (f"{LAYER}resid_attn_dropout", f"{LAYER}resid_mlp_dropout")
    norms = _rms_norms(("input_layernorm", "post_attention_layernorm"), s.hidden)
    return modules, norms, (f"{mlp}activation_fn", "model.rotary_emb", *dropouts)


def _gpt2(_: Family, s: Sizes) -> Described:
    """GPT-2: biases everywhere, learned positions, and ``c_proj`` names two different layers."""
    layer = "transformer.h.{layer}."
    modules = (
        Module("transformer.wte", s.vocab, s.hidden, "embedding"),
        Module("transformer.wpe", s.positions, s.hidden, "embedding"),
        Module(f"{layer}attn.c_attn", s.hidden, 3 * s.hidden, "attention", ("query", "key", "value"), True),
        Module(f"{layer}attn.c_proj", s.hidden, s.hidden, "attention", ("output",), True),
        Module(f"{layer}mlp.c_fc", s.hidden, s.intermediate, "mlp", ("up",), True),
        Module(f"{layer}mlp.c_proj", s.intermediate, s.hidden, "mlp", ("down",), True),
        Module("lm_head", s.hidden, s.vocab, "head"),
    )
    paths = (f"{layer}ln_1", f"{layer}ln_2", "transformer.ln_f")
    others = ("attn.attn_dropout", "attn.resid_dropout", "mlp.act", "mlp.dropout")
    norms = tuple(Norm(path, s.hidden, True) for path in paths)
    return modules, norms, (*(layer + other for other in others), "transformer.drop")


def _rms_norms(inner: tuple[str, ...], size: int) -> tuple[Norm, ...]:
    return (*(Norm(LAYER + name, size) for name in inner), Norm("model.norm", size))
