"""Функция изменила тензор, который ей дали: после вызова он другой

Умножено на месте.
"""

import torch


def scaled(update: torch.Tensor, alpha: float, rank: int) -> torch.Tensor:
    """Поправка update, умноженная на α/r: новый тензор той же формы."""
    update *= alpha / rank
    return update
