"""LoRA поверх одного линейного слоя.

d — выходов, k — входов, r — ранг; «…» — любые оси перед последней (пакет, длина текста).
"""

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
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Ответ слоя: x формы (…, k) → (…, d)."""
        raise NotImplementedError

    def merge(self) -> None:
        """Прибавляет поправку к весу базы. Повторный вызов ничего не меняет."""
        raise NotImplementedError

    def unmerge(self) -> None:
        """Возвращает вес базы, каким он был до merge. Если слияния не было, ничего не меняет."""
        raise NotImplementedError
