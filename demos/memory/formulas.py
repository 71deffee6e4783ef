"""Every part of a training step's memory with its formula: in symbols, and with the numbers put in.

The second is arithmetic that a calculator takes and that gives the part's bytes (a test evaluates each). Symbols are
those of ``SYMBOLS``. Leaves out inference (``inference``) and the counting itself (``training``, ``activations``).
"""

from __future__ import annotations

from common.numbers import decimal, integer, size
from demos.lora.architectures import Architecture
from demos.lora.parameters import BYTES
from demos.memory import activations, trained, training
from demos.memory.activations import Kept, adapter_width, fused
from demos.memory.lines import Line
from demos.memory.training import Plan, Result
from demos.memory.training_state import Params as State
from demos.memory.training_state import training_state

SYMBOLS = (
    "P — параметры базы, p — обучаемые, n — веса линейных слоёв базы, o — их выходы, T — токенов в шаге "
    "(примеры × длина), t — длина примера, B — примеров, L — слоёв, d — ширина модели, q и k — ширина всех голов "
    "запросов и ключей, h — голов запросов, f — ширина MLP, r — ранг, V — словарь, b — байт в числе вычислений, "
    "a — в числе адаптера"
)
"""What the letters of the formulas mean."""


def training_lines(architecture: Architecture, plan: Plan, result: Result) -> tuple[Line, ...]:
    """All parts of a step, largest idea first: weights, adapter, gradients, optimizer, activations, the rest."""
    return (
        _weights(architecture, plan, result),
        *(() if plan.full else (_trained("adapter", "Адаптер", "p · a", plan, (result.adapter, "weight")),)),
        _trained("gradients", "Градиенты", "p · байты градиента", plan, (result.gradients, "gradient")),
        _optimizer(plan, result),
        Line("activations", "Активации", result.activations, "сумма строк ниже", _sum(result.kept)),
        *_pieces(architecture, plan, result.kept),
        _logits(architecture, plan, result),
        Line("buffers", "Временные тензоры", result.buffers, "один слой, развёрнутый из 4 бит; у DoRA ещё B·A", ""),
        Line(
            "overhead",
            "CUDA и библиотеки" if plan.device == "cuda" else "Процесс с библиотеками",
            result.overhead,
            "постоянная, оценка",
            "",
        ),
    )


def notes(architecture: Architecture, plan: Plan, result: Result) -> tuple[str, ...]:
    """What is special about this step: one Russian remark each."""
    found = []
    if not plan.full and plan.adapted and adapter_width(plan) != BYTES[plan.dtype]:
        found.append(
            f"Адаптер и база разной точности, поэтому peft копирует вход каждого слоя: {size(result.kept.inputs)}. "
            "Одна точность (так делает trl) или autocast обходится без копий."
        )
    if result.paged:
        found.append(
            f"Моменты ({size(result.paged)}) уйдут в память машины, если на карте кончится место: так медленнее."
        )
    if architecture.family == "gemma2" and plan.attention == "sdpa":
        found.append("У Gemma-2 оценки внимания ограничены, одного ядра для неё нет: посчитано по шагам.")
    if plan.magnitude:
        found.append("DoRA хранит для каждого слоя и ответ базы, и ответ адаптера: активаций больше, чем у LoRA.")
    return tuple(found)


def base(architecture: Architecture, storage: str, wide: int, *, double: bool) -> tuple[str, str]:
    """Formula of a frozen base: as it is, or with quantized linear layers."""
    linear = [(module, architecture.times(module.path)) for module in architecture.linear]
    inside = sum(module.weights * times for module, times in linear)
    rest = f"{integer(architecture.base - inside)} · {wide}"
    if storage == "none":
        return "P · b", f"{integer(architecture.base)} · {wide}"
    if storage == "int8":
        outputs = sum(module.outputs * times for module, times in linear)
        return "n + 4·o + (P − n) · b", f"{integer(inside)} + 4 · {integer(outputs)} + {rest}"
    half, count = integer(inside), sum(times for _, times in linear)
    if double:
        tables = 64 + 4 * 256 + 4
        return (
            "n/2 + n/64 + 4·n/(64·256) + таблицы слоёв + (P − n) · b",
            f"{half} / 2 + {half} / 64 + 4 · {half} / (64 · 256) + {count} · {integer(tables)} + {rest}",
        )
    return "n/2 + 4·n/64 + таблицы слоёв + (P − n) · b", f"{half} / 2 + 4 · {half} / 64 + {count} · 64 + {rest}"


def _weights(architecture: Architecture, plan: Plan, result: Result) -> Line:
    if plan.full:
        return _trained("weights", "Веса", "P · байты веса", plan, (result.weights, "weight"))
    symbols, put = base(architecture, plan.quantization, BYTES[plan.dtype], double=plan.double_quantization)
    return Line("weights", "Веса базы", result.weights, symbols, put)


def _trained(identity: str, title: str, symbols: str, plan: Plan, taken: tuple[int, str]) -> Line:
    taken_bytes, part = taken
    each = getattr(training_state(State(plan.precision, plan.optimizer)), part)
    wide = sum(tensor.size * tensor.times for tensor in plan.tensors if tensor.wide)
    put = f"{integer(plan.trainable - wide)} · {each:g}" + (f" + {integer(wide)} · 4" if wide else "")
    return Line(identity, title, taken_bytes, symbols + (" + длины DoRA · 4" if wide else ""), put)


def _optimizer(plan: Plan, result: Result) -> Line:
    title = "Моменты AdamW"
    master = sum(t.size * t.times for t in plan.tensors if not t.wide) if plan.precision == "mixed" else 0
    if master:
        title = "Моменты AdamW и копия FP32"
    extra = (f" + {integer(master)} · 4", " + p · 4") if master else ("", "")
    if plan.optimizer.endswith("8bit"):
        small = [(t.size, t.times) for t in plan.tensors if trained.quantized(t)]
        large = plan.trainable - sum(size * times for size, times in small)
        scales = sum(-(-size // trained.BLOCK) * times for size, times in small)
        put = f"2 · {integer(plan.trainable - large)} + 8 · {integer(scales)} + 8 · {integer(large)}"
        tables = f" + {integer(trained.TABLES)}" if small else ""
        symbols = "2·p + 8·p/256, у эмбеддингов и тензоров мельче 4096 чисел — 8·p"
        return Line("optimizer", f"{title}, 8 бит", result.optimizer, symbols + extra[1], put + extra[0] + tables)
    wide = sum(t.size * t.times for t in plan.tensors if t.wide)
    each = 4 if plan.precision == "bfloat16" and not plan.optimizer.startswith("paged") else 8
    put = f"{integer(plan.trainable - wide)} · {each}" + (f" + {integer(wide)} · 8" if wide else "")
    return Line("optimizer", title, result.optimizer, f"p · {each}" + extra[1], put + extra[0])


def _sum(kept: Kept) -> str:
    parts = (kept.inputs, kept.adapters, kept.attention, kept.mlp, kept.norms, kept.ends, kept.checkpoints)
    return " + ".join(integer(part) for part in parts if round(part))


def _pieces(architecture: Architecture, plan: Plan, kept: Kept) -> tuple[Line, ...]:
    """Parts of the activations that are not empty. With checkpointing they are one layer's, the one computed again."""
    sizes, tokens, width = architecture.sizes, plan.batch * plan.length, BYTES[plan.dtype]
    layers = 1 if plan.checkpointing else sizes.layers
    many = f"{integer(tokens)} · {layers}"
    each = 4 if architecture.family == "gpt2" else 3
    rest = kept.ends
    found = (
        _inputs(plan, kept, tokens, width),
        _line("adapters", "внутри адаптеров", kept.adapters, *_adapter(architecture, plan, layers, tokens)),
        _line("attention", "внимание", kept.attention, *_attention(architecture, plan, many)),
        _line(
            "mlp",
            "MLP",
            kept.mlp,
            f"T · L · b · {each} · f",
            f"{many} · {width} · {each} · {integer(sizes.intermediate)}",
        ),
        _line("norms", "нормализации", kept.norms, *_norms(architecture, plan, layers)),
        _line(
            "ends",
            "начало и конец модели",
            rest,
            "sin и cos позиций, последняя нормализация, вход выходного слоя",
            integer(rest),
        ),
        _line(
            "checkpoints",
            "чекпоинты: входы слоёв",
            kept.checkpoints,
            "T · L · b · d",
            f"{integer(tokens)} · {sizes.layers} · {width} · {integer(sizes.hidden)}",
        ),
    )
    return tuple(line for line in found if line.bytes)


def _line(identity: str, title: str, size: float, symbols: str, put: str) -> Line:
    """A part of the activations; what the first layer, where gradients start, does not keep is taken off."""
    less = evaluate(put) - size
    if abs(less) >= 1:
        put += f" {'−' if less > 0 else '+'} {integer(abs(less))}"
        symbols += " − чего нет в первом слое" if less > 0 else " + единичная матрица DoRA"
    return Line(identity, title, round(size), symbols, put, of="activations")


def _inputs(plan: Plan, kept: Kept, tokens: int, width: int) -> Line:
    each = width if plan.full else adapter_width(plan)
    wide = kept.inputs / (tokens * each)
    symbols = "T · b · сумма ширин входов" if each == width else "T · a · сумма ширин входов (копия для каждого)"
    return Line(
        "inputs",
        "входы обучаемых слоёв",
        round(kept.inputs),
        symbols,
        f"{integer(tokens)} · {each} · {integer(wide)}",
        of="activations",
    )


def _adapter(architecture: Architecture, plan: Plan, layers: int, tokens: int) -> tuple[str, str]:
    if plan.full:
        return "", "0"
    own = [(m, times * layers / architecture.sizes.layers) for m, times in plan.adapted if m.per_layer]
    count, wide = sum(times for _, times in own), adapter_width(plan)
    put = f"{integer(tokens)} · {wide} · {plan.rank} · {_plain(count)}"
    if not plan.magnitude:
        return "T · a · r · адаптеров", put
    outputs = sum(module.outputs * times for module, times in own)
    inner = f"({integer(tokens)} · {BYTES[plan.dtype] + wide} + {wide + 8})"
    return "T · a · r · адаптеров + o · (T·(b + a) + a + 8)", f"{put} + {_plain(outputs)} · {inner}"


def _plain(value: float) -> str:
    return integer(value) if float(value).is_integer() else decimal(value, 4)


def _attention(architecture: Architecture, plan: Plan, many: str) -> tuple[str, str]:
    sizes, width = architecture.sizes, BYTES[plan.dtype]
    queries, keys = sizes.heads * sizes.head_dim, sizes.kv_heads * sizes.head_dim
    if not fused(architecture, plan):
        score = activations.score_bytes(architecture, plan)
        put = f"{many} · ({width} · 3 · {integer(queries)} + {sizes.heads} · {integer(plan.length)} · {score})"
        return "T · L · (b · 3·q + h · t · байты оценки)", put
    mask = f" + {width} · {integer(plan.length)}" if plan.padding else ""
    if plan.padding and sizes.heads != sizes.kv_heads:
        inner = f"{width} · 4 · {integer(queries)}"
        return "T · L · (b · 4·q + 4·h + b·t)", f"{many} · ({inner} + 4 · {sizes.heads}{mask})"
    values = queries + 2 * keys if architecture.family == "phi3" else keys
    inner = f"{width} · (2 · {integer(queries)} + {integer(keys)} + {integer(values)})"
    own = "(q + 2·k)" if architecture.family == "phi3" else "k"
    return (
        f"T · L · (b · (2·q + k + {own}) + 4·h{' + b·t' if plan.padding else ''})",
        f"{many} · ({inner} + 4 · {sizes.heads}{mask})",
    )


def _norms(architecture: Architecture, plan: Plan, layers: int) -> tuple[str, str]:
    count = sum("{layer}" in norm.path for norm in architecture.norms)
    each = activations.norm_bytes(architecture, plan)
    own = {"gpt2": "T · (b·d + 2·b)", "gemma2": "4 · (T·d + T + d)"}.get(architecture.family, "T · (4·d + 4)")
    if plan.full and architecture.family != "gpt2":
        own += " + T · 4·d" if architecture.family == "gemma2" else " + T · b·d"
    return f"L · {count} · ({own})", f"{layers} · {count} · {_plain(each)}"


def _logits(architecture: Architecture, plan: Plan, result: Result) -> Line:
    tokens, vocab = plan.batch * plan.length, architecture.sizes.vocab
    if plan.whole_logits:
        each = 12 + (0 if plan.dtype == "float32" else BYTES[plan.dtype])
        return Line(
            "logits",
            "Логиты",
            result.logits,
            f"T · V · {each}",
            f"{integer(tokens)} · {integer(vocab)} · {each}",
        )
    tile, part = min(tokens, training.TILE_TOKENS), min(vocab, training.TILE_VOCAB)
    head = f" + 4 · {integer(vocab)} · {integer(architecture.sizes.hidden)}" if plan.full else ""
    symbols = "12 · min(T, 4096) · min(V, 32768)" + (" + 4 · V · d" if plan.full else "")
    return Line("logits", "Логиты (по частям)", result.logits, symbols, f"12 · {integer(tile)} · {integer(part)}{head}")


def evaluate(put: str) -> float:
    """The value of a formula with its numbers put in. Only our own text comes here.

    >>> evaluate("4\\u00a0096 · 2 − 1,5")
    8190.5
    """
    plain = put.translate({0xA0: "", ord("·"): "*", ord("−"): "-", ord(","): "."}).replace(" ", "")
    value = 0.0
    for sign, term in _terms(plain):
        value += sign * _product(term)
    return value


def _terms(text: str) -> list[tuple[int, str]]:
    """A sum's terms with their signs; brackets are not opened."""
    found, depth, start, sign = [], 0, 0, 1
    for place, letter in enumerate(text + "+"):
        depth += (letter == "(") - (letter == ")")
        if letter in "+-" and not depth:
            found.append((sign, text[start:place]))
            start, sign = place + 1, 1 if letter == "+" else -1
    return [(sign, term) for sign, term in found if term]


def _product(text: str) -> float:
    value, depth, start, divide = 1.0, 0, 0, False
    for place, letter in enumerate(text + "*"):
        depth += (letter == "(") - (letter == ")")
        if letter in "*/" and not depth:
            factor = text[start:place]
            number = evaluate(factor[1:-1]) if factor.startswith("(") else float(factor)
            value = value / number if divide else value * number
            start, divide = place + 1, letter == "/"
    return value
