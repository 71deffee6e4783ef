"""How the thread that trains speaks to whoever reads the run's events, and hears that it should stop.

Leaves out what is said (``events``) and by whom (``run``, ``callbacks``).
"""

from __future__ import annotations

import queue
import resource
import sys
import threading
import time

from demos.finetuning.events import Alarm, Event, Stage


class Cancelled(Exception):
    """Raised in the training thread when nobody reads any more."""


class Channel:
    """Events in one direction, one word in the other. All times are seconds since it was made."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self.cancelled = threading.Event()
        self._began = time.monotonic()

    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def say(self, event: Event) -> None:
        """Hand over an event, unless the run was cancelled.

        Raises:
            Cancelled: nobody reads any more.
        """
        self.check()
        self.events.put(event)

    def stage(self, name: str, title: str) -> None:
        """Say what is done now."""
        self.say(Stage(name, title, self.seconds()))

    def alarm(self, code: str, text: str, step: int = 0, *, fatal: bool = False) -> None:
        """Say what the learner should know."""
        self.say(Alarm(code, text, step, fatal))

    def check(self) -> None:
        """Raise ``Cancelled`` when nobody reads any more."""
        if self.cancelled.is_set():
            raise Cancelled


def peak_memory() -> int:
    """Bytes of the GPU at the most, or of this process where there is none."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024
