"""Demos that misbehave, for the tests of the compute process; started as a program it serves them."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from types import MappingProxyType

from demos import registry
from demos.params import Checked, ParamsError, parameter
from demos.registry import Demo


@dataclass(frozen=True, slots=True)
class Params(Checked):
    size: int = parameter(3, "размер", low=1, high=10**9)
    behaviour: str = parameter(
        "multiply", "поведение", choices=("multiply", "sleep", "die", "fail", "eat", "stray", "numpy", "refuse")
    )


@dataclass(frozen=True, slots=True)
class Result:
    trace: float
    shape: tuple[int, int]
    pid: int


def behave(params: Params) -> Result:
    import torch

    if params.behaviour == "sleep":
        time.sleep(60)
    if params.behaviour == "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    if params.behaviour == "refuse":
        raise ParamsError("Размер и поведение не сочетаются: возьмите другой размер.")
    if params.behaviour == "fail":
        raise ValueError("a mistake of ours")
    if params.behaviour == "eat":
        torch.ones(params.size, 2**30 // 4)
    if params.behaviour == "stray":
        os.fork() or time.sleep(60)  # a child of the child that holds everything open
    matrix = torch.eye(params.size)
    product = matrix @ matrix
    trace = product.trace() if params.behaviour == "numpy" else product.trace().item()
    return Result(trace, (params.size, params.size), os.getpid())  # type: ignore[arg-type]


DEMOS = MappingProxyType(
    {"test.heavy": Demo("test.heavy", "tests.jobs.heavy:behave", "tests.jobs.heavy:Params", heavy=True)}
)

if __name__ == "__main__":
    from jobs import compute, compute_process

    registry.DEMOS = DEMOS
    compute.DEADLINE = float(os.environ["TEST_DEADLINE"])
    compute_process.main()
