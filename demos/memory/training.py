"""Memory of one training step, part by part: weights, adapter, gradients, optimizer, activations, logits, the rest.

Weights, gradients and optimizer are exact, to the byte: what torch, peft and bitsandbytes allocate (a test builds and
trains models and compares). Activations are what autograd keeps for the backward pass of a decoder layer as
``transformers`` writes it, counted tensor by tensor; the test holds them within a factor of 1.25. Leaves out what the
allocator loses between blocks, several devices, offloading and 8-bit activations.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from demos.lora import parameters
from demos.lora.architectures import Architecture, Module
from demos.lora.matching import match
from demos.lora.models import ALL_LINEAR, ARCHITECTURES
from demos.memory.training_state import Optimizer, Precision, training_state
from demos.memory.training_state import Params as State
from demos.params import Checked, parameter

Attention = Literal["sdpa", "eager"]
Dtype = Literal["float32", "bfloat16", "float16"]
Quantization = Literal["none", "nf4", "fp4", "int8"]
BYTES = parameters.BYTES
BLOCK, OUTER_BLOCK = 64, 256
"""Weights that share an absmax, and absmaxes that share one in double quantization: bitsandbytes' defaults."""
TILE_TOKENS, TILE_VOCAB = 4096, 32768
"""trl computes the loss in tiles of so many tokens and so much of the vocabulary (``trl.kernels.chunked_logprob``)."""
OVERHEAD = {"cuda": 600 * 10**6, "cpu": 700 * 10**6}
"""CUDA context and libraries; on a CPU the process with torch, transformers, peft, trl and bitsandbytes loaded."""

USABLE = {"cuda": 0.9, "cpu": 0.8}
"""Part of the free memory that a step may take; a worker gives a run no more than that of the machine's (``jobs``)."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What is trained, how, and on what batch. ``precision`` is that of the trained parameters."""

    architecture: str = parameter("mistral-7b", "Архитектура", choices=tuple(ARCHITECTURES))
    method: Literal["full", "lora"] = parameter("lora", "Метод", choices=("full", "lora"))
    quantization: Quantization = parameter("nf4", "Квантование базы", choices=("none", "nf4", "fp4", "int8"))
    double_quantization: bool = parameter(True, "Двойное квантование")
    dtype: Dtype = parameter("bfloat16", "Тип вычислений", choices=tuple(BYTES))
    precision: Precision = parameter(
        "float32", "Точность обучаемых весов", choices=("float32", "mixed", "bfloat16"), note="полное — обычно mixed"
    )
    optimizer: Optimizer = parameter("adamw", "Оптимизатор", choices=("adamw", "adamw-8bit"))
    rank: int = parameter(16, "Ранг r", low=1, high=65536)
    targets: tuple[str, ...] = parameter((ALL_LINEAR,), "Целевые слои")
    batch: int = parameter(4, "Примеров в шаге", low=1, high=10**5)
    length: int = parameter(512, "Токенов в примере", low=1, high=10**7)
    checkpointing: bool = parameter(False, "Чекпоинтинг активаций")
    attention: Attention = parameter("sdpa", "Внимание", choices=("sdpa", "eager"))
    whole_logits: bool = parameter(False, "Логиты целиком", note="trl считает потери по частям, простой цикл — целиком")
    device: Literal["cuda", "cpu"] = parameter("cuda", "Устройство", choices=("cuda", "cpu"))


@dataclass(frozen=True, slots=True)
class Plan:
    """One training step as the estimate sees it: what is trained and how, whatever the method is called."""

    trainable: int  # parameters that get gradients
    full: bool = False  # the base itself is trained
    adapted: tuple[tuple[Module, int], ...] = ()  # layers that keep their input for an adapter, and how many
    rank: int = 0
    quantization: Quantization = "none"
    double_quantization: bool = True
    dtype: Dtype = "float32"
    precision: Precision = "float32"
    optimizer: Optimizer = "adamw"
    batch: int = 1
    length: int = 512
    checkpointing: bool = False
    attention: Attention = "sdpa"
    whole_logits: bool = False
    device: Literal["cuda", "cpu"] = "cpu"


@dataclass(frozen=True, slots=True)
class Result:
    """Bytes at the peak of a step."""

    trainable: int
    weights: int  # the base as it lies in memory, quantization constants included
    adapter: int  # 0 with full fine-tuning
    gradients: int
    optimizer: int  # moments, and the master copy of mixed precision
    activations: int  # kept for the backward pass
    logits: int
    buffers: int  # one dequantized layer
    overhead: int  # the framework itself
    total: int


def training(params: Params) -> Result:
    """Memory of one step of full fine-tuning or of LoRA on the base as it is kept.

    Raises:
        ParamsError: no target names.
    """
    architecture = ARCHITECTURES[params.architecture]
    full = params.method == "full"
    layers = () if full else match(architecture, params.targets).layers
    plan = Plan(
        trainable=architecture.base if full else low_rank(layers, params.rank),
        full=full,
        adapted=layers,
        rank=params.rank,
        quantization="none" if full else params.quantization,
        double_quantization=params.double_quantization,
        dtype=params.dtype,
        precision=params.precision,
        optimizer=params.optimizer,
        batch=params.batch,
        length=params.length,
        checkpointing=params.checkpointing,
        attention=params.attention,
        whole_logits=params.whole_logits,
        device=params.device,
    )
    return estimate(architecture, plan)


def low_rank(layers: tuple[tuple[Module, int], ...], rank: int) -> int:
    """Parameters of A and B on these layers."""
    return sum(rank * (layer.inputs + layer.outputs) * times for layer, times in layers)


def estimate(architecture: Architecture, plan: Plan) -> Result:
    """Bytes of one step, part by part."""
    each = training_state(State(plan.precision, plan.optimizer))
    trained = round(plan.trainable * each.weight)
    weights = trained if plan.full else base_bytes(architecture, plan)
    parts = {
        "weights": weights,
        "adapter": 0 if plan.full else trained,
        "gradients": round(plan.trainable * each.gradient),
        "optimizer": round(plan.trainable * (each.master + each.moments)),
        "activations": _activations(architecture, plan),
        "logits": _logits(architecture, plan),
        "buffers": 0 if plan.quantization == "none" else _largest(architecture) * BYTES[plan.dtype],
        "overhead": OVERHEAD[plan.device],
    }
    return Result(plan.trainable, **parts, total=sum(parts.values()))


def fits(total: int, free: int, device: Literal["cuda", "cpu"] = "cuda") -> bool:
    """Whether a step of ``total`` bytes goes into ``free`` ones; a part is kept for what the estimate leaves out."""
    return total <= USABLE[device] * free


def base_bytes(architecture: Architecture, plan: Plan) -> int:
    """The frozen base: quantized decoder layers with their constants, everything else in the compute dtype."""
    wide = BYTES[plan.dtype]
    if plan.quantization == "none":
        return architecture.base * wide
    linear = [(module, architecture.times(module.path)) for module in architecture.linear]
    rest = architecture.base - sum(module.weights * times for module, times in linear)
    return rest * wide + sum(quantized_bytes(module, plan) * times for module, times in linear)


def quantized_bytes(module: Module, plan: Plan) -> int:
    """One layer's matrix as bitsandbytes keeps it: indices, scales, and the tables that each layer carries."""
    if plan.quantization == "int8":
        return module.weights + 4 * module.outputs  # a byte a weight, a float32 scale a row
    blocks = ceil(module.weights / BLOCK)
    codes = 4 * 16  # the table of levels
    if not plan.double_quantization:
        return ceil(module.weights / 2) + 4 * blocks + codes
    nested = 4 * ceil(blocks / OUTER_BLOCK) + 4 * 256 + 4  # outer absmaxes, their table, the mean taken off
    return ceil(module.weights / 2) + blocks + nested + codes


def _largest(architecture: Architecture) -> int:
    return max(module.weights for module in architecture.linear)


def _activations(architecture: Architecture, plan: Plan) -> int:
    """Every layer's kept tensors; with checkpointing one layer's, and the input of each."""
    if not plan.trainable:
        return 0
    tokens, layers = plan.batch * plan.length, architecture.sizes.layers
    layer = tokens * _layer(architecture, plan)
    if not plan.checkpointing:
        return round(layers * layer)
    return round(layer + layers * tokens * architecture.sizes.hidden * BYTES[plan.dtype])


def _layer(architecture: Architecture, plan: Plan) -> float:
    """Bytes a token that one decoder layer keeps."""
    inner = (4 if architecture.family == "gpt2" else 3) * architecture.sizes.intermediate  # gate, SiLU of it, up
    around = _norms(architecture, plan) + _attention(architecture, plan) + _inputs(architecture, plan)
    return around + inner * BYTES[plan.dtype]


def _norms(architecture: Architecture, plan: Plan) -> float:
    """RMSNorm works in float32: it keeps its input and, when its own weight is trained, the normalised one."""
    count = sum("{layer}" in norm.path for norm in architecture.norms) * architecture.sizes.hidden
    if architecture.family == "gpt2":  # LayerNorm is one kernel: its input, in the compute dtype
        return float(count * BYTES[plan.dtype])
    return count * 4.0 * (2 if plan.full else 1)


def _attention(architecture: Architecture, plan: Plan) -> float:
    """Queries, keys, values and the result; without a fused kernel also the scores, in float32 and in the dtype."""
    sizes, wide = architecture.sizes, BYTES[plan.dtype]
    queries, values = sizes.heads * sizes.head_dim, sizes.kv_heads * sizes.head_dim
    if plan.attention == "sdpa" and architecture.family != "gemma2":  # Gemma-2 caps its scores: never fused
        return wide * (2 * queries + 2 * values) + 4.0 * sizes.heads
    score = wide if wide == 4 or architecture.family == "gpt2" else 4 + wide  # softmax in float32, but not in GPT-2
    score += wide if architecture.family == "gemma2" else 0
    return wide * 3.0 * queries + sizes.heads * plan.length * score


def _inputs(architecture: Architecture, plan: Plan) -> float:
    """Inputs of layers that are trained or adapted: the adapter's dtype, one copy per input where no cast is needed."""
    taken = list(architecture.linear) if plan.full else [layer for layer, _ in plan.adapted if layer.per_layer]
    cast = not plan.full and plan.dtype != "float32" and plan.precision == "float32"
    fed = {(_source(layer), layer.inputs) for layer in taken}
    shared = sum(size for _, size in fed) * BYTES[plan.dtype]
    copies = 4 * sum(layer.inputs for layer in taken) if cast else 0
    return float(copies if cast else shared) + 4.0 * plan.rank * len(taken)


def _source(layer: Module) -> str:
    """Layers with one source share their input: q, k, v; gate and up."""
    first = {"query": "attention", "key": "attention", "value": "attention", "gate": "mlp", "up": "mlp"}
    return first.get(layer.covers[0], layer.path) if layer.covers else layer.path


def _logits(architecture: Architecture, plan: Plan) -> int:
    """Of the whole vocabulary in a plain loop: as they come, in float32, log-softmax, gradient; else of one tile."""
    tokens, vocab = plan.batch * plan.length, architecture.sizes.vocab
    if plan.whole_logits:
        return tokens * vocab * (12 + (0 if plan.dtype == "float32" else BYTES[plan.dtype]))
    tile = min(tokens, TILE_TOKENS) * min(vocab, TILE_VOCAB)
    gradient = 4 * vocab * architecture.sizes.hidden if plan.full else 0  # of the head, summed in float32
    return tile * 12 + gradient
