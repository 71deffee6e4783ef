"""Answers the judge's requests, one at a time: load, call, look at an object. What it answers is only a claim.

A request is ``[number, verb, ...]``; the answer ``[number, "ok", value]``, ``[number, "error", details]`` (the
learner's code raised), ``[number, "refused", sentence]`` (the value cannot leave) or ``[number, "missing", name,
names]``. Leaves out judging.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from graders.inside import library_warnings
from graders.inside.faults import describe, safe_text
from graders.inside.objects import Objects
from graders.inside.submission import Loaded
from graders.wire import Channel, Closed, NotPlain, Ref, WireError

_WHILE = 86_400.0  # seconds: the deadline is kept outside
_LONGEST_VALUE = 4_000


class _Missing(Exception):
    """The module has no such name."""


class Service:
    """The sandbox's end of the wire."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self._objects, self._loaded = channel, Objects(), Loaded()
        self._called: object = None
        self._verbs: dict[str, Callable[..., object]] = {
            "scratch": self._hand_over_scratch,
            "given": self._loaded.load_given,
            "load": self._loaded.load,
            "call": self._call,
            "get": lambda ref, name: getattr(self._target(ref), name),
            "set": lambda ref, name, value: setattr(self._target(ref), name, self._objects.enter(value)),
            "parameters": self._parameters,
            "state": lambda ref: dict(self._target(ref).state_dict()),
            "backward": self._backward,
            "evaluate": self._evaluate,
        }

    def run(self) -> None:
        """Say that the walls stand, then answer until the judge hangs up."""
        library_warnings.shorten()
        self._channel.send(["ready"], time.monotonic() + _WHILE)
        with contextlib.suppress(Closed):
            while True:
                number, verb, *arguments = self._channel.receive(time.monotonic() + _WHILE)
                self._answer(number, verb, arguments)

    def _answer(self, number: int, verb: str, arguments: list[Any]) -> None:
        self._called = None
        try:
            reply: list[object] = ["ok", self._objects.leave(self._verbs[verb](*arguments))]
        except NotPlain as error:
            reply = ["refused", str(error)]
        except _Missing as error:
            reply = ["missing", *error.args]
        except BaseException as error:  # noqa: BLE001 - whatever the learner's code raises is told, exit() too
            reply = ["error", describe(error, self._loaded.files, self._called)]
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BaseException):  # the learner may have replaced or closed it
                stream.flush()
        self._send(number, reply)

    def _send(self, number: int, reply: list[object]) -> None:
        deadline = time.monotonic() + _WHILE
        try:
            self._channel.send([number, *reply], deadline)
        except (NotPlain, WireError) as error:
            self._channel.send([number, "refused", str(error)], deadline)

    def _hand_over_scratch(self) -> None:
        """Give the judge a descriptor of the working directory; asked before a byte of the submission is read.

        The learner's code leaves its files in ``answer`` there. It may replace that folder, but not what it lies in.
        """
        os.makedirs("answer", exist_ok=True)  # noqa: PTH103
        here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        socket.send_fds(self._channel.sock, [b"D"], [here])
        os.close(here)

    def _target(self, ref: Ref | str) -> Any:
        """An object by its number, or one of the two modules by name."""
        if isinstance(ref, Ref):
            return self._objects.enter(ref)
        return self._loaded.solution if ref == "solution" else self._loaded.given

    def _call(self, ref: Ref | str, name: str | None, args: list[Any], kwargs: dict[str, Any]) -> object:
        target = self._target(ref)
        if name is not None:
            if isinstance(ref, str) and name not in vars(target):
                raise _Missing(name, _names(target))
            target = getattr(target, name)
        self._called = target
        return target(*self._objects.enter(args), **self._objects.enter(kwargs))

    def _parameters(self, ref: Ref) -> object:
        return {name: (p, p.requires_grad, p.grad) for name, p in self._target(ref).named_parameters()}

    def _backward(self, ref: Ref, inputs: Any, grad_output: Any) -> object:
        """Gradients of ``(module(inputs) * grad_output).sum()`` by parameter name, and of ``inputs`` as ``input``."""
        module = self._called = self._target(ref)
        module.zero_grad()
        x = inputs.clone().requires_grad_(inputs.is_floating_point())
        (module(x) * grad_output).sum().backward()
        return {"input": x.grad, **{name: p.grad for name, p in module.named_parameters()}}

    def _evaluate(self, text: str) -> object:
        has_value, value = self._loaded.evaluate(text)
        return [has_value, safe_text(value, repr, _LONGEST_VALUE) if has_value else ""]


def _names(module: Any) -> list[str]:
    return sorted(str(name)[:80] for name in vars(module) if not str(name).startswith("_"))[:200]
