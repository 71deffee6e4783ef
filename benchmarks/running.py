"""A course started as an operator starts it, on a free port with its own data, for benchmarks and browser tests.

Leaves out installing: the environment that runs this is the one that runs the course.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from settings import ROOT

READY_WITHIN = 90.0


@dataclass(frozen=True, slots=True)
class Running:
    """A started course."""

    url: str
    port: int
    supervisor: psutil.Process
    data_dir: Path
    started: float  # time.perf_counter() just before the start

    def processes(self) -> list[psutil.Process]:
        """The supervisor and everything under it."""
        return [self.supervisor, *self.supervisor.children(recursive=True)]

    def find(self, part: str) -> psutil.Process:
        """The process whose command line contains ``part``.

        Raises:
            LookupError: there is none.
        """
        for process in self.processes():
            if any(part in word for word in _command(process)):
                return process
        raise LookupError(f"no process with {part!r} in its command line")

    def get(self, path: str) -> Any:
        """The JSON that the app answers at ``path``."""
        return _get(f"{self.url}{path}")


@contextmanager
def running_course(*arguments: str, data_dir: Path | None = None) -> Iterator[Running]:
    """Start the course, wait until it is ready, stop it at the end and make sure that nothing is left."""
    with tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as temporary:
        folder, port = data_dir or Path(temporary), free_port()
        log = (folder / "start.log").open("wb")
        started = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, "-m", "cli", "start", "--port", str(port), *arguments],
            cwd=ROOT,
            env={**os.environ, "COURSE_DATA_DIR": str(folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            running = Running(f"http://127.0.0.1:{port}", port, psutil.Process(child.pid), folder, started)
            wait_ready(running.url, child, folder / "start.log")
            yield running
        finally:
            _stop(child)
            log.close()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_ready(url: str, child: subprocess.Popen[bytes], log: Path | None = None) -> None:
    """Return once the app at ``url`` says that it is ready.

    Raises:
        RuntimeError: its process ended, or time is up; with what ``log`` says.
    """
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise RuntimeError(f"the course did not start:\n{_read(log)}")
        try:
            _get(f"{url}/ready")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the course was not ready in {READY_WITHIN} s:\n{_read(log)}")


def _get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own address
        return json.load(answer)


def _read(log: Path | None) -> str:
    return log.read_text(errors="replace") if log else ""


def _stop(child: subprocess.Popen[bytes]) -> None:
    family = psutil.Process(child.pid).children(recursive=True) if child.poll() is None else []
    child.send_signal(signal.SIGINT)
    try:
        child.wait(20)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    _, alive = psutil.wait_procs(family, timeout=5)
    for process in alive:
        process.kill()


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []
