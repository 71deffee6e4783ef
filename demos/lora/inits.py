"""How A and B begin, and what the first step sees: PEFT's own initialisations on a real layer of the bundled model.

One batch of the JSON task goes through the model with an adapter on one layer; the gradients are autograd's. With
G = ∂L/∂W they are ∂L/∂A = s·Bᵀ G and ∂L/∂B = s·G Aᵀ, so where B is zero A's is exactly zero, and where both are zero
nothing ever moves. PiSSA and OLoRA take their share out of W, so the model begins where it was. Then some steps of Adam
on the same batch. Leaves out how well a method learns in the end (the recorded runs of ``finetuning.methods``).
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from demos.lora.matrices import Kind
from demos.lora.updates import KINDS, SPEC, place
from demos.params import Checked, parameter

if TYPE_CHECKING:
    from torch import Tensor

EXAMPLES, RATE = 2, 5e-3
"""Examples of the batch, learning rate of Adam."""
INITS: Mapping[str, tuple[str, Any]] = MappingProxyType(
    {
        "kaiming": ("обычное: A случайная, B = 0", True),
        "gaussian": ("гауссово: A случайная, B = 0", "gaussian"),
        "orthogonal": ("orthogonal: A и B случайные, но B·A = 0", "orthogonal"),
        "pissa": ("PiSSA: главные направления W", "pissa"),
        "olora": ("OLoRA: QR-разложение W", "olora"),
        "random": ("обе случайные", False),
        "zero": ("обе нули", True),
    }
)
"""Initialisation → its name for a learner and PEFT's ``init_lora_weights``; PEFT has no «zero», A is set to 0 here."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which layer gets the adapter."""

    layer: int = parameter(3, "Слой модели", low=0, high=3)
    kind: Kind = parameter("q_proj", "Матрица", choices=KINDS)
    rank: int = parameter(8, "Ранг r", low=1, high=64)
    alpha: float = parameter(16, "Альфа", low=0, high=64)
    steps: int = parameter(1, "Шагов Adam", low=1, high=10)
    seed: int = parameter(0, "Зерно", low=0, high=2**31 - 1)


@dataclass(frozen=True, slots=True)
class Row:
    """One initialisation. Norms are Frobenius norms."""

    init: str
    title: str
    norm_a: float
    norm_b: float
    norm_update: float  # ‖s·B·A‖
    moved_base: float  # ‖W′ − W‖ / ‖W‖: what was taken out of the frozen weights
    shift: float  # largest change of a logit before the first step
    grad_a: float
    grad_b: float
    losses: tuple[float, ...]  # before the first step and after each


@dataclass(frozen=True, slots=True)
class Result:
    """Every initialisation; ``skipped`` says in Russian which one this rank does not allow."""

    title: str
    rank: int
    scale: float
    base_loss: float
    rows: tuple[Row, ...]
    skipped: str


def inits(params: Params) -> Result:
    """Begin in every way, look at the first step, take a few."""
    import torch

    batch = _batch()
    with torch.no_grad():
        said = _model()(**batch)
    names = [name for name in INITS if name != "orthogonal" or params.rank % 2 == 0]
    return Result(
        title=f"{params.kind}, слой {params.layer}",
        rank=params.rank,
        scale=params.alpha / params.rank,
        base_loss=float(said.loss),
        rows=tuple(_row(name, params, batch, said.logits) for name in names),
        skipped="" if len(names) == len(INITS) else "Для orthogonal ранг должен быть чётным.",
    )


def begin(init: str, params: Params) -> tuple[Any, Any]:
    """A model of its own with the adapter on one layer, and that layer as PEFT wrapped it."""
    import torch
    from peft import LoraConfig, get_peft_model

    target = place(params.layer, params.kind)
    settings = LoraConfig(
        r=params.rank,
        lora_alpha=params.alpha,
        target_modules=[target],
        init_lora_weights=INITS[init][1],
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(params.seed)
        model = get_peft_model(copy.deepcopy(_model()), settings)
    layer = model.get_submodule(f"base_model.model.{target}")
    if init == "zero":
        torch.nn.init.zeros_(layer.lora_A["default"].weight)
    return model, layer


def _row(init: str, params: Params, batch: Mapping[str, Tensor], logits: Tensor) -> Row:
    import torch

    model, layer = begin(init, params)
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    before = _model().get_submodule(place(params.layer, params.kind)).weight
    known = {
        "norm_a": a.norm().item(),
        "norm_b": b.norm().item(),
        "norm_update": layer.get_delta_weight("default").norm().item(),
        "moved_base": ((layer.base_layer.weight - before).norm() / before.norm()).item(),
    }
    said = model(**batch)
    grads = torch.autograd.grad(said.loss, (a, b))
    shift = (said.logits - logits).abs().max().item()
    first = {"grad_a": grads[0].norm().item(), "grad_b": grads[1].norm().item(), "shift": shift}
    losses = (said.loss.item(), *_train(model, (a, b), grads, batch, params.steps))
    return Row(init, INITS[init][0], **known, **first, losses=losses)


def _train(model: Any, trained: tuple[Tensor, Tensor], grads: Sequence[Tensor], batch: Any, steps: int) -> list[float]:
    """Losses after each step of Adam; the first gradients are known."""
    import torch

    optimizer, losses = torch.optim.Adam(trained, lr=RATE), []
    for step in range(1, steps + 1):
        for parameter_, grad in zip(trained, grads, strict=True):
            parameter_.grad = grad
        optimizer.step()
        with torch.set_grad_enabled(step < steps):
            loss = model(**batch).loss
        losses.append(loss.item())
        grads = torch.autograd.grad(loss, trained) if step < steps else ()
    return losses


@cache
def _model() -> Any:
    from demos.finetuning import base_model

    return base_model.load().requires_grad_(False)


@cache
def _batch() -> Mapping[str, Tensor]:
    """The first examples of the task, answers only in the loss."""
    from demos.finetuning import base_model, evaluate, tasks

    chats = tasks.build(SPEC.task).train[:EXAMPLES]
    padded, labels = evaluate.labelled(base_model.tokenizer(), chats)
    return {**padded, "labels": labels}
