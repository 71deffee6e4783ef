"""Quantize one linear layer of the bundled model, or all of them: how the loss really moves, and what was expected.

Everything is measured on the same held-out examples (``expansion.examples``): loss, exact answers, gradient and the
Hessian's product. Points W + tε on the way show where the parabola holds. Leaves out activations: they stay
in float64, as nothing but the weights is rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos.params import Checked, ParamsError, parameter
from demos.sensitivity import expansion, kinds
from demos.sensitivity.expansion import NAMES, Measured, Terms
from demos.sensitivity.kinds import BLOCKS, KINDS, Kind

if TYPE_CHECKING:
    from torch import Tensor

ALL = "all"
WAY = (-1.0, 0.5, 1.0)
"""Where along ε the loss is measured: W + tε. At t = 1 the layer is quantized."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which layer becomes what."""

    layer: str = parameter("1.v_proj", "Слой", choices=(ALL, *NAMES), note="номер блока и имя матрицы")
    kind: Kind = parameter("nf4", "Тип", choices=KINDS)
    block: int = parameter(64, "Размер блока", low=BLOCKS[0], high=BLOCKS[-1], note="весов на один масштаб absmax")

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        if self.block not in BLOCKS:
            raise ParamsError(f"Размер блока: нужна степень двойки от 32 до 1024, а получено «{self.block}».")


@dataclass(frozen=True, slots=True)
class Point:
    """Change of the loss at W + tε."""

    t: float
    change: float


@dataclass(frozen=True, slots=True)
class Result:
    """Losses in nats per answer token; ``first`` and ``second`` are the terms of the expansion."""

    layer: str
    kind: str
    block: int
    weights: int
    bits: float  # per weight, scales included
    relative_error: float  # ‖ε‖ / ‖W‖
    loss: float  # before
    change: float  # of the loss at W + ε
    way: tuple[Point, ...]  # the same at W + tε
    first: float  # ⟨∇L, ε⟩
    second: float  # ½ εᵀHε
    curvature: float  # εᵀHε / ‖ε‖²
    exact_before: int
    exact_after: int
    examples: int
    tokens: int

    @property
    def estimate(self) -> float:
        """Both terms together."""
        return self.first + self.second


def layer(params: Params) -> Result:
    """Round, differentiate twice, measure along the way."""
    direction = error(params.layer, params.kind, params.block)
    loaded, data = expansion.model(), expansion.batches()
    before, (terms,) = expansion.expand(loaded, data, [direction])
    way = {times: expansion.moved(loaded, data, direction, times) for times in WAY}
    return summary(params, direction, before, terms, way)


def error(name: str, kind: str, block: int) -> dict[str, Tensor]:
    """ε = rounded W − W of one layer, or of all."""
    known = expansion.weights(expansion.model())
    names = NAMES if name == ALL else (name,)
    return {one: kinds.rounded(known[one], kind, block) - known[one] for one in names}


def summary(
    params: Params, direction: dict[str, Tensor], before: Measured, terms: Terms, way: Mapping[float, Measured]
) -> Result:
    """What was measured as plain numbers; ``way`` holds t = 1, where the layer is quantized."""
    known = expansion.weights(expansion.model())
    points = tuple(Point(times, there.loss - before.loss) for times, there in way.items())
    square = sum(float((step**2).sum()) for step in direction.values())
    size = sum(float((known[name] ** 2).sum()) for name in direction)
    return Result(
        layer=params.layer,
        kind=params.kind,
        block=params.block,
        weights=sum(step.numel() for step in direction.values()),
        bits=kinds.bits_per_weight(params.kind, params.block),
        relative_error=(square / size) ** 0.5,
        loss=before.loss,
        change=way[1.0].loss - before.loss,
        way=points,
        first=terms.first,
        second=terms.second,
        curvature=2 * terms.second / square if square else 0.0,
        exact_before=before.exact,
        exact_after=way[1.0].exact,
        examples=len(expansion.examples()),
        tokens=expansion.tokens(expansion.batches()),
    )
