"""Какой ранг нужен матрице: сингулярные числа, их энергия и лучшее приближение.

m × n — форма матрицы, r — ранг; сингулярные числа σ идут по убыванию.
"""

import torch


def rank_for_energy(matrix: torch.Tensor, share: float) -> int:
    """Наименьший ранг r, при котором σ₁² + … + σᵣ² — не меньше share от суммы всех σ².

    matrix — форма (m, n); share — от 0 до 1, не включая 0. Недостача до 1e-6 всей энергии — округление.
    У нулевой матрицы ранг 0.
    """
    raise NotImplementedError


def low_rank(matrix: torch.Tensor, rank: int) -> torch.Tensor:
    """Ближайшая к matrix матрица ранга не выше rank: та же форма (m, n), остальная энергия отброшена."""
    raise NotImplementedError
