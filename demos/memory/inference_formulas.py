"""Every part of the memory of answering with its formula: in symbols, and with the numbers put in (``formulas``)."""

from __future__ import annotations

from common.numbers import integer
from demos.lora.architectures import Architecture
from demos.memory import formulas, inference
from demos.memory.inference import Params, Result
from demos.memory.lines import Line
from demos.memory.training import BYTES

SYMBOLS = (
    "P — параметры, n — веса линейных слоёв, b — байт в числе вычислений, c — байт в числе кэша, L — слоёв, "
    "g — голов ключей, e — ширина головы, B — запросов сразу, s и m — токенов в запросе и в ответе, V — словарь"
)
"""What the letters of the formulas mean."""


def lines(architecture: Architecture, params: Params, result: Result) -> tuple[Line, ...]:
    """All parts, what is always there first."""
    width, sizes = BYTES[params.dtype], architecture.sizes
    linear = sum(module.weights * architecture.times(module.path) for module in architecture.linear)
    each = {"none": str(width), "int8": "1"}.get(params.quantization, "0,5")
    rest = f" + {integer(architecture.base - linear)} · {width}"
    codes = f"{integer(linear)} · {each}{rest}"
    _, whole = formulas.base(architecture, params.quantization, width, double=params.double_quantization)
    head = f"2 · {sizes.layers} · {sizes.kv_heads} · {sizes.head_dim} · {inference.CACHE[params.cache]}"
    logits = f"{integer(params.batch)} · {integer(sizes.vocab)} · ({width} + 4)"
    phase = "чтение запроса" if result.prefill >= result.decode else "один токен ответа"
    return (
        Line("weights", "Веса", result.weights, "P · b" if each == str(width) else f"n · {each} + (P − n) · b", codes),
        Line("constants", "Константы квантования", result.constants, "шкалы и таблицы слоёв", f"{whole} − ({codes})"),
        Line(
            "cache",
            "KV-кэш",
            result.cache,
            "2 · L · g · e · c · B · (s + m)",
            f"{head} · {integer(params.batch)} · ({integer(params.prompt)} + {integer(params.answer)})",
        ),
        Line("activations", "Активации", result.activations, f"больше всего живёт: {phase}", ""),
        Line("logits", "Логиты", result.logits, "B · V · (b + 4)", logits),
        Line("adapters", "Неслитые адаптеры", result.adapters, "адаптеров · параметры · b", ""),
        Line("buffers", "Слой, развёрнутый из кодов", result.buffers, "вход · выход · b", ""),
        Line("overhead", "CUDA и библиотеки", result.overhead, "постоянная, оценка", ""),
    )
