"""What autograd keeps for the backward pass of a decoder, tensor by tensor, as ``transformers`` and ``peft`` write it.

Counted from the code of five families and held within 2 % against ``saved_tensors_hooks`` on real models
(``demos.memory.counted``, ``content/measured/memory.json``). Bytes throughout. T tokens in a step, d hidden size,
q and k widths of all query and of all key heads, f intermediate size, r rank, V vocabulary, b bytes of the compute
dtype, a bytes of an adapter's. Leaves out dropout, the loss (``training.logits``), one layer's own
temporaries, and adapters on chosen layer numbers: counted as if gradients passed all layers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from demos.lora.architectures import Architecture, Module
from demos.lora.parameters import BYTES

if TYPE_CHECKING:
    from demos.memory.training import Plan

QKV = frozenset({"query", "key", "value"})


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes kept at the peak, by what keeps them."""

    inputs: float = 0.0  # of layers that are trained or adapted
    adapters: float = 0.0  # A's output; with DoRA both results and the magnitudes
    attention: float = 0.0  # queries, keys, values, result, scores
    mlp: float = 0.0  # gate, its activation, up
    norms: float = 0.0
    ends: float = 0.0  # token numbers, rotary tables, the last normalisation, the head's input
    checkpoints: float = 0.0  # inputs of decoder layers, with checkpointing alone

    @property
    def total(self) -> int:
        """All together."""
        parts: list[float] = [getattr(self, field.name) for field in fields(self)]
        return round(sum(parts))


def kept(architecture: Architecture, plan: Plan) -> Kept:
    """What is alive at the peak of a step.

    Without checkpointing that is the end of the forward pass. With it: every layer's input and the tensors of the one
    layer that is computed again, or of the output head where these are more.
    """
    if not plan.trainable:
        return Kept()
    if plan.checkpointing:
        return _checkpointed(architecture, plan)
    layers, first = architecture.sizes.layers, _Layer(architecture, plan, first=_starts_late(plan))
    usual = _Layer(architecture, plan)
    return Kept(
        inputs=_inputs(architecture, plan),
        adapters=_adapters(plan) + max(0.0, identity(architecture, plan) - _tail(architecture, plan)),
        attention=first.attention() + (layers - 1) * usual.attention(),
        mlp=first.mlp() + (layers - 1) * usual.mlp(),
        norms=first.norms() + (layers - 1) * usual.norms(),
        ends=_always(architecture, plan) + _tail(architecture, plan),
    )


def _checkpointed(architecture: Architecture, plan: Plan) -> Kept:
    sizes, layer, tokens = architecture.sizes, _Layer(architecture, plan), plan.batch * plan.length
    width = BYTES[plan.dtype]
    shared = tokens * width * sizes.hidden if width == 4 or architecture.family == "gpt2" else 0
    again = Kept(
        inputs=_inputs(architecture, plan) / sizes.layers,
        adapters=_adapters(plan) / sizes.layers + identity(architecture, plan),
        attention=layer.attention(),
        mlp=layer.mlp(),
        norms=layer.norms() - shared,  # the first normalisation keeps the checkpoint itself
        ends=_always(architecture, plan) + _mask(architecture, plan),
        checkpoints=float(sizes.layers * tokens * width * sizes.hidden),
    )
    tail = _tail(architecture, plan)
    if again.total - again.checkpoints - again.ends >= tail:
        return again
    return Kept(ends=again.ends + tail, checkpoints=again.checkpoints)


def _starts_late(plan: Plan) -> bool:
    """Whether no gradient reaches the input of the first layer: with an adapter it starts inside."""
    return not plan.full and bool(plan.adapted) and not plan.checkpointing


@dataclass(frozen=True, slots=True)
class _Layer:
    """One decoder layer; in the ``first`` one only what comes after an adapter has a gradient."""

    architecture: Architecture
    plan: Plan
    first: bool = False

    def norms(self) -> float:
        """Inputs of normalisations: all have a gradient, but in the first layer the first, and the second if nothing
        was adapted before it.
        """
        count = sum("{layer}" in norm.path for norm in self.architecture.norms)
        if not self.first:
            return count * norm_bytes(self.architecture, self.plan)
        dead = 1 if self._attention_lives else count - 1 if self.architecture.family == "gemma2" else count
        return (count - dead) * norm_bytes(self.architecture, self.plan)

    def attention(self) -> float:
        """Queries, keys, values and the result; without a fused kernel the scores instead of the result."""
        sizes, width, tokens = self.architecture.sizes, BYTES[self.plan.dtype], self.plan.batch * self.plan.length
        queries, keys = _widths(self.architecture)
        if not self._has(*QKV):
            return 0.0
        values = queries + 2 * keys if self.architecture.family == "phi3" else keys  # a view holds all of qkv
        if fused(self.architecture, self.plan):
            mask = width * self.plan.length if self.plan.padding else 0
            if self.plan.padding and sizes.heads != sizes.kv_heads:
                keys = values = queries  # with a mask transformers repeats them for every query head
            return tokens * (width * (2 * queries + keys + values) + 4.0 * sizes.heads + mask)
        alone = self.plan.batch == 1 and sizes.heads == sizes.kv_heads
        repeated = values if alone else queries
        scores = self._has("query", "key")
        taken = (self._has("key") * queries) + (self._has("query") * queries) + (scores * repeated)
        return tokens * (width * float(taken) + sizes.heads * self.plan.length * self._score)

    @property
    def _score(self) -> int:
        return score_bytes(self.architecture, self.plan, scores=self._has("query", "key"), values=self._has("value"))

    def mlp(self) -> float:
        """Gate, its activation and up; GPT-2's GELU is written out in Python and keeps four."""
        sizes, width, tokens = self.architecture.sizes, BYTES[self.plan.dtype], self.plan.batch * self.plan.length
        gate, up = (self._attention_lives or self._has(name) for name in ("gate", "up"))
        each = tokens * width * float(sizes.intermediate)
        if self.architecture.family == "gpt2":
            return 4 * each * up
        return each * (2 * gate + up)  # gate for SiLU, up for gate's gradient; the activation for up's

    @property
    def _attention_lives(self) -> bool:
        return self._has(*QKV, "output")

    def _has(self, *parts: str) -> bool:
        """Whether one of these projections passes a gradient to what it feeds."""
        if not self.first:
            return True
        return any(set(parts) & set(module.covers) for module, _ in self.plan.adapted)


def fused(architecture: Architecture, plan: Plan) -> bool:
    """Whether attention is one kernel that never stores its scores; Gemma-2 caps them, so it never is."""
    return plan.attention == "sdpa" and architecture.family != "gemma2"


def score_bytes(architecture: Architecture, plan: Plan, *, scores: bool = True, values: bool = True) -> int:
    """Bytes of one score: softmax in float32 and its cast, but one tensor in GPT-2 or in float32; Gemma's tanh.

    Without a gradient to the ``scores`` or to the ``values`` a part of it is not kept.
    """
    width = BYTES[plan.dtype]
    capped = width * scores if architecture.family == "gemma2" else 0
    if width == 4 or architecture.family == "gpt2":
        return width * (scores or values) + capped
    return 4 * scores + width * values + capped


def norm_bytes(architecture: Architecture, plan: Plan) -> float:
    """One normalisation: RMSNorm works in float32 and keeps its input, 1/RMS and, when trained, the normalised."""
    tokens, width, size = plan.batch * plan.length, BYTES[plan.dtype], architecture.sizes.hidden
    if architecture.family == "gpt2":  # one kernel: input, mean, 1/deviation (float32 on a GPU, else the dtype)
        return float(tokens * (width * size + 2 * (4 if plan.device == "cuda" else width)))
    if architecture.family == "gemma2":  # multiplies by 1 + weight in float32
        return 4.0 * (tokens * (size + 1) + size + (tokens * size if plan.full else 0))
    return float(tokens * (4 * size + 4 + (width * size if plan.full else 0)))


def _widths(architecture: Architecture) -> tuple[int, int]:
    sizes = architecture.sizes
    return sizes.heads * sizes.head_dim, sizes.kv_heads * sizes.head_dim


def _inputs(architecture: Architecture, plan: Plan) -> float:
    """Inputs of trained and adapted layers: a cast copy for each in the adapter's dtype, else one for all who share."""
    taken = [(module, architecture.times(module.path)) for module in architecture.linear] if plan.full else _own(plan)
    tokens, width = plan.batch * plan.length, BYTES[plan.dtype]
    starts = not _starts_late(plan) or any(QKV & set(module.covers) for module, _ in taken)  # attention kept in layer 0
    if not plan.full and adapter_width(plan) != width:
        return float(tokens * adapter_width(plan) * sum(module.inputs * times for module, times in taken))
    shared: dict[str, int] = {}
    for module, times in taken:
        alone = int(not starts) if _kept_by_attention(architecture, plan, module) else times
        shared[_source(module)] = max(shared.get(_source(module), 0), module.inputs * alone)
    return float(tokens * width * sum(shared.values()))


def _kept_by_attention(architecture: Architecture, plan: Plan, module: Module) -> bool:
    """The fused kernel keeps its result, and that is the output projection's input; Phi-3's is copied first."""
    return "output" in module.covers and fused(architecture, plan) and architecture.family != "phi3"


def _own(plan: Plan) -> list[tuple[Module, int]]:
    return [(module, times) for module, times in plan.adapted if module.per_layer]


def adapter_width(plan: Plan) -> int:
    """Bytes of an adapter's number."""
    return 4 if plan.precision == "float32" else 2


def _adapters(plan: Plan) -> float:
    """A's output; DoRA keeps the base's result, the adapter's, the norm and two forms of the magnitude besides."""
    if plan.full:
        return 0.0
    tokens, width, wide = plan.batch * plan.length, BYTES[plan.dtype], adapter_width(plan)
    low = tokens * wide * plan.rank * sum(times for _, times in _own(plan))
    if not plan.magnitude:
        return float(low)
    results = sum(module.outputs * times for module, times in _own(plan))
    first = sum(module.outputs for module, _ in _own(plan) if QKV & set(module.covers)) if _starts_late(plan) else 0
    return float(low + results * (tokens * (width + wide) + wide + 8) - 4 * first)


def identity(architecture: Architecture, plan: Plan) -> float:
    """DoRA multiplies A and B by an identity matrix: while the last layer is computed, it is kept with A's output."""
    last, adapted = architecture.linear[-1], [module for module, _ in _own(plan)]
    if not plan.magnitude or last not in adapted:
        return 0.0  # an earlier layer's is smaller than what comes after it
    return float(adapter_width(plan) * last.inputs * (last.inputs + plan.rank))


def _mask(architecture: Architecture, plan: Plan) -> float:
    """GPT-2's layers take the causal mask as an argument, so a checkpoint keeps it."""
    if architecture.family != "gpt2":
        return 0.0
    each = BYTES[plan.dtype] if plan.attention == "eager" else int(plan.padding)
    return float(each * plan.batch * plan.length**2)


def _always(architecture: Architecture, plan: Plan) -> float:
    """Token numbers of a trained embedding, sine and cosine of positions."""
    tokens, sizes, learned = plan.batch * plan.length, architecture.sizes, architecture.family == "gpt2"
    numbers = (8 * tokens + (8 * plan.length if learned else 0)) if plan.full else 0
    rotary = 0 if learned else 2 * plan.length * sizes.head_dim * BYTES[plan.dtype]
    return float(numbers + rotary)


def _tail(architecture: Architecture, plan: Plan) -> float:
    """The last normalisation, the trained head's input, and Gemma's capped logits."""
    tokens, sizes, width = plan.batch * plan.length, architecture.sizes, BYTES[plan.dtype]
    head = tokens * width * sizes.hidden if plan.full else 0
    capped = tokens * width * sizes.vocab if architecture.family == "gemma2" and plan.whole_logits else 0
    return norm_bytes(architecture, plan) + head + capped


def _source(layer: Module) -> str:
    """Layers with one source share their input: q, k, v; gate and up."""
    first = {"query": "attention", "key": "attention", "value": "attention", "gate": "mlp", "up": "mlp"}
    return first.get(layer.covers[0], layer.path) if layer.covers else layer.path
