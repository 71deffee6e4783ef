"""How a measured thing came about: script, date, versions of the libraries, the machine. Leaves out measuring."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from demos.finetuning.measured import Made

LIBRARIES = ("torch", "transformers", "peft", "trl", "bitsandbytes", "datasets", "accelerate")


def made(script: str, threads: int = 1, at_once: int = 1) -> Made:
    """What is written beside a measurement; ``script`` is its path from the root."""
    machine = {"cores": os.cpu_count(), "processor": processor(), "threads": threads, "at_once": at_once}
    versions = {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}
    return Made(script, datetime.now(UTC).isoformat(timespec="seconds"), versions, machine)


def processor() -> str:
    """The processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
