"""Memory that training keeps all the time, full against LoRA against QLoRA: weights, gradients, optimizer.

Full fine-tuning is mixed precision by default (16 bytes a parameter); with LoRA the base lies frozen in 16 bits, with
QLoRA in NF4 with double quantization, and the adapter is trained in float32 as PEFT keeps it. Leaves out activations,
which all three need, and the 32-bit embeddings that ``prepare_model_for_kbit_training`` makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from demos.lora import parameters
from demos.lora.models import ARCHITECTURES
from demos.memory import training_state, weights
from demos.memory.training_state import Optimizer, Precision
from demos.params import Checked, parameter


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What is trained, and how. ``precision`` is that of full fine-tuning."""

    architecture: str = parameter("mistral-7b", "Архитектура", choices=tuple(ARCHITECTURES))
    method: Literal["full", "lora", "qlora"] = parameter("lora", "Метод", choices=("full", "lora", "qlora"))
    rank: int = parameter(8, "Ранг r", low=1, high=65536)
    targets: tuple[str, ...] = parameter(("q_proj", "v_proj"), "Целевые слои")
    precision: Precision = parameter("mixed", "Точность", choices=("float32", "mixed", "bfloat16"))
    optimizer: Optimizer = parameter("adamw", "Оптимизатор", choices=("adamw", "adamw-8bit"))


@dataclass(frozen=True, slots=True)
class Result:
    """Bytes, activations excluded."""

    trainable: int
    weights_bytes: int  # the base, and the adapter if there is one
    gradient_bytes: int
    optimizer_bytes: int  # moments, and the master copy of mixed precision
    total_bytes: int
    times: float  # how many times less than full fine-tuning with the same precision and optimizer


def states(params: Params) -> Result:
    """What stays in memory between two steps.

    Raises:
        ParamsError: no target names.
    """
    base = ARCHITECTURES[params.architecture].base
    full = _parts(params, base, params.precision)
    if params.method == "full":
        return Result(base, *full, sum(full), 1.0)
    counted = parameters.count(
        parameters.Params(architecture=params.architecture, rank=params.rank, targets=params.targets)
    )
    storage: weights.Storage = "float16" if params.method == "lora" else "nf4-double"
    frozen = weights.weights(weights.Params(params.architecture, storage)).bytes
    adapter, gradients, optimizer = _parts(params, counted.trainable, "float32")
    whole = frozen + adapter + gradients + optimizer
    return Result(counted.trainable, frozen + adapter, gradients, optimizer, whole, sum(full) / whole)


def _parts(params: Params, trained: int, precision: Precision) -> tuple[int, int, int]:
    """Bytes of weights, gradients and optimizer for that many trained parameters."""
    each = training_state.training_state(training_state.Params(precision, params.optimizer))
    return round(trained * each.weight), round(trained * each.gradient), round(trained * (each.master + each.moments))
