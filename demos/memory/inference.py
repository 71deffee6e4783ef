"""Memory of answering, part by part: weights, quantization constants, KV cache, activations of both phases, adapters.

Weights and cache are exact, to the byte: what bitsandbytes and ``transformers.DynamicCache`` hold (a test counts both).
Activations are the most that is alive while one layer is computed, within 2 % of what is counted on a CPU; what a
vendor's attention kernel works in is not. The prompt is read at once (prefill), then tokens come one by one (decode).
Leaves out sliding windows (Mistral v0.1, Phi-3-mini-4k and Gemma-2 keep fewer keys of a long context), paged caches of
serving systems, and adapters merged into the base: those take nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from demos.lora.architectures import Architecture
from demos.lora.matching import match
from demos.lora.models import ALL_LINEAR, ARCHITECTURES
from demos.memory.activations import fused
from demos.memory.lines import Line
from demos.memory.training import (
    ATTENTION_WORDS,
    BYTES,
    DEVICE_WORDS,
    OVERHEAD,
    Attention,
    Dtype,
    Plan,
    Quantization,
    base_bytes,
    low_rank,
)
from demos.params import Checked, parameter

CACHE = {"float32": 4, "bfloat16": 2, "int8": 1}
"""Bytes of a number of the cache; int8 without its scales, about 3 % more."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """A model, how it is kept, and how many answers of what length it gives at once."""

    architecture: str = parameter("llama-3.1-8b", "Модель", choices=tuple(ARCHITECTURES))
    quantization: Quantization = parameter(
        "none", "Веса", words={"none": "как есть", "nf4": "NF4", "fp4": "FP4", "int8": "INT8"}
    )
    prompt: int = parameter(2048, "Токенов в запросе", low=1, high=10**7)
    batch: int = parameter(1, "Запросов сразу", low=1, high=10**5)
    answer: int = parameter(512, "Токенов в ответе", low=0, high=10**7)
    dtype: Dtype = parameter("bfloat16", "Тип вычислений", choices=tuple(BYTES))
    cache: Literal["float32", "bfloat16", "int8"] = parameter("bfloat16", "Тип KV-кэша", choices=tuple(CACHE))
    attention: Attention = parameter("sdpa", "Внимание", words=ATTENTION_WORDS)
    double_quantization: bool = parameter(True, "Двойное квантование")
    adapters: int = parameter(0, "Неслитых адаптеров", low=0, high=10**4)
    rank: int = parameter(16, "Ранг адаптеров r", low=1, high=65536)
    targets: tuple[str, ...] = parameter((ALL_LINEAR,), "Целевые слои адаптеров")
    device: Literal["cuda", "cpu"] = parameter("cuda", "Устройство", words=DEVICE_WORDS)


@dataclass(frozen=True, slots=True)
class Result:
    """Bytes at the end of the answer, when the cache is full, or of the prefill where that is more."""

    weights: int  # codes or numbers alone
    constants: int  # of quantization: scales and tables
    cache: int  # keys and values of the prompt and of the answer
    cache_token: int  # of one token of one request
    activations: int  # the larger of both phases
    prefill: int  # activations while the prompt is read
    decode: int  # while one token is made
    logits: int
    adapters: int
    buffers: int  # one dequantized layer
    overhead: int
    total: int
    lines: tuple[Line, ...] = ()


def inference(params: Params) -> Result:
    """Memory of answering ``batch`` requests at once.

    Raises:
        ParamsError: no target names.
    """
    from demos.memory import inference_formulas

    architecture = ARCHITECTURES[params.architecture]
    result = estimate(architecture, params)
    return replace(result, lines=inference_formulas.lines(architecture, params, result))


def estimate(architecture: Architecture, params: Params) -> Result:
    """Bytes of each part.

    Raises:
        ParamsError: no target names.
    """
    width, sizes = BYTES[params.dtype], architecture.sizes
    whole = base_bytes(architecture, plan(params))
    codes = _codes(architecture, params)
    token = cache_token(architecture, params)
    phases = alive(architecture, params, params.prompt), alive(architecture, params, 1)
    layers = match(architecture, params.targets).layers if params.adapters else ()
    parts: dict[str, Any] = {
        "weights": codes,
        "constants": whole - codes,
        "cache": token * params.batch * (params.prompt + params.answer),
        "activations": max(phases),
        "logits": params.batch * sizes.vocab * (width + 4),  # of the last token, and the float32 copy to choose from
        "adapters": params.adapters * width * low_rank(layers, params.rank),
        "buffers": 0
        if params.quantization == "none"
        else max(module.weights for module in architecture.linear) * width,
        "overhead": OVERHEAD[params.device],
    }
    return Result(**parts, cache_token=token, prefill=phases[0], decode=phases[1], total=sum(parts.values()))


def plan(params: Params) -> Plan:
    """The base as the training calculator sees it."""
    return Plan(
        trainable=0,
        quantization=params.quantization,
        double_quantization=params.double_quantization,
        dtype=params.dtype,
        attention=params.attention,
    )


def cache_token(architecture: Architecture, params: Params) -> int:
    """Bytes of keys and values of one token in all layers."""
    sizes = architecture.sizes
    return 2 * sizes.layers * sizes.kv_heads * sizes.head_dim * CACHE[params.cache]


def _codes(architecture: Architecture, params: Params) -> int:
    width = BYTES[params.dtype]
    linear = sum(module.weights * architecture.times(module.path) for module in architecture.linear)
    share = {"none": width, "int8": 1}.get(params.quantization, 0.5)
    return round((architecture.base - linear) * width + linear * share)


def alive(architecture: Architecture, params: Params, tokens: int) -> int:
    """The most that is alive inside a layer while ``tokens`` of each request are computed: in the MLP or in attention.

    In the MLP: the embeddings, the layer's input, the residual and its normalisation, gate, up and their product, and
    without a fused kernel the scores, which the layer still holds. In attention without one: queries, keys and values
    repeated for every head, scores as they come and in float32. Besides: the mask, sine and cosine of positions.
    """
    sizes, width, rows = architecture.sizes, BYTES[params.dtype], params.batch * tokens
    learned = architecture.family == "gpt2"
    inner = 4 if architecture.family in ("gpt2", "phi3") else 3  # GELU written out; gate and up in one tensor
    mlp = rows * width * ((5 if learned else 4) * sizes.hidden + inner * sizes.intermediate)
    places = tokens * (8 + width * (sizes.hidden if learned else 2 * sizes.head_dim))  # positions in int64
    if fused(architecture, plan(params)):
        return mlp + places
    context = params.prompt if tokens > 1 else params.prompt + params.answer
    scores, masks = rows * sizes.heads * context, 2 if architecture.family == "gemma2" else 1
    queries, keys = sizes.heads * sizes.head_dim, sizes.kv_heads * sizes.head_dim
    whole = queries + 2 * keys if architecture.family == "phi3" else 0
    attention = rows * width * (3 * sizes.hidden + 3 * queries + whole) + scores * _score(architecture, params)
    return max(mlp + scores * width, attention) + masks * rows * context * width + places


def _score(architecture: Architecture, params: Params) -> int:
    """Bytes of a score in softmax: as it comes and in float32; a CPU widens it first, a GPU casts the result back."""
    width = BYTES[params.dtype]
    if width == 4 or architecture.family == "gpt2":
        return 2 * width
    return width + 8 if params.device == "cpu" else 2 * width + 4
