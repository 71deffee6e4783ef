"""How many directions an update uses: singular values of a learned ΔW beside those of a random matrix.

The ΔW is learned here and now: a linear layer is fine-tuned in full (gradient descent on all d·k weights, least
squares) towards a task that differs from the old one in a few directions, on data with noise. Nothing tells the
training to stay low-rank. The random matrix is Gaussian. Energy is the share of the squared singular values
(Eckart–Young: what the best approximation of that rank keeps). Leaves out language models: their updates are low-rank
in this sense only as far as their task is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from demos.params import Checked, ParamsError, parameter

if TYPE_CHECKING:
    from torch import Generator, Tensor

EXAMPLES_PER_INPUT = 4
STEPS = 60


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """The update to look at. ``rank`` is how many directions to keep, ``directions`` how many the task changes."""

    kind: Literal["adapted", "random"] = parameter("adapted", "Матрица", choices=("adapted", "random"))
    d: int = parameter(256, "Выходов d", low=2, high=512)
    k: int = parameter(256, "Входов k", low=2, high=512)
    rank: int = parameter(8, "Оставить направлений", low=1, high=512)
    directions: int = parameter(8, "Направлений в задаче", low=1, high=512)
    noise: float = parameter(0.05, "Шум в данных", low=0, high=10)
    seed: int = parameter(0, "Зерно", low=0, high=2**31)


@dataclass(frozen=True, slots=True)
class Result:
    """Both spectra; the single numbers are of the matrix that ``kind`` names. Curves start at rank 1."""

    kind: str
    rank: int
    full_rank: int  # min(d, k)
    energy: float  # share that the first ``rank`` directions keep
    rank_for_90: int
    rank_for_99: int
    curve: tuple[float, ...]
    adapted_curve: tuple[float, ...]
    random_curve: tuple[float, ...]
    adapted_rank_for_90: int
    random_rank_for_90: int


def spectrum(params: Params) -> Result:
    """Learn an update, draw a random matrix, compare how their energy adds up.

    Raises:
        ParamsError: a rank or a number of directions above the matrix's own.
    """
    full_rank = min(params.d, params.k)
    if max(params.rank, params.directions) > full_rank:
        raise ParamsError(f"В матрице {params.d} × {params.k} не больше {full_rank} направлений: уменьшите число.")
    import torch

    generator = torch.Generator().manual_seed(params.seed)
    adapted = _energy(_learn(params, generator))
    random = _energy(torch.randn(params.d, params.k, generator=generator))
    curve = adapted if params.kind == "adapted" else random
    return Result(
        kind=params.kind,
        rank=params.rank,
        full_rank=full_rank,
        energy=curve[params.rank - 1],
        rank_for_90=rank_for(curve, 0.90),
        rank_for_99=rank_for(curve, 0.99),
        curve=curve,
        adapted_curve=adapted,
        random_curve=random,
        adapted_rank_for_90=rank_for(adapted, 0.90),
        random_rank_for_90=rank_for(random, 0.90),
    )


def rank_for(curve: tuple[float, ...], share: float) -> int:
    """The smallest rank whose energy reaches ``share``; the full rank when rounding keeps the curve below it."""
    return next((rank for rank, energy in enumerate(curve, 1) if energy >= share), len(curve))


def _learn(params: Params, generator: Generator) -> Tensor:
    """ΔW (d × k) after gradient descent on ‖ΔW x − change x − noise‖² over random inputs."""
    import torch

    x = torch.randn(EXAMPLES_PER_INPUT * params.k, params.k, generator=generator)
    wanted = x @ _change(params, generator).T
    wanted += params.noise * torch.randn(wanted.shape, generator=generator)
    covariance, pull = x.T @ x / len(x), wanted.T @ x / len(x)
    step = 1 / torch.linalg.matrix_norm(covariance, 2)
    update = torch.zeros(params.d, params.k)
    for _ in range(STEPS):
        update -= step * (update @ covariance - pull)
    return update


def _change(params: Params, generator: Generator) -> Tensor:
    """What the new task adds to W: orthogonal directions, each weaker than the one before."""
    import torch

    left = torch.linalg.qr(torch.randn(params.d, params.directions, generator=generator)).Q
    right = torch.linalg.qr(torch.randn(params.k, params.directions, generator=generator)).Q
    strength = torch.arange(1, params.directions + 1) ** -0.5
    change: Tensor = (left * strength) @ right.T
    return change


def _energy(matrix: Tensor) -> tuple[float, ...]:
    """Cumulative shares of the squared singular values, largest first."""
    import torch

    squares = torch.linalg.svdvals(matrix).double() ** 2
    return tuple((squares.cumsum(0) / squares.sum()).tolist())
