"""Поправка умножена на α, но не поделена на ранг.

В LoraConfig вместо alpha ушло alpha · rank: peft поделит на rank сам, и останется α.
"""

import peft
import torch
from torch import nn


def wrap(network: nn.Module, rank: int, alpha: float, targets: list[str]) -> nn.Module:
    """network с адаптерами ранга rank на слоях targets."""
    return peft.get_peft_model(network, peft.LoraConfig(r=rank, lora_alpha=alpha * rank, target_modules=targets))


def trainable(model: nn.Module) -> int:
    """Сколько параметров учится."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def step(model: nn.Module, x: torch.Tensor, target: torch.Tensor, rate: float) -> float:
    """Один шаг SGD по адаптеру; потеря до него."""
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=rate)
    loss = nn.functional.mse_loss(model(x), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def merge(model: nn.Module) -> nn.Module:
    """Сеть без адаптеров, которая отвечает так же."""
    return model.merge_and_unload()
