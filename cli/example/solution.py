"""Множитель поправки LoRA."""

import torch


def scaled(update: torch.Tensor, alpha: float, rank: int) -> torch.Tensor:
    """Поправка update, умноженная на α/r: новый тензор той же формы."""
    return update * (alpha / rank)
