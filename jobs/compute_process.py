"""``python -m jobs.compute_process``: the warm process in which demos that need torch are computed.

It imports torch once, runs no operation itself and has one thread, so that it can fork: each request is answered by a
child of its own, which is killed at the deadline and may run out of memory alone. Leaves out the demos.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import selectors
import signal
import socket
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

import settings
from demos import registry
from demos.params import ParamsError
from jobs import compute, frames, plain, process

TOGETHER = max(2, os.cpu_count() or 1)
"""Requests computed at the same time; the others wait in the socket's backlog."""
HEADROOM = 3 * 2**30
"""Bytes that a request may allocate beyond what the warm process holds."""
QUIET = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
"""As many requests as cores compute at once. With two threads each they wait for one another: on a busy machine a
quantization of 0.9 s took 10."""
ORPHAN_CHECK = 1.0
LATER = 15.0
"""Seconds that a course which has just started has the machine for its pages, before more is imported."""
log = logging.getLogger("course.compute")


@dataclass(slots=True)
class Task:
    """A child at work: where its answer goes and when it has to be done."""

    pid: int
    connection: socket.socket
    deadline: float
    late: bool = False


class Server:
    """The listening socket and the children. Used by one thread."""

    def __init__(self, path: Path, deadline: float) -> None:
        self._path, self._deadline = path, deadline
        self._listener = _listen(path)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._tasks: dict[int, Task] = {}  # by the pipe that closes when the child ends
        self._cold = libraries()
        self._quiet_until = time.monotonic() + LATER

    def serve(self) -> None:
        """Answer until the parent is gone."""
        while not process.orphaned():
            ready = self._selector.select(self._pause())
            if self._cold and not ready and not self._tasks and time.monotonic() > self._quiet_until:
                warm_further(self._cold.pop(0))
            for key, _ in ready:
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._finish(key.fd)
            self._kill_late()

    def close(self) -> None:
        """Stop listening and kill what still computes."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        for task in self._tasks.values():
            process.kill_group(task.pid, signal.SIGKILL)

    def _pause(self) -> float:
        nearest = min((task.deadline for task in self._tasks.values() if not task.late), default=float("inf"))
        return max(0.0, min(ORPHAN_CHECK, nearest - time.monotonic()))

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        alive, ended = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become_child(connection)
        os.close(ended)
        self._tasks[alive] = Task(pid, connection, time.monotonic() + self._deadline)
        self._selector.register(alive, selectors.EVENT_READ)
        if len(self._tasks) >= TOGETHER:
            self._selector.unregister(self._listener)

    def _finish(self, alive: int) -> None:
        task = self._tasks.pop(alive)
        self._selector.unregister(alive)
        os.close(alive)
        code = process.reap_group(task.pid)
        if code != 0:
            log.error("request ended with status %d%s", code, ", past its deadline" if task.late else "")
            _answer(task.connection, {"error": "deadline" if task.late else _reason(code)})
        task.connection.close()
        if len(self._tasks) == TOGETHER - 1:
            self._selector.register(self._listener, selectors.EVENT_READ)

    def _kill_late(self) -> None:
        now = time.monotonic()
        for task in self._tasks.values():
            if not task.late and task.deadline <= now:
                task.late = True
                process.kill_group(task.pid, signal.SIGKILL)

    def _become_child(self, connection: socket.socket) -> NoReturn:
        status = 1
        try:
            os.setsid()
            process.die_with_parent()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self._listener.close()
            process.limit_memory(HEADROOM)
            connection.settimeout(self._deadline)
            frames.write(connection, _compute(frames.read(connection)))
            status = 0
        except BaseException:
            log.exception("request failed")
        finally:
            logging.shutdown()
            os._exit(status)


def _compute(request: dict[str, object]) -> dict[str, object]:
    try:
        return {"result": plain.encode(registry.call(str(request["name"]), request["params"]))}  # type: ignore[arg-type]
    except ParamsError as refusal:  # values that do not go together: known only when it is computed
        return {"refused": str(refusal)}
    except MemoryError:
        return {"error": "memory"}
    except RuntimeError as error:
        if "memory" in str(error):  # torch has no type of its own for it on a CPU
            return {"error": "memory"}
        raise


def _reason(code: int) -> str:
    if code == -signal.SIGKILL:  # the kernel took it: memory was short
        return "memory"
    return "crash" if code < 0 else "fault"


def _answer(connection: socket.socket, reply: dict[str, str]) -> None:
    connection.settimeout(1.0)
    with contextlib.suppress(OSError):  # nobody waits any more
        frames.write(connection, reply)


def _listen(path: Path) -> socket.socket:
    """A socket that appears at ``path`` only when it listens, for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with compute.short(fresh) as name:
        listener.bind(name)
    fresh.chmod(0o600)
    listener.listen(128)
    fresh.replace(path)
    return listener


def warm_up() -> None:
    """Import torch and every demo, then keep what was imported out of the collector's sight: forks share its pages."""
    import torch  # noqa: F401

    for demo in registry.DEMOS.values():
        importlib.import_module(demo.target.partition(":")[0])
    gc.collect()
    gc.freeze()


def libraries() -> list[str]:
    """What demos import when they are called: seconds of work that no request had better wait for.

    Where there is a GPU, importing them would touch it, and a process that did cannot fork: there each request pays.
    """
    import torch

    if torch.cuda.is_available():
        return []
    return list(dict.fromkeys(name for demo in registry.DEMOS.values() for name in demo.libraries))


def warm_further(name: str) -> None:
    """Import one more library while nobody asks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def main() -> None:
    """Serve until SIGTERM or until the parent is gone."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    chosen = settings.current()
    os.environ.update(QUIET | ONE_THREAD)
    warm_up()
    server = Server(chosen.compute_socket, compute.DEADLINE)

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("listening")
    try:
        server.serve()
    finally:
        server.close()


if __name__ == "__main__":
    main()
