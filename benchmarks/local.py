"""An exercise's checks without any sandbox: what they ask of ``solution`` and ``given`` is answered in this process.

For comparing times with graders that import the submission (plain pytest, a notebook's kernel): it could forge every
verdict here. Loads nothing but what a check needs, so that no rival pays for our imports.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from graders.host.draw import Draw
from graders.host.remote import Parameter

SEED = 20_240_521


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


def run(check: str, tests: str, names: Mapping[str, Any]) -> None:
    """Run one function of the file ``tests`` on a submission that has defined ``names``; raises what it raises."""
    given = _once(Path(tests).with_name("given.py"))
    fixtures = {"solution": Local(SimpleNamespace(**names)), "given": Local(given), "draw": Draw(SEED)}
    function = getattr(_once(Path(tests)), check)
    function(**{name: fixtures[name] for name in inspect.signature(function).parameters})


def load(path: Path) -> ModuleType:
    """The file as a new module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def _once(path: Path) -> ModuleType:
    return load(path)


def _inward(value: Any) -> Any:
    return value._target if isinstance(value, Local) else value


def _outward(value: Any) -> Any:
    import torch

    if isinstance(value, torch.Tensor):
        return value.detach().clone()  # by value, as over the wire: a later step must not change what a check holds
    return Local(value) if isinstance(value, torch.nn.Module) else value
