"""A pytest plugin that gives an exercise's checks their fixtures without any sandbox: what plain pytest would do.

``python -m pytest -p benchmarks.in_process exercises/SLUG/test_SLUG.py`` imports solution.py and given.py into the
test process. For comparing times only: the submission could forge every verdict.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from graders.host.draw import Draw
from graders.host.remote import Parameter


class Local:
    """What ``graders.host.remote.Handle`` is to an object inside, for one in this process."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _outward(self._target(*map(_inward, args), **{name: _inward(value) for name, value in kwargs.items()}))

    def __getattr__(self, name: str) -> Any:
        return Local(getattr(self._target, name))

    def get(self, name: str) -> Any:
        return _outward(getattr(self._target, name))

    def set(self, name: str, value: Any) -> None:
        setattr(self._target, name, _inward(value))

    def parameters(self) -> dict[str, Parameter]:
        return {
            name: Parameter(_outward(value), value.requires_grad, _outward(value.grad))
            for name, value in self._target.named_parameters()
        }

    def state(self) -> dict[str, Any]:
        return {name: _outward(value) for name, value in self._target.state_dict().items()}

    def backward(self, x: Any, grad_output: Any) -> dict[str, Any]:
        x = x.clone().requires_grad_()
        (self._target(x) * grad_output).sum().backward()
        return {"input": x.grad, **{name: value.grad for name, value in self._target.named_parameters()}}


def _inward(value: Any) -> Any:
    return value._target if isinstance(value, Local) else value


def _outward(value: Any) -> Any:
    import torch

    if isinstance(value, torch.Tensor):
        return value.detach().clone()  # by value, as over the wire: a later step must not change what a check holds
    return Local(value) if isinstance(value, torch.nn.Module) else value


@pytest.fixture
def solution(request: pytest.FixtureRequest) -> Local:
    return Local(_load(request.path.parent / "solution.py"))


@pytest.fixture
def given(request: pytest.FixtureRequest) -> Local:
    return Local(_load(request.path.parent / "given.py"))


@pytest.fixture
def draw() -> Draw:
    return Draw(20_240_521)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
