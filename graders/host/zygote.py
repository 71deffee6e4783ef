"""Warm processes that fork when told to, seen from the trusted side: start, watch, replace, end.

A zygote is started by exec with a clean environment, so that nothing of the worker's memory or secrets is in it. One
that died is started again; after ``JOBS`` forks a fresh one takes over as soon as it is warm. Safe to use from several
threads. Leaves out what the forks do.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from graders import forking
from settings import ROOT

JOBS = 500
"""Forks after which a zygote is replaced."""
STARTING = 120.0
"""Seconds that a cold machine may need to import everything."""

_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108 - the sandbox's own
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "MPLBACKEND": "Agg",
    "TORCHDYNAMO_DISABLE": "1",
}
"""Behind the walls there is no compiler for ``torch.compile``; without it a zygote is warm a fifth sooner."""
_ENTRY = (
    "import json, sys; told = json.loads(sys.stdin.readline()); sys.path.insert(0, told.pop('root')); "
    "from {module} import main; {after}main(told.pop('control'), told.pop('options'))"
)
"""What a zygote has to know comes through its standard input: its command line could be read by every fork."""


class Lost(Exception):
    """The zygote does not answer, or says that it cannot work; the message says why."""


class Child:
    """One forked process, seen through its status socket."""

    def __init__(self, status: socket.socket) -> None:
        self.status, self.pidfd = status, -1
        self.code: int | None = None

    def update(self) -> None:
        """Read one message of the status socket, which has to be readable.

        Raises:
            Lost: the zygote is gone or refused to fork.
        """
        try:
            message, descriptors = forking.receive(self.status)
        except OSError as error:
            raise Lost(str(error)) from error
        if message is None or "refused" in message:
            raise Lost((message or {}).get("refused", "the zygote ended"))
        if "started" in message:
            self.pidfd = descriptors[0]
        else:
            self.code = int(message["code"])

    def wait(self, seconds: float) -> bool:
        """Wait for the end; whether it came."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(Lost):
            while self.code is None and select.select([self.status], [], [], max(0, deadline - time.monotonic()))[0]:
                self.update()
        return self.code is not None

    def kill(self) -> None:
        """Kill the process; in a pid namespace of its own, everything that it started too."""
        with contextlib.suppress(Lost, ProcessLookupError):
            if self.pidfd < 0 and self.code is None and select.select([self.status], [], [], 5)[0]:
                self.update()
            if self.pidfd >= 0 and self.code is None:
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def close(self) -> None:
        """Kill it if it lives, and let go of its descriptors; the zygote buries it."""
        self.kill()
        self.status.close()
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1


class _Process:
    """One started zygote."""

    def __init__(self, module: str, options: object, environment: Mapping[str, str], *, shut: bool) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        code = _ENTRY.format(module=module, after="sys.path.pop(0); " if shut else "")
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-c", code],
                env=environment,
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            self._tell({"root": str(ROOT), "control": theirs.fileno(), "options": options})
        self.jobs, self._module = 0, module
        self._hello: dict[str, Any] | None = None
        self._children: list[Child] = []

    def _tell(self, what: object) -> None:
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self.process.stdin as pipe:  # its end is told by ``hello``
                pipe.write(json.dumps(what).encode() + b"\n")

    def hello(self, seconds: float) -> dict[str, Any] | None:
        """What the zygote said about itself, None when it is not warm yet.

        Raises:
            Lost: it died or cannot work here.
        """
        if self._hello is None and select.select([self.control], [], [], seconds)[0]:
            message, _ = forking.receive(self.control)
            if message is None:
                raise Lost(f"{self._module} ended with code {self.process.wait()}")
            self._hello = message
        if self._hello is not None and not self._hello["ready"]:
            raise Lost(self._hello["problem"])
        return self._hello

    def fork(self, request: object, descriptors: Sequence[int]) -> Child:
        """Ask for a child.

        Raises:
            OSError: the zygote is gone.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                forking.send(self.control, request, array.array("i", [theirs.fileno(), *descriptors]))
        except OSError:
            ours.close()
            raise
        child = Child(ours)
        self.jobs += 1
        self._children = [*(c for c in self._children if c.status.fileno() >= 0), child]
        return child

    @property
    def busy(self) -> bool:
        """Whether a child is still watched."""
        return any(child.status.fileno() >= 0 for child in self._children)

    def close(self) -> None:
        """Hang up: the zygote exits, and a pid namespace takes all its children along."""
        self.control.close()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Zygote:
    """A zygote that is always there: replaced when it died or has served long enough."""

    def __init__(
        self, module: str, options: object = None, *, shut: bool = False, environment: Mapping[str, str] | None = None
    ) -> None:
        self._module, self._shut = module, shut
        self._options, self._environment = options, _ENVIRONMENT if environment is None else environment
        self._lock = threading.Lock()
        self._now = self._start()
        self._next: _Process | None = None
        self._retired: list[_Process] = []

    def wait(self) -> dict[str, Any]:
        """Wait until it is warm; what it says about itself.

        Raises:
            Lost: it cannot work here, or needed too long.
        """
        with self._lock:
            return self._warm()

    def ready(self, seconds: float) -> bool:
        """Whether it is warm, or becomes so within ``seconds``.

        Raises:
            Lost: it cannot work here.
        """
        with self._lock:
            self._revive()
            return self._now.hello(seconds) is not None

    def fork(self, request: object, descriptors: Sequence[int]) -> Child:
        """A fresh child for ``request``; ``descriptors`` are sent along and stay open here.

        Raises:
            Lost: no zygote can be had.
        """
        with self._lock:
            self._succeed()
            for _ in range(2):
                try:
                    self._warm()
                    return self._now.fork(request, descriptors)
                except OSError:
                    self._now.close()
                    self._now = self._start()
        raise Lost("the zygote died twice")

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            for process in (self._now, self._next, *self._retired):
                if process is not None:
                    process.close()

    def _start(self) -> _Process:
        return _Process(self._module, self._options, self._environment, shut=self._shut)

    def _revive(self) -> None:
        if self._now.process.poll() is not None and self._now.hello(0) is not None:  # it worked, and was killed
            self._now.close()
            self._now = self._start()

    def _warm(self) -> dict[str, Any]:
        self._revive()
        hello = self._now.hello(STARTING)
        if hello is None:
            raise Lost(f"not warm after {STARTING:.0f} s")
        return hello

    def _succeed(self) -> None:
        """Let a warm successor take over; the old one goes when its last child has ended."""
        for process in [process for process in self._retired if not process.busy]:
            self._retired.remove(process)
            process.close()
        if self._now.jobs < JOBS:
            return
        self._next = self._next or self._start()
        if self._next.hello(0) is not None:
            self._retired.append(self._now)
            self._now, self._next = self._next, None
