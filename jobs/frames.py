"""Length-prefixed JSON on a socket: the talk between the app and the compute process, both of them ours."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

HEADER = struct.Struct("!I")
LARGEST = 64 * 2**20
"""Bytes of one frame. A chart needs a fraction of it."""


class FrameError(ConnectionError):
    """The other side went away in the middle, or sent what is not a frame."""


def write(connection: socket.socket, value: object) -> None:
    """Send ``value`` as one frame.

    Raises:
        FrameError: it is too large.
        OSError: the other side is gone.
    """
    body = json.dumps(value, ensure_ascii=False).encode()
    if len(body) > LARGEST:
        raise FrameError(f"frame of {len(body)} bytes")
    connection.sendall(HEADER.pack(len(body)) + body)


def read(connection: socket.socket) -> Any:
    """The value of the next frame.

    Raises:
        FrameError: no whole frame came.
        TimeoutError: nothing came within the socket's timeout.
    """
    (size,) = HEADER.unpack(_exactly(connection, HEADER.size))
    if size > LARGEST:
        raise FrameError(f"frame of {size} bytes")
    try:
        return json.loads(_exactly(connection, size))
    except ValueError as error:
        raise FrameError(f"not JSON: {error}") from error


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = connection.recv(min(size, 2**20))
        if not part:
            raise FrameError("the other side closed the connection")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
