"""Что проверки строят рядом с вашим кодом. Файл открытый."""

import torch


def after(update: torch.Tensor, alpha: float, rank: int) -> tuple[object, torch.Tensor]:
    """Вызывает вашу функцию: её ответ и тензор, каким он после этого стал."""
    import solution  # ваш файл

    return solution.scaled(update, alpha, rank), update


def on_paper() -> torch.Tensor:
    """Поправка из примера в условии."""
    return torch.tensor([[1.0, 0.0], [2.0, 3.0]])
