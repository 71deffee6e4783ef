"""The judge's end of the wire: ``solution`` and ``given`` of a check, and handles of objects that stay inside.

Every answer is a claim made by hostile code; it arrives as plain data, tensors by value or a ``Handle``. Leaves out
what a claim is worth (the checks decide) and starting sandboxes (``graders.host.judge``).
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from typing import Any, NamedTuple

from graders.host.faults import Broken, Gone, MissingName, Refused, SubmissionError
from graders.wire import Channel, Closed, Late, Ref, WireError


class Parameter(NamedTuple):
    """A parameter of a module inside: its value, whether it asks for a gradient (a claim), the gradient or None."""

    value: Any
    requires_grad: bool
    grad: Any


class Remote:
    """One sandbox. After ``Gone`` or a broken frame it answers nothing any more."""

    def __init__(self, channel: Channel, deadline: float) -> None:
        self._channel, self._deadline, self.alive = channel, deadline, True
        self.last: Any = None  # the latest answer, for a check that could not make sense of it
        self.answered = False  # whether the running check has heard anything of the submission
        self.used = False  # whether any check has
        self.scratch = -1  # descriptor of the directory in which the learner's code may write
        self._spent = False

    def greet(self) -> None:
        """Wait until the walls stand.

        Raises:
            Gone: they do not.
            WireError: something else was said.
        """
        if self._receive() != ["ready"]:
            raise WireError("песочница не готова")

    def take_scratch(self) -> None:
        """Get hold of the sandbox's scratch directory. Only before the submission is loaded: later it might be another.

        Raises:
            Gone, WireError: the sandbox ended, or sent something else.
        """
        self._send([0, "scratch"])
        try:
            data, descriptors, _, _ = socket.recv_fds(self._channel.sock, 1, 1)
        except OSError as error:
            raise Gone from error
        self.scratch = descriptors[0] if descriptors else -1
        if data != b"D" or self.scratch < 0 or self._receive() != [0, "ok", None]:
            raise WireError("песочница не отдала папку")

    def start_check(self) -> None:
        """A check begins; what others heard is not its business."""
        self.answered, self.last = False, None

    def spend(self) -> None:
        """The engine has ended the sandbox so that its files may be read; whoever asks it again has made a mistake."""
        self._spent = self.answered = self.used = True
        self._give_up()

    def close(self) -> None:
        """Let go of the wire and the directory."""
        self._give_up()
        if self.scratch >= 0:
            os.close(self.scratch)
            self.scratch = -1

    def ask(self, verb: str, *arguments: object) -> Any:
        """One request and its answer.

        Raises:
            Broken: the check asks a sandbox whose files it has already read.
            SubmissionError, MissingName, Refused: what the learner's code did instead of answering.
            Gone: the sandbox ended, or gave no answer before the deadline.
            WireError: the answer is not in order.
        """
        if self._spent:
            raise Broken(f"{verb}: this handle's sandbox was ended when its files were read")
        number = secrets.randbits(62)
        self._send([number, verb, *self._outward(arguments)])
        self.answered = self.used = True  # even a silence is theirs from here on
        reply = self._receive()
        if type(reply) is not list or len(reply) < 3 or reply[0] != number or type(reply[0]) is not int:
            self._give_up()
            raise WireError("ответ не на тот вопрос")
        return self._unfold(reply[1], reply[2:])

    def _send(self, request: list[object]) -> None:
        if not self.alive:
            raise Gone
        try:
            self._channel.send(request, self._deadline)
        except (Closed, Late) as error:
            self._give_up()
            raise Gone from error

    def _receive(self) -> Any:
        if not self.alive:
            raise Gone
        try:
            return self._channel.receive(self._deadline)
        except (Closed, Late) as error:
            self._give_up()
            raise Gone from error
        except WireError:
            self._give_up()
            raise

    def _give_up(self) -> None:
        self.alive = False
        self._channel.sock.close()

    def _unfold(self, status: object, rest: list[Any]) -> Any:
        if status == "ok":
            self.last = self._inward(rest[0])
            return self.last
        if status == "refused" and type(rest[0]) is str:
            raise Refused(rest[0])
        if status == "error" and type(rest[0]) is dict:
            raise SubmissionError(rest[0])
        if status == "missing" and len(rest) == 2 and type(rest[0]) is str and type(rest[1]) is list:
            raise MissingName(rest[0], [name for name in rest[1] if type(name) is str])
        self._give_up()
        raise WireError("ответ непонятного вида")

    def _inward(self, value: Any) -> Any:
        if type(value) is Ref:
            return Handle(self, value)
        if type(value) in (list, tuple):
            return type(value)(self._inward(item) for item in value)
        if type(value) is dict:
            return {key: self._inward(item) for key, item in value.items()}
        return value

    def _outward(self, value: Any) -> Any:
        if isinstance(value, Handle):
            if not value.belongs_to(self):
                raise Broken("a handle of one sandbox was given to another: its number means another object there")
            return value.ref
        if type(value) in (list, tuple):
            return type(value)(self._outward(item) for item in value)
        if type(value) is dict:
            return {key: self._outward(item) for key, item in value.items()}
        return value


class Handle:
    """An object that stays inside. Calling it, or a method of it by name, runs there; the answer comes by value."""

    __slots__ = ("_remote", "ref")

    def __init__(self, remote: Remote, ref: Ref) -> None:
        self._remote, self.ref = remote, ref

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Call the object."""
        return self._remote.ask("call", self.ref, None, list(args), kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._remote.ask("call", self.ref, name, list(args), kwargs)

    def __repr__(self) -> str:
        return f"объект {self.ref.kind}"

    def belongs_to(self, remote: Remote) -> bool:
        """Whether the object lives in that sandbox."""
        return self._remote is remote

    def get(self, name: str) -> Any:
        """An attribute's value (a claim)."""
        return self._remote.ask("get", self.ref, name)

    def set(self, name: str, value: object) -> None:
        """Set an attribute."""
        self._remote.ask("set", self.ref, name, value)

    def parameters(self) -> dict[str, Parameter]:
        """``named_parameters()`` of a module: (value, requires_grad, gradient or None) by name."""
        found = self._remote.ask("parameters", self.ref)
        return {name: Parameter(*triple) for name, triple in _of(found, dict).items()}

    def state(self) -> dict[str, Any]:
        """``state_dict()`` of a module: tensors by name."""
        return dict(_of(self._remote.ask("state", self.ref), dict))

    def backward(self, x: Any, grad_output: Any) -> dict[str, Any]:
        """Gradients of ``(module(x) * grad_output).sum()``, by parameter name, and of ``x`` under ``input``."""
        return dict(_of(self._remote.ask("backward", self.ref, x, grad_output), dict))


class Names:
    """A module inside, seen as its names: ``solution.lora_params(...)``, ``given.linear(...)``."""

    __slots__ = ("_judge", "_module")

    def __init__(self, judge: Any, module: str) -> None:
        self._judge, self._module = judge, module

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        remote, module = self._judge.remote(), self._module
        return lambda *args, **kwargs: remote.ask("call", module, name, list(args), kwargs)


def _of(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise Refused("ответ не того вида")
    return value


def deadline_in(seconds: float) -> float:
    """The deadline that many seconds from now, in the clock of the wire."""
    return time.monotonic() + seconds
