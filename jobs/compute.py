"""Calls a demo in the warm compute process and gives back its typed result. Imports no torch, so that pages may use it.

Leaves out the process itself (``jobs.compute_process``) and what demos there are (``demos.registry``).
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
import time
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import settings
from demos import registry
from demos.params import ParamsError
from jobs import frames, plain

DEADLINE = 10.0
"""Seconds that one computation may take."""
PATIENCE = 20.0
"""Seconds until the caller gives up: others may be computing before, or the process may just be restarting."""
LONGEST_ADDRESS = 100  # bytes; the kernel takes 108

BUSY = "Вычислитель занят другими расчётами: попробуйте ещё раз через несколько секунд."
AWAY = "Вычислитель перезапускается: попробуйте ещё раз через несколько секунд."
SENTENCES = {
    "deadline": "Расчёт не уложился в 10 секунд и остановлен: уменьшите размеры и попробуйте ещё раз.",
    "memory": "Расчёту не хватило памяти: уменьшите размеры и попробуйте ещё раз.",
    "crash": "Расчёт оборвался: попробуйте другие значения. Это наша ошибка, она записана в журнал.",
    "fault": "В расчёте ошибка — наша, не ваша; она записана в журнал. Попробуйте другие значения.",
}


class ComputeError(RuntimeError):
    """No result; the message is one Russian sentence for the learner."""


def call(name: str, params: Mapping[str, Any], *, address: Path | None = None) -> Any:
    """The result of demo ``name`` with ``params``, of the type that the demo's function returns.

    A demo that loads no torch is computed here and now: it takes less time than the way to the other process.

    Raises:
        demos.registry.ParamsError: a parameter is not usable; its message is for the learner.
        ComputeError: too long, too large, crashed, or the process is away.
    """
    registry.params(name, params)
    if not registry.DEMOS[name].heavy:
        return registry.call(name, params)
    deadline = time.monotonic() + PATIENCE
    with _connect(address or settings.current().compute_socket, deadline) as connection:
        reply = _ask(connection, {"name": name, "params": plain.encode(params)}, deadline)
    if "refused" in reply:
        raise ParamsError(reply["refused"])
    if "error" in reply:
        raise ComputeError(SENTENCES[reply["error"]])
    return plain.decode(result_type(name), reply["result"])


@cache
def result_type(name: str) -> Any:
    """What demo ``name`` returns, read from its function's annotation. Importing a demo's module imports no torch."""
    module, _, function = registry.DEMOS[name].target.partition(":")
    return typing.get_type_hints(getattr(importlib.import_module(module), function))["return"]


@contextmanager
def short(path: Path) -> Iterator[str]:
    """A name of the socket at ``path`` that fits into the kernel's 108 bytes, valid inside the block.

    Raises:
        ComputeError: the path is too long and this system has no ``/proc`` to shorten it.
    """
    if len(os.fsencode(path)) <= LONGEST_ADDRESS:
        yield str(path)
        return
    if sys.platform != "linux":
        raise ComputeError(f"Путь {path} слишком длинный: укажите папку короче в COURSE_DATA_DIR.")
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


@contextmanager
def _connect(path: Path, deadline: float) -> Iterator[socket.socket]:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with connection:
        while True:
            try:
                with short(path) as name:
                    connection.connect(name)
                break
            except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError, BlockingIOError):
                if time.monotonic() + PATIENCE / 2 > deadline:
                    raise ComputeError(AWAY) from None
                time.sleep(0.05)
        yield connection


def _ask(connection: socket.socket, request: object, deadline: float) -> dict[str, Any]:
    try:
        connection.settimeout(max(0.1, deadline - time.monotonic()))
        frames.write(connection, request)
        reply = frames.read(connection)
    except TimeoutError:
        raise ComputeError(BUSY) from None
    except OSError:
        raise ComputeError(AWAY) from None
    return typing.cast("dict[str, Any]", reply)
