"""Is a model low-rank, or only what fine-tuning adds to it? Energy of the first directions: W, full ΔW, noise.

W is a layer of the bundled model, ΔW what full fine-tuning on one task really changed in it (``updates``), noise a
Gaussian matrix of the same size. Energy is the share of the squared singular values. Leaves out large models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos.lora import real_layer, updates
from demos.lora.matrices import Kind
from demos.lora.updates import KINDS
from demos.params import Checked, parameter

if TYPE_CHECKING:
    from torch import Tensor

SEED = 0


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which layer, and how many directions are kept."""

    layer: int = parameter(3, "Слой модели", low=0, high=3)
    kind: Kind = parameter("v_proj", "Матрица", choices=KINDS)
    rank: int = parameter(8, "Оставить направлений", low=1, high=192)


@dataclass(frozen=True, slots=True)
class Result:
    """Shares of energy that the first ``rank`` directions keep."""

    weights: float
    update: float
    random: float


def energy(params: Params) -> Result:
    """Look at one layer.

    Raises:
        ParamsError: the recorded update is not in its place, or of another base model.
    """
    import torch

    weight = real_layer.weight(params.layer, params.kind)  # (out, in)
    noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(SEED))
    return Result(
        _kept(torch.linalg.svdvals(weight), params.rank),
        _kept(updates.singular(params.layer, params.kind), params.rank),
        _kept(torch.linalg.svdvals(noise), params.rank),
    )


def _kept(singular: Tensor, rank: int) -> float:
    """Share of the squares that the largest ``rank`` of them hold."""
    squares = singular.double() ** 2
    return (squares[:rank].sum() / squares.sum()).item()
