"""Что проверки строят рядом с вашим кодом. Файл открытый."""

from collections.abc import Callable

import torch


class Box:
    """Держит матрицу и даёт её вашей функции: потом видно, не изменилась ли она."""

    def __init__(self, matrix: torch.Tensor) -> None:
        self.matrix = matrix

    def pass_to(self, function: Callable[..., object], argument: float) -> None:
        """Вызывает function(matrix, argument); ответ здесь не нужен."""
        function(self.matrix, argument)


def on_paper() -> torch.Tensor:
    """Матрица из примера в условии: её сингулярные числа — 4 и 3."""
    return torch.tensor([[4.0, 0.0], [0.0, 0.0], [0.0, 3.0]])
