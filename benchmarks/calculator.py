"""The calculator against PEFT on the meta device: equality on every model and preset, and both times, in one run.

PEFT's time counts wrapping a model that is already built and counting its parameters; building it is left out, so the
ratio flatters PEFT.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks import table
from common import numbers
from demos.lora import meta
from demos.lora.architectures import Architecture
from demos.lora.models import ARCHITECTURES, Preset, presets
from demos.lora.parameters import Params, count

RANK = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """One model and one preset, both ways."""

    equal: bool
    ours: float  # seconds
    theirs: float


def main() -> int:
    """Print the table; 1 when a count differs or the calculator is not the faster one."""
    meta.model(ARCHITECTURES["gpt2"])  # imports are nobody's time
    count(Params())
    rows, everything = [], []
    for architecture in ARCHITECTURES.values():
        base = meta.model(architecture)
        compared = [_compare(architecture, base, preset) for preset in presets(architecture)]
        everything += compared
        rows.append(_row(architecture.title, compared))
    rows.append(_row("all", everything))
    table.show(
        "LoRA calculator against peft on the meta device (bound: equal everywhere)",
        ("model", "equal", "calculator, ms", "peft, ms", "times faster"),
        rows,
    )
    faster = sum(item.ours for item in everything) < sum(item.theirs for item in everything)
    return 0 if faster and all(item.equal for item in everything) else 1


def _compare(architecture: Architecture, base: Any, preset: Preset) -> Comparison:
    started = time.perf_counter()
    result = count(Params(architecture=architecture.id, rank=RANK, targets=(preset.id,)))
    between = time.perf_counter()
    try:
        counted = meta.count(base, preset.targets, RANK)
    except ValueError:  # PEFT refuses; the calculator has to say so too
        equal = result.level == "error"
    else:
        equal = (result.trainable, result.total) == (counted.trainable, counted.total)
    return Comparison(equal, between - started, time.perf_counter() - between)


def _row(title: str, compared: list[Comparison]) -> tuple[str, ...]:
    ours, theirs = (median(getattr(item, name) for item in compared) for name in ("ours", "theirs"))
    equal = f"{sum(item.equal for item in compared)} / {len(compared)}"
    return title, equal, f"{1000 * ours:.2f}", f"{1000 * theirs:.0f}", numbers.integer(theirs / ours)


if __name__ == "__main__":
    raise SystemExit(main())
