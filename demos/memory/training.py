"""Memory of one training step, part by part: weights, adapter, gradients, optimizer, activations, logits, the rest.

Weights, gradients and optimizer are what torch, peft and bitsandbytes allocate, activations what autograd keeps
(``activations``): each within 2 % of what is counted on real models (``counted``, ``content/measured/memory.json``).
Leaves out what the allocator loses between blocks, several devices, offloading of weights and 8-bit activations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Literal

from demos.lora import parameters
from demos.lora.architectures import Architecture, Module
from demos.lora.matching import match
from demos.lora.models import ALL_LINEAR, ARCHITECTURES
from demos.memory import trained
from demos.memory.activations import Kept, adapter_width, kept
from demos.memory.lines import Line
from demos.memory.trained import Tensor
from demos.memory.training_state import OPTIMIZER_WORDS, Optimizer, Precision, training_state
from demos.memory.training_state import Params as State
from demos.params import Checked, parameter

Attention = Literal["sdpa", "eager"]
ATTENTION_WORDS = {"sdpa": "одним ядром (SDPA, Flash)", "eager": "по шагам (eager)"}
Dtype = Literal["float32", "bfloat16", "float16"]
Quantization = Literal["none", "nf4", "fp4", "int8"]
BYTES = parameters.BYTES
BLOCK, OUTER_BLOCK = 64, 256
"""Weights that share an absmax, and absmaxes that share one in double quantization: bitsandbytes' defaults."""
TILE_TOKENS, TILE_VOCAB = 4096, 32768
"""trl computes the loss in tiles of so many tokens and so much of the vocabulary (``trl.kernels.chunked_logprob``)."""
OVERHEAD = {"cuda": 600 * 10**6, "cpu": 700 * 10**6}
"""CUDA context and libraries; on a CPU the process with torch, transformers, peft, trl and bitsandbytes loaded."""

DEVICE_WORDS = {"cuda": "видеокарта", "cpu": "процессор"}
USABLE = {"cuda": 0.9, "cpu": 0.8}
"""Part of the free memory that a step may take; a worker gives a run no more than that of the machine's (``jobs``)."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What is trained, how, and on what batch. ``precision`` is that of the trained parameters."""

    architecture: str = parameter("mistral-7b", "Архитектура", choices=tuple(ARCHITECTURES))
    method: Literal["full", "lora", "dora"] = parameter(
        "lora", "Метод", words={"full": "полное", "lora": "LoRA", "dora": "DoRA"}
    )
    quantization: Quantization = parameter(
        "nf4",
        "База под адаптером",
        words={"none": "не квантована", "nf4": "NF4 — QLoRA", "fp4": "FP4", "int8": "INT8"},
    )
    double_quantization: bool = parameter(True, "Двойное квантование")
    dtype: Dtype = parameter("bfloat16", "Тип вычислений", choices=tuple(BYTES))
    precision: Precision = parameter(
        "float32",
        "Точность обучаемых весов",
        words={"float32": "FP32", "mixed": "смешанная", "bfloat16": "BF16"},
        note="Полное дообучение обычно ведут в смешанной точности; trl держит адаптеры QLoRA в bfloat16.",
    )
    optimizer: Optimizer = parameter("adamw", "Оптимизатор", words=OPTIMIZER_WORDS)
    rank: int = parameter(16, "Ранг r", low=1, high=65536)
    targets: tuple[str, ...] = parameter((ALL_LINEAR,), "Целевые слои")
    batch: int = parameter(4, "Примеров в шаге", low=1, high=10**5)
    length: int = parameter(512, "Токенов в примере", low=1, high=10**7)
    checkpointing: bool = parameter(False, "Чекпоинтинг активаций")
    attention: Attention = parameter("sdpa", "Внимание", words=ATTENTION_WORDS)
    padding: bool = parameter(
        False,
        "Примеры разной длины",
        note="С маской паддинга ключи и значения размножаются до числа голов запросов, и хранится сама маска.",
    )
    whole_logits: bool = parameter(
        False, "Логиты целиком", note="trl считает потери по частям, простой цикл — целиком."
    )
    device: Literal["cuda", "cpu"] = parameter("cuda", "Устройство", words=DEVICE_WORDS)


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
    padding: bool = False
    magnitude: bool = False  # DoRA: a trained length beside every adapted layer's output
    tensors: tuple[Tensor, ...] = ()  # what is trained, one by one; without them every number counts alike


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
    paged: int = 0  # of the optimizer: what a paged one may move to the machine's own memory
    kept: Kept = Kept()  # the activations, by what keeps them
    lines: tuple[Line, ...] = ()  # every part with its formula
    notes: tuple[str, ...] = ()  # what is special about this step, in Russian


def training(params: Params) -> Result:
    """Memory of one step of full fine-tuning, LoRA or DoRA on the base as it is kept.

    Raises:
        ParamsError: no target names.
    """
    from demos.memory import formulas

    architecture, planned = ARCHITECTURES[params.architecture], plan(params)
    result = estimate(architecture, planned)
    lines = formulas.training_lines(architecture, planned, result)
    return replace(result, lines=lines, notes=formulas.notes(architecture, planned, result))


def plan(params: Params, architecture: Architecture | None = None) -> Plan:
    """The step that ``params`` describe, on another architecture if one is given.

    Raises:
        ParamsError: no target names.
    """
    architecture = architecture or ARCHITECTURES[params.architecture]
    full, dora = params.method == "full", params.method == "dora"
    layers = () if full else match(architecture, params.targets).layers
    tensors = trained.whole(architecture) if full else trained.adapter(layers, params.rank, magnitude=dora)
    return Plan(
        trainable=sum(tensor.size * tensor.times for tensor in tensors),
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
        padding=params.padding,
        magnitude=dora,
        tensors=tensors,
    )


def low_rank(layers: tuple[tuple[Module, int], ...], rank: int) -> int:
    """Parameters of A and B on these layers."""
    return sum(rank * (layer.inputs + layer.outputs) * times for layer, times in layers)


def estimate(architecture: Architecture, plan: Plan) -> Result:
    """Bytes of one step, part by part."""
    each = training_state(State(plan.precision, plan.optimizer))
    wide = sum(tensor.size * tensor.times for tensor in plan.tensors if tensor.wide)  # float32 whatever the rest is
    narrow = plan.trainable - wide
    own, held = round(narrow * each.weight) + 4 * wide, kept(architecture, plan)
    states = trained.states(plan.tensors, plan.precision, plan.optimizer) or round(
        narrow * (each.master + each.moments)
    )
    parts: dict[str, Any] = {
        "weights": own if plan.full else base_bytes(architecture, plan),
        "adapter": 0 if plan.full else own,
        "gradients": round(narrow * each.gradient) + 4 * wide,
        "optimizer": states,
        "activations": held.total,
        "logits": _logits(architecture, plan),
        "buffers": buffers(architecture, plan),
        "overhead": OVERHEAD[plan.device],
    }
    paged = states if plan.optimizer.startswith("paged") else 0
    return Result(plan.trainable, **parts, total=sum(parts.values()), paged=paged, kept=held)


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


def buffers(architecture: Architecture, plan: Plan) -> int:
    """One dequantized layer; DoRA also builds B·A of its size and the sum of both to measure its length."""
    largest = max(module.weights for module in architecture.linear)
    plain = 0 if plan.quantization == "none" else largest * BYTES[plan.dtype]
    return plain + (2 * largest * max(adapter_width(plan), BYTES[plan.dtype]) if plan.magnitude else 0)


def _logits(architecture: Architecture, plan: Plan) -> int:
    """Of the whole vocabulary in a plain loop: as they come, in float32, log-softmax, gradient; else of one tile."""
    tokens, vocab = plan.batch * plan.length, architecture.sizes.vocab
    if plan.whole_logits:
        return tokens * vocab * (12 + (0 if plan.dtype == "float32" else BYTES[plan.dtype]))
    tile = min(tokens, TILE_TOKENS) * min(vocab, TILE_VOCAB)
    gradient = 4 * vocab * architecture.sizes.hidden if plan.full else 0  # of the head, summed in float32
    return tile * 12 + gradient
