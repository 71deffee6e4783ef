"""Where the memory calculator was checked: twenty steps of real small models, counted part by part.

The counts lie in ``content/measured/memory.json``, written by ``scripts/memory.py``; one of them can be repeated here,
in a second or two. A calculator that is right on a small model is right on a large one: it counts tensors by the same
sizes. Leaves out GPUs: nothing of this was measured on one yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from demos.lora.architectures import Architecture, Family, Sizes, build
from demos.lora.models import ARCHITECTURES
from demos.memory import training
from demos.memory.training import Params as Step
from demos.params import Checked, ParamsError, parameter, read

FILE = Path(__file__).parents[2] / "content" / "measured" / "memory.json"
PARTS: Mapping[str, str] = {
    "weights": "веса",
    "adapter": "адаптер",
    "gradients": "градиенты",
    "optimizer": "оптимизатор",
    "activations": "активации",
}
"""What is compared, and its name."""

_FP32 = {"dtype": "float32", "precision": "float32"}
_BF16 = {"dtype": "bfloat16", "precision": "bfloat16"}
_QV = {"targets": ("q_proj", "v_proj")}
_NF4 = {"quantization": "nf4"}


@dataclass(frozen=True, slots=True)
class Point:
    """One step to count: a family, its number of key heads, and what differs from the usual."""

    id: str
    title: str
    family: Family
    changes: Mapping[str, Any]
    kv_heads: int = 2

    @property
    def architecture(self) -> Architecture:
        """A small model of the family, with more query heads than key heads where it can have them."""
        sizes = Sizes(192, 3, 6, 6 if self.family == "gpt2" else self.kv_heads, 32, 320, 256, True)
        return build(self.id, self.title, self.family, sizes)

    @property
    def step(self) -> Step:
        """What is done with it, four examples of 100 tokens unless something else is said."""
        usual = {"batch": 4, "length": 100, "rank": 8, "quantization": "none", "device": "cpu"}
        return read(Step, {**usual, **self.changes})


POINTS = (
    Point("llama-full", "Llama, полное, FP32", "llama", {"method": "full", **_FP32}),
    Point("llama-full-eager", "Llama, полное, BF16, eager", "llama", {"method": "full", "attention": "eager", **_BF16}),
    Point(
        "llama-full-8bit", "Llama, полное, AdamW 8 бит", "llama", {"method": "full", "optimizer": "adamw-8bit", **_BF16}
    ),
    Point(
        "llama-full-checkpoints",
        "Llama, полное, чекпоинтинг",
        "llama",
        {"method": "full", "checkpointing": True, **_BF16},
    ),
    Point("llama-lora", "Llama, LoRA во всех слоях, FP32", "llama", _FP32),
    Point("llama-lora-cast", "Llama, LoRA FP32 над базой BF16", "llama", {"dtype": "bfloat16"}),
    Point("llama-lora-qv", "Llama, LoRA в q и v, eager", "llama", {**_QV, **_FP32, "attention": "eager"}),
    Point("llama-lora-padding", "Llama, LoRA, примеры разной длины", "llama", {"padding": True, "dtype": "bfloat16"}),
    Point("llama-qlora", "Llama, QLoRA NF4, адаптер BF16", "llama", {**_NF4, **_BF16}),
    Point(
        "llama-qlora-paged",
        "Llama, QLoRA, чекпоинтинг, paged AdamW 8 бит",
        "llama",
        {**_NF4, "dtype": "bfloat16", "checkpointing": True, "optimizer": "paged-adamw-8bit"},
    ),
    Point("llama-int8", "Llama, LoRA над INT8", "llama", {"quantization": "int8", "dtype": "bfloat16"}),
    Point("llama-dora", "Llama, DoRA, FP32", "llama", {"method": "dora", **_FP32}),
    Point("llama-qdora", "Llama, DoRA над NF4", "llama", {"method": "dora", **_NF4, **_BF16}),
    Point(
        "llama-long",
        "Llama, 1 × 512, eager, чекпоинтинг",
        "llama",
        {
            "batch": 1,
            "length": 512,
            "attention": "eager",
            "dtype": "bfloat16",
            "checkpointing": True,
        },
    ),
    Point("llama-mha", "Llama без GQA, LoRA, 8 × 64", "llama", {"batch": 8, "length": 64, **_FP32}, 6),
    Point("phi3-full", "Phi-3, полное, BF16", "phi3", {"method": "full", **_BF16}),
    Point("phi3-dora", "Phi-3, DoRA, чекпоинтинг", "phi3", {"method": "dora", "checkpointing": True, **_FP32}),
    Point("gpt2-full", "GPT-2, полное, eager", "gpt2", {"method": "full", "attention": "eager", **_BF16}),
    Point("gpt2-lora", "GPT-2, LoRA, FP32", "gpt2", _FP32),
    Point("qwen2-lora", "Qwen2, LoRA, 1 × 333", "qwen2", {"batch": 1, "length": 333, "dtype": "bfloat16"}),
    Point("qwen2-qlora", "Qwen2, QLoRA в q и v", "qwen2", {**_QV, **_NF4, **_BF16}),
    Point(
        "gemma2-full",
        "Gemma-2, полное, eager",
        "gemma2",
        {"method": "full", "attention": "eager", "whole_logits": True, **_BF16},
    ),
)
"""Every point, by family and method."""


_LARGE = {"method": "full", "padding": True, "device": "cpu", **_BF16}
LARGE: Mapping[str, Mapping[str, Any]] = {
    "mistral-7b": {"batch": 4, "length": 512, **_LARGE},
    "llama-3-70b": {"batch": 1, "length": 4096, **_LARGE},
    "phi-3-mini": {"batch": 2, "length": 512, **_LARGE},
    "qwen2.5-7b": {"batch": 4, "length": 512, "attention": "eager", **_LARGE},
    "gpt2-xl": {"batch": 4, "length": 256, "attention": "eager", **_LARGE},
}
"""Steps at real size, of tensors that have a shape and no numbers: activations alone."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which point to count again."""

    point: str = parameter("llama-qlora", "Точка", words={point.id: point.title for point in POINTS})


@dataclass(frozen=True, slots=True)
class Row:
    """One part of memory, in bytes."""

    part: str
    estimated: int
    counted: int

    @property
    def difference(self) -> float:
        """Estimate less count, as a share of the count."""
        return self.estimated / self.counted - 1 if self.counted else float(self.estimated)


@dataclass(frozen=True, slots=True)
class Result:
    """A point counted: here and now, and the estimate beside it."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The counts that the page tells."""

    made: str  # date
    versions: tuple[tuple[str, str], ...]
    points: tuple[Result, ...]
    large: tuple[Result, ...]

    @property
    def worst(self) -> float:
        """The largest difference of any part of any point."""
        return max(abs(row.difference) for point in (*self.points, *self.large) for row in point.rows)


def count(params: Params) -> Result:
    """Build the point's model, take its step, count, and compare."""
    point = find(params.point)
    return compare(point, measure(point))


def find(identity: str) -> Point:
    """The point of that name.

    Raises:
        ParamsError: there is none.
    """
    found = next((point for point in POINTS if point.id == identity), None)
    if found is None:
        raise ParamsError(f"Нет точки «{identity[:40]}».")
    return found


def measure(point: Point) -> dict[str, int]:
    """Bytes of each part of a real step."""
    from demos.memory import counted

    return asdict(counted.step(point.architecture, point.step))


def compare(point: Point, counts: Mapping[str, int]) -> Result:
    """The estimate beside counts; a part that is empty on both sides is left out."""
    estimate = training.estimate(point.architecture, training.plan(point.step, point.architecture))
    rows = (Row(part, getattr(estimate, part), counts[part]) for part in PARTS)
    return Result(point.title, tuple(row for row in rows if row.estimated or row.counted))


def imagine(model: str) -> int:
    """Bytes of activations of a step of ``LARGE``, counted without allocating them."""
    from demos.memory import counted

    return counted.imagined(ARCHITECTURES[model], read(Step, LARGE[model]))


def _large(model: str, activations: int) -> Result:
    architecture, step = ARCHITECTURES[model], read(Step, LARGE[model])
    estimate = training.estimate(architecture, training.plan(step, architecture))
    title = f"{architecture.title}, полное, {step.batch} × {step.length}"
    return Result(title, (Row("activations", estimate.activations, activations),))


@cache
def recorded(file: Path = FILE) -> Recorded:
    """What ``scripts/memory.py`` counted, beside the estimates of now."""
    data = json.loads(file.read_text(encoding="utf-8"))
    known = {point.id: point for point in POINTS}
    points = tuple(compare(known[name], counts) for name, counts in data["points"].items() if name in known)
    large = tuple(_large(model, size) for model, size in data["large"].items() if model in LARGE)
    return Recorded(data["made"], tuple(data["versions"].items()), points, large)
