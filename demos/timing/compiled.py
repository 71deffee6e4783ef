"""torch.compile before and after: recorded steps of the bundled model, content/measured/compile.json.

Three ways: eager; the same graph traced and run as it is (``aot_eager``, no new kernels); Inductor, which writes and
compiles C++. Recorded by ``scripts/timing.py``, the three in turn so that a busy machine slows all alike. Leaves out
GPUs, where Inductor writes Triton and gains more.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from demos import kept
from demos.params import Checked, ParamsError, parameter

FILE = Path(__file__).parents[2] / "content" / "measured" / "compile.json"
BACKENDS = {"eager": "без torch.compile", "aot_eager": "граф без новых ядер", "inductor": "Inductor (C++)"}
SHAPES = {"8x16": (8, 16), "8x64": (8, 64)}
WORDS = {name: f"{batch} × {length} токенов" for name, (batch, length) in SHAPES.items()}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which batch."""

    shape: str = parameter("8x64", "Пакет", words=WORDS)


@dataclass(frozen=True, slots=True)
class Way:
    """One backend. Seconds; ``failed`` says why it could not compile."""

    backend: str
    title: str
    first: float  # the first step, compiling included
    steps: tuple[float, ...]
    median: float
    speedup: float  # of the eager median
    repaid: float  # steps after which compiling has paid for itself; infinite when never
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The recording of a batch."""

    shape: str
    ways: tuple[Way, ...]
    made: str
    machine: str
    versions: tuple[tuple[str, str], ...]


def compiled(params: Params) -> Result:
    """What was recorded for this batch.

    Raises:
        ParamsError: nothing was.
    """
    data: dict[str, Any] = kept.read(FILE, dict)
    found = data["shapes"].get(params.shape)
    if found is None:
        raise ParamsError("Для этого пакета измерений нет: запишите их скриптом scripts/timing.py.")
    plain = median(found["eager"]["steps"])
    first = float(found["eager"]["first"])
    ways = tuple(_way(name, found[name], plain, first) for name in BACKENDS if name in found)
    return Result(WORDS[params.shape], ways, data["made"], data["machine"], tuple(data["versions"].items()))


def _way(name: str, record: dict[str, Any], plain: float, first: float) -> Way:
    if record.get("failed"):
        return Way(name, BACKENDS[name], 0.0, (), 0.0, 0.0, float("inf"), str(record["failed"]))
    steps = tuple(float(step) for step in record["steps"])
    usual = median(steps)
    gain = plain - usual
    repaid = (record["first"] - first) / gain if gain > 0 else float("inf")
    return Way(name, BACKENDS[name], float(record["first"]), steps, usual, plain / usual, max(0.0, repaid))
