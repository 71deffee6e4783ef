"""Memory of one GPU when several train one model: stages of ZeRO share optimizer, gradients and weights.

With mixed-precision Adam a parameter takes 2 bytes of weight, 2 of gradient and K = 12 of optimizer (Rajbhandari et
al., «ZeRO: Memory Optimizations Toward Training Trillion Parameter Models», 2020, section 5 and figure 1). Stage 1
divides the optimizer by the number of GPUs, stage 2 gradients too, stage 3 weights too. Leaves out activations,
buffers of communication and fragmentation, which the stages do not divide.
"""

from __future__ import annotations

from dataclasses import dataclass

from demos.params import Checked, parameter

GB = 10**9
STAGES = ("без ZeRO", "стадия 1", "стадия 2", "стадия 3")
TRAFFIC = (2.0, 2.0, 2.0, 3.0)
"""What a GPU sends in a step, in model sizes (section 7): all-reduce is 2; stage 3 gathers the weights once more."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """A model and the cards that share it; the defaults are the paper's example."""

    billions: float = parameter(7.5, "Параметров, млрд", low=0.001, high=10.0**6)
    gpus: int = parameter(64, "Видеокарт", low=1, high=100_000)
    memory: float = parameter(32.0, "Память карты, ГБ", low=1.0, high=10.0**4)
    weight: float = parameter(2.0, "Байт на вес", low=0.5, high=8.0)
    gradient: float = parameter(2.0, "Байт на градиент", low=0.5, high=8.0)
    optimizer: float = parameter(
        12.0,
        "Байт оптимизатора на вес",
        low=0.0,
        high=24.0,
        note="Adam в смешанной точности: копия FP32 и два момента.",
    )
    share: float = parameter(
        100.0,
        "Обучается, % параметров",
        low=0.001,
        high=100.0,
        note="У LoRA — доля адаптера: замороженное делит лишь стадия 3.",
    )


@dataclass(frozen=True, slots=True)
class Stage:
    """Bytes on one GPU."""

    title: str
    weights: float
    gradients: float
    optimizer: float
    total: float
    traffic: float  # bytes that one GPU sends in a step
    fits: bool


@dataclass(frozen=True, slots=True)
class Result:
    """Stages 0 to 3."""

    gpus: int
    memory: float
    stages: tuple[Stage, Stage, Stage, Stage]


def zero(params: Params) -> Result:
    """Bytes of the model's states on one GPU at each stage."""
    stages = tuple(_stage(params, stage) for stage in range(4))
    return Result(params.gpus, params.memory * GB, (stages[0], stages[1], stages[2], stages[3]))


def _stage(params: Params, stage: int) -> Stage:
    count = params.billions * GB
    trained = count * params.share / 100
    weights = count * params.weight / (params.gpus if stage >= 3 else 1)
    gradients = trained * params.gradient / (params.gpus if stage >= 2 else 1)
    optimizer = trained * params.optimizer / (params.gpus if stage >= 1 else 1)
    total = weights + gradients + optimizer
    frozen = (count - trained) * params.weight * 2 if stage == 3 else 0.0  # gathered forward and backward
    traffic = 0.0 if params.gpus == 1 else TRAFFIC[stage] * trained * params.gradient + frozen
    return Stage(STAGES[stage], weights, gradients, optimizer, total, traffic, total <= params.memory * GB)
