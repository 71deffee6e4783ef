"""Что проверки строят рядом с решением."""

import torch
from torch import nn


def ones() -> torch.Tensor:
    """Вес 4 × 4 из единиц."""
    return torch.ones(4, 4)


def network(first: torch.Tensor, second: torch.Tensor) -> nn.Module:
    """Два слоя без сдвига и ReLU между ними: «0» с весом first (h, k) и «2» с весом second (d, h)."""
    layers = [nn.Linear(weight.shape[1], weight.shape[0], bias=False) for weight in (first, second)]
    with torch.no_grad():
        for layer, weight in zip(layers, (first, second), strict=True):
            layer.weight.copy_(weight)
    return nn.Sequential(layers[0], nn.ReLU(), layers[1])


def fill(model: nn.Module, a: torch.Tensor, b: torch.Tensor) -> None:
    """Кладёт a (r, k) и b (h, r) в адаптер слоя «0»."""
    adapter = model.get_submodule("base_model.model.0")
    with torch.no_grad():
        adapter.lora_A["default"].weight.copy_(a)
        adapter.lora_B["default"].weight.copy_(b)
