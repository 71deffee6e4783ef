"""После merge поправка входит в ответ дважды: через вес и ещё раз в forward

forward не смотрит, слит ли слой.
"""

import math

import torch
from torch import nn


class LoRALinear(nn.Module):
    """Замороженный слой base и обучаемая поправка: y = base(x) + (alpha / rank) · B A x.

    base — nn.Linear с весом W формы (d, k); слой хранит его в self.base.
    self.A — nn.Parameter формы (rank, k), в начале случайная.
    self.B — nn.Parameter формы (d, rank), в начале нули.
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.A = nn.Parameter(torch.empty(rank, base.in_features))  # (r, k)
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))  # (d, r)
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))
        self.scale = alpha / rank
        self.merged = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Ответ слоя: x формы (…, k) → (…, d)."""
        y = self.base(x)  # (…, d)
        return y + self.scale * (x @ self.A.T @ self.B.T)  # (…, k) → (…, r) → (…, d)

    @torch.no_grad()
    def merge(self) -> None:
        """Прибавляет поправку к весу базы. Повторный вызов ничего не меняет."""
        if not self.merged:
            self.base.weight += self.scale * (self.B @ self.A)  # (d, r) @ (r, k) → (d, k)
            self.merged = True

    @torch.no_grad()
    def unmerge(self) -> None:
        """Возвращает вес базы, каким он был до merge. Если слияния не было, ничего не меняет."""
        if self.merged:
            self.base.weight -= self.scale * (self.B @ self.A)  # (d, k)
            self.merged = False
