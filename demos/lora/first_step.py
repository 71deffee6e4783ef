"""The first backward pass through a LoRA layer, measured with autograd: why B starts at zero and A does not.

With y = W x + s·B A x and G = ∂L/∂y the formulas are ∂L/∂A = s·Bᵀ G xᵀ and ∂L/∂B = s·G (A x)ᵀ, so at B = 0 the
gradient of A is exactly zero and that of B is not. Leaves out the optimizer: one backward pass, no step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from demos.params import Checked, parameter

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from demos.lora.layer import LoRALinear

Init = Literal["standard", "both-random", "both-zero", "a-zero"]
BATCH = 32


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """A layer of d outputs and k inputs and how A and B start."""

    d: int = parameter(64, "Выходов d", low=1, high=4096)
    k: int = parameter(64, "Входов k", low=1, high=4096)
    rank: int = parameter(8, "Ранг r", low=1, high=4096)
    alpha: float = parameter(16, "Альфа (lora_alpha)", low=0, high=10**6)
    init: Init = parameter("standard", "Начало", choices=("standard", "both-random", "both-zero", "a-zero"))
    seed: int = parameter(0, "Зерно", low=0, high=2**31)


@dataclass(frozen=True, slots=True)
class Result:
    """What the first step sees. Norms are Frobenius norms."""

    output_shift: float  # ‖y − W x‖ / ‖W x‖ before any step
    grad_a: float
    grad_b: float
    error_a: float  # largest |autograd − formula| over the largest entry, where A and B are both random
    error_b: float


def first_step(params: Params) -> Result:
    """One forward and backward pass with a squared-error loss on random data."""
    import torch

    generator = torch.Generator().manual_seed(params.seed)
    layer = _layer(params, generator)
    x, target = (torch.randn(BATCH, size, generator=generator) for size in (params.k, params.d))
    _start(layer, params.init, generator)
    with torch.no_grad():
        plain = layer.base(x)
        shift = ((layer(x) - plain).norm() / plain.norm()).item()
    grad_a, grad_b, _ = _backward(layer, x, target)
    _start(layer, "both-random", generator)
    errors = _errors(layer, x, target)
    return Result(shift, grad_a.norm().item(), grad_b.norm().item(), *errors)


def _layer(params: Params, generator: Generator) -> LoRALinear:
    import torch

    from demos.lora.layer import LoRALinear

    base = torch.nn.Linear(params.k, params.d)
    with torch.no_grad():
        base.weight.copy_(torch.randn(params.d, params.k, generator=generator) / params.k**0.5)
        base.bias.zero_()
    return LoRALinear(base, params.rank, params.alpha)


def _start(layer: LoRALinear, init: Init, generator: Generator) -> None:
    """Give A and B the values that the initialisation asks for."""
    import torch

    random_a, random_b = init in {"standard", "both-random"}, init in {"both-random", "a-zero"}
    with torch.no_grad():
        for matrix, random in ((layer.A, random_a), (layer.B, random_b)):
            width = matrix.shape[1] ** -0.5
            draw = torch.rand(matrix.shape, generator=generator) * 2 - 1  # uniform within ±1/√columns
            matrix.copy_(draw * width if random else torch.zeros_like(matrix))


def _backward(layer: LoRALinear, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of A, B and y; x: batch × k, target: batch × d."""
    import torch

    y = layer(x)
    grads = torch.autograd.grad(((y - target) ** 2).mean(), (layer.A, layer.B, y))
    return grads[0], grads[1], grads[2]


def _errors(layer: LoRALinear, x: Tensor, target: Tensor) -> tuple[float, float]:
    """How far the two formulas are from autograd. Rows are examples here, so G and x enter transposed."""
    grad_a, grad_b, grad_y = _backward(layer, x, target)
    formula_a = layer.scale * layer.B.T @ grad_y.T @ x
    formula_b = layer.scale * grad_y.T @ (x @ layer.A.T)
    return _relative(formula_a, grad_a), _relative(formula_b, grad_b)


def _relative(got: Tensor, want: Tensor) -> float:
    largest = want.abs().max().item()
    return (got - want).abs().max().item() / largest if largest else got.abs().max().item()
