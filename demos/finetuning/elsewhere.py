"""«Тот же рецепт на Mistral-7B»: what a run of this course would take on a model of usual size.

A model as small as ours cannot show every thesis: its adapters are a tenth of it, and full fine-tuning, LoRA and QLoRA
take about the same time. So each run stands beside this estimate. Counts and bytes of weights, gradients, optimizer and
file are exact; activations are those of ``demos.memory.training``; time is arithmetic over a named card's peak at a
stated utilisation, in one sentence. Leaves out quality: nobody can calculate that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import Any

from common import numbers
from demos.finetuning.counting import Counted, count
from demos.finetuning.spec import LOW_RANK, METHODS, VIRTUAL, RunSpec
from demos.lora.architectures import Architecture
from demos.lora.models import ARCHITECTURES
from demos.memory import training
from demos.memory.training import Plan, fits
from demos.memory.training_state import Precision

MODEL = "mistral-7b"
LENGTH = 256
"""Tokens of an example that the estimate assumes; our own are shorter."""
UTILISATION = 0.35
"""Share of a card's peak that training reaches: a usual figure for one card and a batch that fills it."""


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU: peak of dense 16-bit arithmetic (operations a second) and memory, from its data sheet."""

    title: str
    flops: float
    memory: int


CARDS: Mapping[str, Card] = MappingProxyType(
    {
        "t4": Card("T4 (16 ГБ)", 65e12, 16 * 10**9),
        "rtx-4090": Card("RTX 4090 (24 ГБ)", 165e12, 24 * 10**9),
        "a100": Card("A100 (80 ГБ)", 312e12, 80 * 10**9),
    }
)
"""From small to large: a recipe is put on the first that holds it, or on several of the last."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same recipe on a large model. Sizes in bytes."""

    title: str
    trainable: int
    total: int  # parameters of base and adapter
    share: float  # trainable / total, as PEFT prints it
    optimizer_bytes: int  # AdamW's two moments
    base_bytes: int  # weights as they lie in memory
    peak_bytes: int  # everything together at the peak of a step
    parts: training.Result
    file_bytes: int  # the adapter; the whole model in 16 bits after full fine-tuning
    cards: int
    card: str
    seconds: float
    tokens: int
    assumption: str  # Russian: what the estimate supposes
    note: str  # Russian: what only the large model shows


def same_recipe(spec: RunSpec, *, model: str = MODEL, length: int = LENGTH) -> Elsewhere:
    """What ``spec`` would take on ``model`` with examples of ``length`` tokens.

    Raises:
        ParamsError: target names that are no names.
    """
    architecture = ARCHITECTURES[model]
    counted = count(architecture, spec)
    parts = training.estimate(architecture, plan(spec, counted, length))
    cards, card = _cards(parts.total)
    tokens = spec.steps * spec.batch * spec.accumulation * length if spec.method != "none" else 0
    total = architecture.base + counted.added
    return Elsewhere(
        title=architecture.title,
        trainable=counted.trainable,
        total=total,
        share=counted.trainable / total,
        optimizer_bytes=_moments(spec, counted),
        base_bytes=parts.weights,
        peak_bytes=parts.total,
        parts=parts,
        file_bytes=_file_bytes(architecture, spec, counted),
        cards=cards,
        card=card.title,
        seconds=tokens * operations(architecture, spec, counted, length) / (cards * card.flops * UTILISATION),
        tokens=tokens,
        assumption=_assumption(length, cards, card),
        note=_note(architecture, spec, counted, parts),
    )


def plan(spec: RunSpec, counted: Counted, length: int, **changes: Any) -> Plan:
    """One step of ``spec`` for the memory calculator: 16 bits on a card, adapters as trl keeps them."""
    full = spec.method == "full"
    given: dict[str, Any] = {
        "trainable": counted.trainable,
        "full": full,
        "adapted": counted.layers,
        "rank": spec.rank if spec.method in LOW_RANK else 0,
        "quantization": spec.quantization,
        "double_quantization": spec.double_quantization,
        "dtype": "bfloat16",
        "precision": "mixed" if full else _adapter_precision(spec),
        "batch": spec.batch,
        "length": length + (spec.virtual_tokens if spec.method in VIRTUAL else 0),
        "checkpointing": spec.checkpointing,
        "device": "cuda",
    }
    return Plan(**(given | changes))


def operations(architecture: Architecture, spec: RunSpec, counted: Counted, length: int) -> float:
    """Floating-point operations for one token of the data: 6 a trained weight, 4 a frozen one, 2 more to recompute."""
    products = (module for module in architecture.modules if module.kind != "embedding")
    weights = sum(module.weights * architecture.times(module.path) for module in products)
    again = 2 * weights if spec.checkpointing else 0
    if spec.method == "full":
        return 6 * weights + again
    longer = 1 + (spec.virtual_tokens / length if spec.method in ("prompt", "ptuning") else 0)
    return longer * (4 * weights + again) + (6 * counted.trainable if spec.method not in VIRTUAL else 0)


def _adapter_precision(spec: RunSpec) -> Precision:
    """trl makes trainable parameters bfloat16 on a quantized base; peft alone keeps them in float32."""
    return "float32" if spec.quantization == "none" else "bfloat16"


def _moments(spec: RunSpec, counted: Counted) -> int:
    return counted.trainable * (4 if _adapter_precision(spec) == "bfloat16" else 8)


def _file_bytes(architecture: Architecture, spec: RunSpec, counted: Counted) -> int:
    if spec.method == "full":
        return 2 * architecture.base
    return counted.saved * (2 if _adapter_precision(spec) == "bfloat16" else 4)


def _cards(total: int) -> tuple[int, Card]:
    """The first card that holds so many bytes, or how many of the largest share them."""
    for card in CARDS.values():
        if fits(total, card.memory):
            return 1, card
    largest = CARDS["a100"]
    return ceil(total / (0.9 * largest.memory)), largest


def _assumption(length: int, cards: int, card: Card) -> str:
    place = card.title if cards == 1 else f"{cards} × {card.title}"
    return (
        f"Оценка: примеры по {numbers.integer(length)} токенов, база в bfloat16, {place} "
        f"при {numbers.percent(UTILISATION, 0)} от пиковой скорости; за токен 6 операций на обучаемый вес, 4 на прочие."
    )


def _note(architecture: Architecture, spec: RunSpec, counted: Counted, parts: training.Result) -> str:
    """One sentence on what a small model cannot show."""
    if counted.fallback:
        return f"Слоёв с такими именами в {architecture.title} нет: посчитано для всех линейных слоёв."
    if spec.method == "none":
        saved = numbers.size(2 * architecture.base - parts.weights)
        return f"Квантование экономит здесь килобайты, а там {saved}: с ним модель помещается на карту поменьше."
    kept = numbers.size(parts.weights + parts.gradients + parts.optimizer)
    if spec.method == "full":
        return (
            f"Здесь полное дообучение не тяжелее LoRA; там одни веса, градиенты и оптимизатор занимают {kept} — "
            "больше, чем помещается на одну карту."
        )
    share = numbers.percent(counted.trainable / (architecture.base + counted.added), 3)
    if spec.quantization in ("nf4", "fp4"):
        return (
            f"Здесь квантование почти ничего не экономит; там база сжимается с {numbers.size(2 * architecture.base)} "
            f"до {numbers.size(parts.weights)}, а обучается лишь {share} параметров."
        )
    return (
        f"Здесь адаптер заметен рядом с базой; там {METHODS[spec.method]} обучает {share} параметров, и память "
        f"оптимизатора падает с {numbers.size(8 * architecture.base)} до {numbers.size(parts.optimizer)}."
    )
