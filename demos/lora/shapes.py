"""One layer: how many numbers W, A and B hold. W is d × k (outputs × inputs), A is rank × k, B is d × rank."""

from __future__ import annotations

from dataclasses import dataclass

from demos.params import Checked, parameter


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """The layer and the rank."""

    d: int = parameter(4096, "Выходов d", low=1, high=10**7)
    k: int = parameter(4096, "Входов k", low=1, high=10**7)
    rank: int = parameter(16, "Ранг r", low=1, high=10**7)


@dataclass(frozen=True, slots=True)
class Result:
    """Numbers stored, and what follows from them."""

    full: int  # d·k
    a: int  # r·k
    b: int  # d·r
    lora: int  # r·(d + k)
    share: float  # lora / full
    times: float  # full / lora
    breakeven: float  # the rank at which A and B together are as large as W: d·k / (d + k)
    largest_rank: int  # the rank of a d × k matrix is at most min(d, k): more rows in A add nothing


def layer(params: Params) -> Result:
    """What LoRA of this rank stores for one d × k layer."""
    d, k, rank = params.d, params.k, params.rank
    full, a, b = d * k, rank * k, d * rank
    return Result(full, a, b, a + b, (a + b) / full, full / (a + b), full / (d + k), min(d, k))
