"""Measured seconds of the processor for a training step of each method, content/measured/steps.json.

Leaves out measuring them (``scripts/measure_steps.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from demos import kept
from demos.finetuning import measured
from settings import ROOT

FILE = ROOT / "content" / "measured" / "steps.json"


@dataclass(frozen=True, slots=True)
class Steps:
    """Seconds of a step by method (a name of ``plan.methods``'s lines), and how they came about."""

    seconds: Mapping[str, float]
    origin: measured.Origin


def steps() -> Steps | None:
    """What is measured on the base model of now; None when nothing is."""
    try:
        data = kept.read(FILE, dict)
        found = measured.made_of(data)
        seconds = {str(name): float(value) for name, value in data["steps"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Steps(seconds, measured.origin_of(found, 0)) if data["base"] == measured.base() else None
