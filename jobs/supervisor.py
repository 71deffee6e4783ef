"""Runs the app, the worker and the compute process together: starts them, restarts the dead, stops all at once.

Leaves out what has to be true before (``cli.start``: free port, migrated database). Has one thread and imports nothing
heavy, so that it costs little and its children can be started by fork.
"""

from __future__ import annotations

import http.client
import math
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common import numbers
from jobs import process

TICK = 0.1
PATIENCE = 10.0
"""Seconds that a child gets to stop by itself. A worker that is still warming up ends its helpers first: that takes
the most, 6 s."""
BACKOFF = (0.2, 1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds to wait before the first, second, … restart in a row."""
STEADY = 60.0
"""A child that ran this long had a good start: its failures are forgotten."""
HEAD_START = 1.5
"""Seconds that the app, once ready, has the machine to itself for the first page: the others import torch."""
STARTUP_FAILURES = 3
LARGEST_LOG = 10 * 2**20
LOG_CHECK = 60.0


@dataclass(frozen=True, slots=True)
class Service:
    """One kind of child."""

    name: str  # of its log file
    title: str  # in a sentence: «проверка решений»
    command: tuple[str, ...]


@dataclass(slots=True)
class Child:
    """A service and its running process, if any."""

    service: Service
    log: Path
    running: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    next_start: float = 0.0


class StartFailed(RuntimeError):
    """The app did not come up; the message is a Russian sentence."""


@dataclass(slots=True)
class Supervisor:
    """The children of one course. ``say`` gets each sentence for the operator."""

    services: Sequence[Service]
    logs: Path
    environment: Mapping[str, str]
    directory: Path
    say: Callable[[str], None]
    _children: list[Child] = field(init=False, default_factory=list)
    _stop: threading.Event = field(init=False, default_factory=threading.Event)

    def run(self, ready: Callable[[], bool], announce: Callable[[], None]) -> None:
        """Start the first, call ``announce`` once ``ready`` says so, start the others, keep all running until ``stop``,
        then end them all.

        Raises:
            StartFailed: the first service died again and again before it was ready.
            OSError: a log cannot be written.
        """
        self._children = [Child(service, self.logs / f"{service.name}.log") for service in self.services]
        for child in self._children[1:]:
            child.next_start = math.inf
        announced, log_check = False, 0.0
        try:
            while not self._stop.is_set():
                for child in self._children:
                    self._attend(child)
                if not announced and ready():
                    announced = True
                    announce()
                    for child in self._children[1:]:
                        child.next_start = time.monotonic() + HEAD_START
                if not announced and self._children[0].failures >= STARTUP_FAILURES:
                    raise StartFailed(_last_words(self._children[0]))
                if time.monotonic() > log_check:
                    log_check = time.monotonic() + LOG_CHECK
                    self._trim_logs()
                self._stop.wait(TICK)
        finally:
            self._end()

    def stop(self) -> None:
        """Leave ``run``; may be called from a signal handler. A second call kills what is still stopping."""
        if self._stop.is_set():
            for child in self._children:
                _signal(child, signal.SIGKILL)
        self._stop.set()

    def _attend(self, child: Child) -> None:
        now = time.monotonic()
        if child.running is None:
            if now >= child.next_start:
                self._start(child)
            return
        status = child.running.poll()
        if status is None:
            if child.failures and now - child.started > STEADY:
                child.failures = 0
            return
        _signal(child, signal.SIGKILL)  # what the dead one started
        child.running = None
        pause = BACKOFF[min(child.failures, len(BACKOFF) - 1)]
        child.failures += 1
        child.next_start = now + pause
        self.say(
            f"{child.service.title}: процесс остановился (код {status}), запускаю снова через "
            f"{numbers.duration(pause)}. Журнал: {child.log}"
        )

    def _start(self, child: Child) -> None:
        child.started = time.monotonic()
        child.running = process.spawn(
            child.service.command, log=child.log, environment=self.environment, directory=self.directory
        )

    def _end(self) -> None:
        for child in self._children:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        for child in self._children:
            if child.running is not None:
                try:
                    child.running.wait(max(0.0, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    _signal(child, signal.SIGKILL)
                    child.running.wait()
            _signal(child, signal.SIGKILL)

    def _trim_logs(self) -> None:
        for child in self._children:
            if child.log.exists() and child.log.stat().st_size > LARGEST_LOG:
                # Children append, so the file may be emptied under them.
                child.log.with_suffix(".old.log").write_bytes(child.log.read_bytes())
                child.log.write_bytes(b"")


def course(*, grading: bool) -> tuple[Service, ...]:
    """The services of a course, the app first; ``grading`` needs Linux."""
    app = Service("app", "Приложение", (sys.executable, "app.py"))
    compute = Service("compute", "Вычислитель", (sys.executable, "-P", "-m", "jobs.compute_process"))
    worker = Service("worker", "Проверка решений", (sys.executable, "-P", "-m", "jobs.worker"))
    return (app, worker, compute) if grading else (app, compute)


def answers(host: str, port: int) -> bool:
    """Whether the app says that it is ready."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _signal(child: Child, number: signal.Signals) -> None:
    if child.running is not None:
        process.kill_group(child.running.pid, number)


def _last_words(child: Child) -> str:
    tail = child.log.read_text(errors="replace").strip().splitlines()[-1:]
    return f"{child.service.title}: не запускается. Последняя строка журнала {child.log}: {''.join(tail) or '(пусто)'}"
