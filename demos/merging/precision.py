"""What merging loses: an adapter of the course put into the weights in six ways, layer by layer, under a microscope.

Three things are told apart: how far the merged weights are from the tuned ones, how much of the update is left in the
direction it had, and what the answers say. The weights are computed here and now; the answers, a hundred for each
way, are measured beforehand (``scripts/measure_merging.py``), and ``answers`` repeats any of them. Leaves out adapters
of the learner's own (``demos.finetuning.adapters.merging``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from demos.finetuning.adapters import shipped
from demos.merging import stored, weights
from demos.merging.stored import Measured
from demos.merging.weights import WAYS, Way
from demos.params import Checked, parameter

if TYPE_CHECKING:
    from torch import Tensor

Name = Literal["json", "polite", "intents", "json-nf4"]
Strength = Literal["1", "5", "20", "50", "100"]
STRENGTHS: tuple[Strength, ...] = get_args(Strength)
"""Percent of the update that are put into the weights: points where answers were measured."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which adapter of the course, and how much of it."""

    adapter: Name = parameter("json", "Адаптер", words=shipped.TITLES)
    strength: Strength = parameter("100", "Сила адаптера, %", choices=STRENGTHS)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer merged in one way."""

    block: int
    kind: str  # q_proj …
    error: float  # ‖merged − tuned‖ / ‖tuned‖, Frobenius
    largest: float  # largest |merged − tuned| of a weight
    cosine: float  # between what merging changed and the update; 0 when nothing changed
    kept: float  # the update's share left in its own direction: ⟨change, update⟩ / ‖update‖²
    changed: float  # share of stored numbers that changed


@dataclass(frozen=True, slots=True)
class Loss:
    """One way: all layers, all of them together, and the measured answers."""

    way: str
    title: str
    layers: tuple[Layer, ...]
    error: float
    largest: float
    cosine: float
    kept: float
    changed: float
    answers: Measured | None  # None where this course measured none


@dataclass(frozen=True, slots=True)
class Result:
    """Every way, from the finest to the coarsest. ``update`` is ‖ΔW‖ / ‖W‖ over all layers."""

    adapter: str
    title: str
    strength: int  # percent
    quantized: bool  # trained on an NF4 base
    update: float
    ways: tuple[Loss, ...]
    tuned: Measured | None  # the adapter beside the base
    base: Measured | None  # no adapter
    made: str  # when and by what the answers were measured


def precision(params: Params) -> Result:
    """Merge in every way and measure what is left."""
    import torch

    spec = shipped.SPECS[params.adapter]
    low = spec.quantization == "nf4"
    original = weights.base()
    update = weights.deltas(shipped.adapter(params.adapter), int(params.strength) / 100)
    found: dict[Way, list[tuple[str, Tensor, Tensor, Tensor, float]]] = {way: [] for way in WAYS}
    with torch.inference_mode():
        for layer, delta in sorted(update.items(), key=lambda one: _place(one[0])):
            four_bits = weights.quantize(original[layer])
            tuned = (four_bits.value if low else original[layer]) + delta
            for way in WAYS:
                done = weights.merge(way, original[layer], delta, four_bits)
                found[way].append((layer, done.after - tuned, done.after - done.before, tuned, done.changed))
        ways = tuple(_loss(params, way, rows, update) for way, rows in found.items())
    size = _norm(list(update.values())) / _norm([original[layer] for layer in update])
    return Result(
        params.adapter,
        shipped.TITLES[params.adapter],
        int(params.strength),
        low,
        size,
        ways,
        stored.find(params.adapter, params.strength, "tuned"),
        stored.find(params.adapter, "100", "base"),
        stored.said(),
    )


def _loss(
    params: Params, way: Way, rows: list[tuple[str, Tensor, Tensor, Tensor, float]], update: dict[str, Tensor]
) -> Loss:
    layers = tuple(
        Layer(*_place(name), *_sizes([wrong], [tuned]), *_left([change], [update[name]]), changed)
        for name, wrong, change, tuned, changed in rows
    )
    names, wrongs, changes, tuneds, _ = zip(*rows, strict=True)
    error, largest = _sizes(wrongs, tuneds)
    cosine, kept = _left(changes, [update[name] for name in names])
    counts = [tensor.numel() for tensor in tuneds]
    changed = sum(layer.changed * count for layer, count in zip(layers, counts, strict=True)) / sum(counts)
    measured = stored.find(params.adapter, params.strength, way)
    return Loss(way, WAYS[way], layers, error, largest, cosine, kept, changed, measured)


def _sizes(wrong: Sequence[Tensor], right: Sequence[Tensor]) -> tuple[float, float]:
    return _norm(wrong) / _norm(right), max(float(one.abs().max()) for one in wrong)


def _left(change: Sequence[Tensor], update: Sequence[Tensor]) -> tuple[float, float]:
    """Cosine and share of the update in what was changed, over all these matrices as one vector."""
    along = sum(float((one.double() * other.double()).sum()) for one, other in zip(change, update, strict=True))
    length, whole = _norm(change), _norm(update)
    return (along / (length * whole) if length * whole else 0.0), (along / whole**2 if whole else 0.0)


def _norm(tensors: Sequence[Tensor]) -> float:
    return float(sum(float(one.double().square().sum()) for one in tensors) ** 0.5)


def _place(layer: str) -> tuple[int, str]:
    parts = layer.split(".")
    return int(parts[2]), parts[-1]
