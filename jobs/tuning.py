"""The worker's side of a fine-tuning run: asks the warm process for a child, hears its events, ends it.

Imports no torch. Leaves out the child (``jobs.tuning_process``) and where events go (``jobs.training``).
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graders.host.zygote import Child, Lost, Zygote
from jobs import frames, process
from jobs.tuning_process import ENVIRONMENT

NICE = 10
"""Grading and pages go first: beside one of them a run gets a tenth of the processor."""
READING = 10.0
"""Seconds within which an event that has begun to come has to be there."""
ENDING = 10.0
"""Seconds that a child gets to end after its last event."""


class Ended(Exception):
    """The child is gone before it said how the run ended. ``code``: of its exit, negative for a signal, if known."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"the run's process ended with {code}")
        self.code = code


class Attempt:
    """A child at work."""

    def __init__(self, child: Child, connection: socket.socket) -> None:
        self._child, self._connection = child, connection
        connection.settimeout(READING)

    def next(self, seconds: float) -> dict[str, Any] | None:
        """What the run says next; None when it says nothing for ``seconds``.

        Raises:
            Ended: the child is gone.
        """
        if not select.select([self._connection], [], [], seconds)[0]:
            return None
        try:
            return dict(frames.read(self._connection))
        except OSError:
            raise Ended(self._code()) from None

    def wait(self) -> None:
        """Let the child end by itself: what it had to say is said."""
        self._child.wait(ENDING)

    def close(self) -> None:
        """Kill it if it lives, with what it started."""
        with contextlib.suppress(Lost):
            if self._child.pidfd < 0 and self._child.code is None and select.select([self._child.status], [], [], 1)[0]:
                self._child.update()
        if self._child.pidfd >= 0 and self._child.code is None:
            _kill_group(self._child.pidfd)
        self._child.close()
        self._connection.close()

    def _code(self) -> int | None:
        self._child.wait(ENDING)
        return self._child.code


def threads() -> int:
    """How many threads a run computes in: OMP_NUM_THREADS, else half the cores.

    Beside pages and grading, threads that wait for a taken core spin until a run stands still.
    """
    return int(os.environ.get("OMP_NUM_THREADS", "0")) or max(1, (os.cpu_count() or 1) // 2)


class Tuner:
    """The warm process of this worker, started when first asked for and again when it died.

    ``folder`` is where runs leave their files; it is emptied at the start.
    """

    def __init__(self, folder: Path, *, nice: int = NICE, module: str = "jobs.tuning_process") -> None:
        self.folder, self._module, self._nice = folder, module, nice
        self._threads = threads()
        self._zygote: Zygote | None = None
        self._lock = threading.Lock()
        shutil.rmtree(folder, ignore_errors=True)

    def ready(self, seconds: float) -> bool:
        """Whether the process is warm, or becomes so within ``seconds``. Starts it when it is away."""
        with self._lock:
            if self._zygote is None:
                self._zygote = Zygote(self._module, environment={**os.environ, **ENVIRONMENT})
            zygote = self._zygote
        try:
            return zygote.ready(seconds)
        except Lost:
            self.close()
            time.sleep(seconds)
            return False

    @contextmanager
    def start(self, spec: Mapping[str, Any], own: Mapping[str, str] | None) -> Iterator[tuple[Attempt, Path]]:
        """A child that runs ``spec``, maybe on ``own`` data (name, and content in base 64), and the folder that it
        fills. Both are gone after the block. Needs a process that is ``ready``.

        Raises:
            Ended: no child can be had.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as folder:
            attempt = self._attempt({"spec": spec, "own": own, "folder": folder})
            try:
                yield attempt, Path(folder)
            finally:
                attempt.close()

    def close(self) -> None:
        """End the process and its children."""
        with self._lock:
            if self._zygote is not None:
                self._zygote.close()
                self._zygote = None

    def _attempt(self, order: object) -> Attempt:
        zygote = self._zygote
        if zygote is None:
            raise Ended(None)
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                attempt = Attempt(zygote.fork({"threads": self._threads, "nice": self._nice}, [theirs.fileno()]), ours)
            frames.write(ours, order)
        except (Lost, OSError):
            ours.close()
            raise Ended(None) from None
        return attempt


def _kill_group(pidfd: int) -> None:
    """Kill what the child leads. Its number cannot be another's yet: only its parent's waiting sets it free."""
    lines = Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines()
    number = next(int(line.split()[1]) for line in lines if line.startswith("Pid:"))
    if number > 0:  # -1: waited for
        process.kill_group(number, signal.SIGKILL)
