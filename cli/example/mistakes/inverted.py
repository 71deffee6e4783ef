"""Дробь перевёрнута: поправка умножена на r/α

Делимое и делитель переставлены.
"""

import torch


def scaled(update: torch.Tensor, alpha: float, rank: int) -> torch.Tensor:
    """Поправка update, умноженная на α/r: новый тензор той же формы."""
    return update * (rank / alpha)
