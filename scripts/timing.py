"""``PYTHONPATH=. python scripts/timing.py``: steps of the bundled model with and without torch.compile.

Writes content/measured/compile.json. One thread; the ways take turns step by step. Inductor needs a C++ compiler: where
there is none, or it fails, the file says so in its place.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from common.numbers import decimal
from demos.timing import compiled

LIBRARIES = ("torch", "transformers")
REPEATS = 30


def main() -> int:
    """Measure every batch and write the file."""
    import torch

    torch.set_num_threads(1)
    data: dict[str, Any] = {
        "script": "scripts/timing.py",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": 0,
        "machine": f"{_processor()}, один поток; нагрузка машины {decimal(os.getloadavg()[0], 1)}",
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        "shapes": {name: _measure(*shape) for name, shape in compiled.SHAPES.items()},
    }
    compiled.FILE.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for name, ways in data["shapes"].items():
        print(name, {way: (found.get("failed") or sorted(found["steps"])[REPEATS // 2]) for way, found in ways.items()})
    return 0


def _measure(batch: int, length: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    steps: dict[str, Callable[[], float]] = {}
    for backend in compiled.BACKENDS:
        step = _step(backend, batch, length)
        try:
            found[backend] = {"first": round(step(), 4), "steps": []}
        except Exception as problem:  # noqa: BLE001 - whatever a compiler on this machine cannot do is told
            found[backend] = {"failed": f"{type(problem).__name__}: {str(problem).splitlines()[0][:200]}"}
        else:
            steps[backend] = step
    for _ in range(REPEATS):
        for backend, step in steps.items():
            found[backend]["steps"].append(round(step(), 5))
    return found


def _step(backend: str, batch: int, length: int) -> Callable[[], float]:
    """A function that takes one step on the same tokens and returns its seconds."""
    import torch
    from transformers import AutoModelForCausalLM

    from demos.finetuning import base_model

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(base_model.FOLDER).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0)
    ids = torch.randint(0, model.config.vocab_size, (batch, length))  # (batch, length)
    run: Any = model if backend == "eager" else torch.compile(model, backend=backend)

    def step() -> float:
        began = time.perf_counter()
        run(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return time.perf_counter() - began

    return step


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    sys.exit(main())
