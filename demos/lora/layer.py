"""LoRA around one linear layer, written to be read: lesson 2 quotes it, exercises compare with it.

Leaves out what PEFT adds around the same arithmetic: dropout, several adapters at once, quantized bases. The one
module of demos/ that imports torch when it is imported; nothing that a page loads imports it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class LoRALinear(nn.Module):
    """y = W x + b + (α/r) · B A x, where W and b stay as they are and only A and B learn.

    W: outputs × inputs, frozen;  A: rank × inputs, small random;  B: outputs × rank, zero at the start.
    x: (…, inputs), y: (…, outputs). After ``merge()`` the addition is inside W and costs nothing.

    Raises:
        ValueError: a rank below one.
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        self.base = base
        self.base.requires_grad_(False)
        self.A = nn.Parameter(torch.empty(rank, base.in_features))
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))  # uniform within ±1/√inputs, as PEFT does
        self.scale = alpha / rank
        self.merged = False

    def forward(self, x: Tensor) -> Tensor:
        """(…, inputs) → (…, outputs)."""
        y: Tensor = self.base(x)
        if not self.merged:
            y = y + self.scale * (x @ self.A.T @ self.B.T)
        return y

    def delta(self) -> Tensor:
        """The update ΔW = (α/r) · B A: outputs × inputs, like W."""
        return self.scale * (self.B @ self.A)

    @torch.no_grad()
    def merge(self) -> None:
        """Add ΔW to W once; a second call changes nothing."""
        if not self.merged:
            self.base.weight += self.delta()
            self.merged = True

    @torch.no_grad()
    def unmerge(self) -> None:
        """Take ΔW out of W again, up to rounding."""
        if self.merged:
            self.base.weight -= self.delta()
            self.merged = False
