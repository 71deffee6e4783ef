"""A step of a run beside the same step of a bare PyTorch loop: same model, dtypes and batches, events on.

The run is ``demos.finetuning.run.run`` itself, timed by its own events from the first step to the last; the loop goes
over the batches of the same trainer, with the same AdamW and gradient clipping. Both in one process, by turns. Leaves
out evaluations and activation checkpointing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any

from demos.finetuning.events import Finished, Step
from demos.finetuning.spec import RunSpec

if TYPE_CHECKING:
    from demos.finetuning.tasks import Data

STEPS, TURNS = 80, 4
NEVER = 2000
"""An evaluation after so many steps, that is, none between the first and the last."""


def compare(spec: RunSpec, data: Data, *, turns: int = TURNS) -> tuple[float, float]:
    """Seconds of one step of the run and of the bare loop, medians of ``turns``."""
    alone = replace(spec, evaluate_every=NEVER, checkpointing=False, packing=False)
    ours, bare = [], []
    for _ in range(turns):
        ours.append(of_run(alone, data))
        bare.append(of_loop(alone, data))
    return median(ours), median(bare)


def of_run(spec: RunSpec, data: Data) -> float:
    """Seconds of a step of a real run, between its first and its last.

    Raises:
        RuntimeError: the run has not finished.
    """
    from demos.finetuning.run import run

    events = list(run(spec, data=data))
    if events[-1].kind != Finished.kind:
        raise RuntimeError(f"the run ended with {events[-1]}")
    first, *_, last = (event for event in events if isinstance(event, Step))
    return (last.seconds - first.seconds) / (last.step - first.step)


def of_loop(spec: RunSpec, data: Data) -> float:
    """Seconds of a step that is written out: forward, backward, clip, AdamW, schedule."""
    import torch

    model, batches = _prepared(spec, data)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=spec.learning_rate, weight_decay=spec.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, spec.steps)
    started = 0.0
    for number, batch in enumerate(batches):
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        loss.item()
        if number == 0:  # as the run: from the end of the first step
            started = time.perf_counter()
    return (time.perf_counter() - started) / (len(batches) - 1)


def _prepared(spec: RunSpec, data: Data) -> tuple[Any, Sequence[dict[str, Any]]]:
    """The model as the trainer made it, in training mode, and its batches, already padded."""
    from demos.finetuning import training
    from demos.finetuning.quantized import open_base, quiet

    with quiet(), tempfile.TemporaryDirectory() as output:
        base = open_base(spec)
        trainer = training.build(spec, base, data.train, data.validation, output=output)
        batches: list[dict[str, Any]] = []
        while len(batches) < spec.steps:
            batches += [
                {name: batch[name].to(base.device) for name in ("input_ids", "attention_mask", "labels")}
                for batch in trainer.get_train_dataloader()
            ]
        return trainer.model.train(), batches[: spec.steps]
