"""``PYTHONPATH=. python scripts/measure_steps.py``: seconds of the processor for a step of every method, steps.json.

Seconds of the processor, not of the clock; what else the machine does still makes a step up to a quarter longer, so the
methods go by turns, several rounds, and the least counts. Each trains in a process of its own, on one thread; the
median of its steps but the first few. Leaves out quality and memory, which recorded runs have (``scripts/measure.py``).
"""

from __future__ import annotations

import dataclasses
import json
import math
import multiprocessing
import os
import sys
import tempfile
import time
from statistics import median
from typing import Any

from demos.finetuning import measured, plan, step_cost
from demos.finetuning.spec import RunSpec
from scripts.made import made

STEPS, WARM, ROUNDS = 24, 8, 3
"""Steps that each method takes, and how many of the first are not counted; how often each method has its turn."""


def main() -> int:
    """Measure every method of the race; 1 when one failed."""
    from jobs import tuning_process

    for name, value in tuning_process.ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    tuning_process.warm_up()
    specs = {point.series: point.spec for point in reversed(plan.methods(measured.recorded).points)}
    context, found = multiprocessing.get_context("fork"), dict[str, float]()
    for name, spec in [pair for _ in range(ROUNDS) for pair in specs.items()]:
        queue = context.SimpleQueue()
        child = context.Process(target=_child, args=(spec, queue))
        child.start()
        child.join()
        if child.exitcode:
            print(f"{name}: failed", file=sys.stderr)
            return 1
        found[name] = min(queue.get(), found.get(name, math.inf))
        print(f"{name}: {found[name]:.4f} s", flush=True)
    data = {"base": measured.base(), **dataclasses.asdict(made("scripts/measure_steps.py")), "steps": found}
    step_cost.FILE.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


def _child(spec: RunSpec, queue: Any) -> None:
    import torch

    torch.set_num_threads(1)
    queue.put(float(f"{seconds(dataclasses.replace(spec, steps=STEPS, evaluate_every=2000)):.4g}"))


def seconds(spec: RunSpec) -> float:
    """The median step's seconds of the processor, the optimizer's part included."""
    from transformers import TrainerCallback

    from demos.finetuning import methods, session, tasks, training
    from demos.finetuning.quantized import open_base

    class Clock(TrainerCallback):  # type: ignore[misc]  # transformers is Any here
        """Reads the processor's clock around every step."""

        def __init__(self) -> None:
            self.began, self.steps = 0.0, list[float]()

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            """A step begins."""
            self.began = time.process_time()

        def on_optimizer_step(self, _: Any, state: Any, *__: Any, model: Any = None, **___: Any) -> None:
            """What AdaLoRA does in a run, too."""
            if spec.method == "adalora":
                model.base_model.update_and_allocate(state.global_step + 1)

        def on_step_end(self, *_: Any, **__: Any) -> None:
            """A step is over."""
            self.steps.append(time.process_time() - self.began)

    base, clock = open_base(spec), Clock()
    methods.adapted(spec, base.model)
    examples = session.choose(spec, tasks.build(spec.task))
    with tempfile.TemporaryDirectory() as output:
        trainer = training.build(spec, base, examples.train, examples.validation[:8], output=output, callback=clock)
        trainer.train()
    return median(clock.steps[WARM:])


if __name__ == "__main__":
    raise SystemExit(main())
