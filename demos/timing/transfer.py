"""How long bytes travel between a machine's memory and its GPU: offloaded weights, paged moments, batches.

A PCIe lane carries 8, 16 or 32 GT/s in generations 3, 4 and 5, 128 of 130 bits of it data (PCI Express base
specification). What is reached is less: the part is the learner's field. Pinned (page-locked) memory is copied by the
card itself; pageable memory goes through a staging buffer first (CUDA C++ best practices guide, «Pinned Memory»), so it
takes longer: told from that source, not measured here. Leaves out overlap with computing and latency of small copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from demos.lora.models import ARCHITECTURES
from demos.params import Checked, parameter

GENERATIONS = {3: 8e9, 4: 16e9, 5: 32e9}
"""Transfers a second of one lane."""
CODED = 128 / 130
WHAT = {
    "weights": "все веса в 16 битах",
    "layer": "веса одного слоя в 16 битах",
    "moments": "моменты AdamW всех весов (FP32)",
    "adapter": "моменты адаптера r = 16",
    "own": "свой размер",
}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What is moved, over how many lanes."""

    what: Literal["weights", "layer", "moments", "adapter", "own"] = parameter("weights", "Что переносим", words=WHAT)
    architecture: str = parameter("mistral-7b", "Модель", choices=tuple(ARCHITECTURES))
    gigabytes: float = parameter(1.0, "Свой размер, ГБ", low=0.000001, high=10.0**6)
    lanes: int = parameter(16, "Линий PCIe", low=1, high=16)
    reached: float = parameter(
        0.8, "Достигается от теоретической", low=0.01, high=1.0, note="Закреплённая память: обычно 0,75–0,9."
    )
    passes: int = parameter(1, "Раз за шаг", low=1, high=1000, note="Выгрузка и загрузка — два раза.")
    step: float = parameter(1.0, "Шаг без переноса, с", low=0.001, high=10.0**5)


@dataclass(frozen=True, slots=True)
class Row:
    """One generation of PCIe. Bytes a second, seconds."""

    generation: int
    theoretical: float
    reached: float
    seconds: float
    slower: float  # a step with the transfer, without overlap, to one without it


@dataclass(frozen=True, slots=True)
class Result:
    """The same bytes over three generations."""

    bytes: int
    passes: int
    lanes: int
    step: float
    rows: tuple[Row, ...]


def transfer(params: Params) -> Result:
    """Time to move the bytes, and what it does to a step when nothing overlaps."""
    size = _bytes(params)
    rows = tuple(_row(params, generation, size) for generation in GENERATIONS)
    return Result(size, params.passes, params.lanes, params.step, rows)


def bandwidth(generation: int, lanes: int) -> float:
    """Theoretical bytes a second in one direction.

    >>> round(bandwidth(4, 16) / 1e9, 3)
    31.508
    """
    return GENERATIONS[generation] * lanes * CODED / 8


def _row(params: Params, generation: int, size: int) -> Row:
    most = bandwidth(generation, params.lanes)
    seconds = params.passes * size / (most * params.reached)
    return Row(generation, most, most * params.reached, seconds, (params.step + seconds) / params.step)


def _bytes(params: Params) -> int:
    architecture = ARCHITECTURES[params.architecture]
    layer = sum(module.weights for module in architecture.linear)
    adapter = sum(16 * (m.inputs + m.outputs) * architecture.times(m.path) for m in architecture.linear)
    sizes = {
        "weights": 2 * architecture.base,
        "layer": 2 * layer,
        "moments": 8 * architecture.base,
        "adapter": 8 * adapter,
        "own": round(params.gigabytes * 10**9),
    }
    return sizes[params.what]
