"""A process that forks when told to: receives requests with file descriptors, forks, reports each child's end.

Serves both zygotes, the judge's and the sandbox's. One thread, no signals: a pidfd per child tells when it ended.
A request is one packet: JSON and descriptors, the first of which is the status socket of this child. Over it go the
child's pidfd and, at the end, ``{"code": n}`` (negative: killed by that signal). When the control socket closes, the
process exits. Leaves out what a child does, and everything about sandboxes. Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

MAX_REQUEST = 1 << 16
MAX_DESCRIPTORS = 8
SCRATCH = "course-sandbox-"
"""How the names of tier B's scratch folders begin: both halves know them by it."""


def send(sock: socket.socket, message: object, descriptors: Sequence[int] = ()) -> None:
    """Send one packet of plain data with descriptors.

    Raises:
        OSError: the other side is gone.
    """
    socket.send_fds(sock, [json.dumps(message).encode()], descriptors)


def receive(sock: socket.socket) -> tuple[Any, list[int]]:
    """The next packet. An empty one (the other side closed, maybe without reading ours) is ``(None, [])``."""
    try:
        data, descriptors, _, _ = socket.recv_fds(sock, MAX_REQUEST, MAX_DESCRIPTORS)
    except ConnectionResetError:
        return None, []
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return (json.loads(data) if data else None), list(descriptors)


@contextlib.contextmanager
def mortal(control: socket.socket) -> Iterator[None]:
    """While this process does not listen to ``control`` it still ends at once when the other side hangs up.

    What it forks meanwhile (``in_child``) ends too: its group is told. The kernel sends SIGIO for whatever happens to
    the socket: nothing may be sent to it meanwhile. PR_SET_PDEATHSIG would not do: it follows the thread of the parent
    that started this process, not the parent.
    """
    if os.getpgrp() != os.getpid():  # process 1 of a namespace: its group is outside and has no number here
        os.setpgid(0, 0)
    signal.signal(signal.SIGIO, lambda *_: os._exit(1))
    fcntl.fcntl(control, fcntl.F_SETOWN, -os.getpid())
    flags = fcntl.fcntl(control, fcntl.F_GETFL)
    fcntl.fcntl(control, fcntl.F_SETFL, flags | os.O_ASYNC)
    if select.select([control], [], [], 0)[0]:  # hung up before: no signal comes for that
        os._exit(1)
    try:
        yield
    finally:
        fcntl.fcntl(control, fcntl.F_SETFL, flags)
        signal.signal(signal.SIGIO, signal.SIG_DFL)


def serve(
    control: socket.socket,
    child: Callable[[Any, list[int]], None],
    fork: Callable[[], int] = os.fork,
    bury: Callable[[int], None] = lambda _pid: None,
) -> None:
    """Fork for each request until ``control`` closes. ``child(request, descriptors)`` runs in the forked process.

    ``fork`` is ``os.fork`` or a fork into new namespaces; it returns 0 in the child, else the child's pid.
    ``bury(pid)`` is called when the child has ended and whoever asked for it has let go of it.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not control:
                    selector.unregister(key.fileobj)
                    if _ended(key.fileobj, *key.data):
                        selector.register(key.data[1], selectors.EVENT_READ, key.data)  # readable when it is let go
                    else:
                        bury(key.data[0])
                    continue
                request, descriptors = receive(control)
                if request is None:
                    _end_all(selector)
                    return
                started = _start(request, descriptors, child, fork)
                if started:
                    selector.register(started[0], selectors.EVENT_READ, started[1:])


def _end_all(selector: selectors.BaseSelector) -> None:
    """Nobody asks any more: no child goes on, and who cleans up after them may begin."""
    running = [key for key in selector.get_map().values() if key.data and key.fileobj is not key.data[1]]
    for key in running:
        signal.pidfd_send_signal(key.fd, signal.SIGKILL)
    for key in running:
        os.waitpid(key.data[0], 0)


def _start(
    request: Any, descriptors: list[int], child: Callable[[Any, list[int]], None], fork: Callable[[], int]
) -> tuple[int, int, socket.socket] | None:
    status = socket.socket(fileno=descriptors[0])
    try:
        pid = fork()
    except OSError as error:
        send(status, {"refused": str(error)})
        status.close()
        return None
    rest = descriptors[1:]
    if pid == 0:
        _run(request, rest, child)
    for descriptor in rest:
        os.close(descriptor)
    pidfd = os.pidfd_open(pid)
    _tell(status, {"started": True}, (pidfd,))
    return pidfd, pid, status


def _run(request: Any, descriptors: list[int], child: Callable[[Any, list[int]], None]) -> NoReturn:
    code = 70
    try:
        child(request, keep_only(descriptors))
        code = 0
    except BaseException:  # noqa: BLE001 - the forked copy must never go on in the parent's loop
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(code)


def keep_only(descriptors: Sequence[int]) -> list[int]:
    """Close everything but 0, 1, 2 and ``descriptors``, which become 3, 4, ...; returns their new numbers."""
    high = [os.dup2(d, 500 + i, inheritable=False) for i, d in enumerate(descriptors)]
    low = [os.dup2(d, 3 + i, inheritable=False) for i, d in enumerate(high)]
    os.closerange(3 + len(low), os.sysconf("SC_OPEN_MAX"))
    return low


def _ended(watched: Any, pid: int, status: socket.socket) -> bool:
    """Whether ``watched`` was the pidfd of a child, whose end is told now; else the status socket, which is closed."""
    if watched is status:
        status.close()
        return False
    _, raw = os.waitpid(pid, 0)
    os.close(watched)
    _tell(status, {"code": os.waitstatus_to_exitcode(raw)})
    return True


def _tell(status: socket.socket, message: object, descriptors: Sequence[int] = ()) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more: the grading is over
        send(status, message, descriptors)


def in_child(work: Callable[[], list[str]], fork: Callable[[], int] = os.fork) -> list[str]:
    """What ``work`` returns, run in a fork that is thrown away: this process stays as it is. Empty when it failed."""
    reading, writing = os.pipe()
    pid = fork()
    if pid == 0:
        code = 1
        try:
            os.write(writing, "\n".join(work()).encode()[:60_000])  # a pipe holds 64 KiB
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        lines = pipe.read().split("\n")
    os.waitpid(pid, 0)
    return [line for line in lines if line]
