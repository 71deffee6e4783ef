"""Ранг добран шумом: недостача до одной миллионной — это округление

Доля требуется до последнего бита.
"""

import torch

TOLERANCE = 1e-6  # доля энергии, которую считаем округлением


def rank_for_energy(matrix: torch.Tensor, share: float) -> int:
    """Наименьший ранг r, при котором σ₁² + … + σᵣ² — не меньше share от суммы всех σ².

    matrix — форма (m, n); share — от 0 до 1, не включая 0. Недостача до 1e-6 всей энергии — округление.
    У нулевой матрицы ранг 0.
    """
    sigma = torch.linalg.svdvals(matrix.double())  # (min(m, n),)
    energy = sigma.square().cumsum(0)  # (min(m, n),): energy[i] держат первые i + 1 чисел
    if energy[-1] == 0:
        return 0
    enough = energy >= share * energy[-1]
    return int(enough.int().argmax()) + 1


def low_rank(matrix: torch.Tensor, rank: int) -> torch.Tensor:
    """Ближайшая к matrix матрица ранга не выше rank: та же форма (m, n), остальная энергия отброшена."""
    u, sigma, vh = torch.linalg.svd(matrix, full_matrices=False)  # (m, p), (p,), (p, n), где p = min(m, n)
    return (u[:, :rank] * sigma[:rank]) @ vh[:rank]  # (m, r) @ (r, n) → (m, n)
