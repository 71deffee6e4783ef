"""What an evaluation does to QLoRA on a CPU with AVX512-BF16: two recorded runs that differ by nothing else.

There bitsandbytes 0.50 repacks 4-bit codes at the first pass without gradients (see ``demos.finetuning.quantized``,
which forbids it); here it is allowed. Torch-free but for ``losses``. Leaves out other processors: nothing happens
there.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from demos import kept
from demos.finetuning import evaluate, measured, tasks
from demos.finetuning.measured import Made
from demos.finetuning.spec import RunSpec
from demos.params import Checked, ParamsError
from settings import ROOT

FILE = ROOT / "content" / "measured" / "trap.json"
AGAIN = "Запустите scripts/measure_trap.py на процессоре с AVX512-BF16."
STEPS, EVERY, BATCH, ASKED, SEED = 60, 20, 16, 16, 0


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Nothing to choose."""


@dataclass(frozen=True, slots=True)
class Point:
    """Mean training loss of the last ten steps before ``step``, without and with an evaluation every 20 steps."""

    step: int
    plain: float
    evaluated: float


@dataclass(frozen=True, slots=True)
class Result:
    """Both runs side by side."""

    points: tuple[Point, ...]
    made: Made


def trap(_: Params) -> Result:
    """The recording.

    Raises:
        ParamsError: there is none of the base model of now.
    """
    try:
        base, found = kept.read(FILE, _parsed)
    except (OSError, ValueError, TypeError, KeyError):
        raise ParamsError(f"Записи о переупаковке нет. {AGAIN}") from None
    if base != measured.base():
        raise ParamsError(f"Переупаковка измерена на другой базовой модели. {AGAIN}")
    return found


def faults() -> list[str]:
    """What is wrong with the recording, a Russian sentence each."""
    try:
        trap(Params())
    except ParamsError as problem:
        return [f"content/measured/{FILE.name}: {problem}"]
    return []


def write(points: tuple[Point, ...], made: Made, file: Path = FILE) -> None:
    """Store both runs."""
    data = {"base": measured.base(), "seed": SEED, **dataclasses.asdict(made)}
    data["points"] = [dataclasses.asdict(point) for point in points]
    kept.write(file, kept.line(kept.rounded(data)) + "\n")


def losses(*, evaluations: bool) -> list[float]:
    """Training loss of every step, nats a token of the answers; codes may be repacked."""
    import bitsandbytes
    import torch
    from peft import LoraConfig, get_peft_model

    from demos.finetuning.quantized import open_base, quiet

    spec, data = RunSpec(), tasks.build(RunSpec().task)
    with quiet():
        torch.manual_seed(SEED)
        base = open_base(spec)
        for module in base.model.modules():
            if isinstance(module, bitsandbytes.nn.Linear4bit):
                module.support_avx512bf16_for_cpu = True  # as the library sets it where the processor can
        config = LoraConfig(task_type="CAUSAL_LM", r=spec.rank, lora_alpha=spec.alpha, target_modules="all-linear")
        model = get_peft_model(base.model, config)
        return _train(model, base.tokenizer, data, spec.learning_rate, evaluations=evaluations)


def _train(model: Any, tokenizer: Any, data: tasks.Data, rate: float, *, evaluations: bool) -> list[float]:
    import torch

    dice, told = Random(SEED), list[float]()  # noqa: S311 - the same for everybody
    learned = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=rate)
    for step in range(1, STEPS + 1):
        model.train()
        padded, labels = evaluate.labelled(tokenizer, dice.sample(list(data.train), BATCH))
        loss = model(**padded, labels=labels, use_cache=False).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        told.append(loss.item())
        if evaluations and step % EVERY == 0:
            asked, right = evaluate.labelled(tokenizer, data.validation[:ASKED])
            with torch.no_grad():
                model.eval()(**asked, labels=right, use_cache=False)
    return told


def _parsed(data: Any) -> tuple[str, Result]:
    points = tuple(Point(**point) for point in data["points"])
    return str(data["base"]), Result(points, measured.made_of(data))
