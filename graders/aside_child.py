"""The child's half of ``graders.aside``: sets its own limits, runs one function, writes its answer, ends.

Imports next to nothing, so that it starts in milliseconds. Leaves out the deadline and the kill (the parent's); the
limits here hold even when the parent is killed.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import resource
import signal
import sys
import traceback
from typing import NoReturn

LARGEST = 8 << 20
"""Bytes of the largest answer."""
TOO_HARD, BROKEN = 3, 4
"""Exit codes: a limit was met; the function failed."""


def main() -> NoReturn:
    """Answer the one task on standard input within the limits of the command line."""
    _limit(math.ceil(float(sys.argv[2])) + 1, int(sys.argv[3]) << 20)
    try:
        code, answer = 0, json.dumps(_answer()).encode()
        if len(answer) > LARGEST:
            code, answer = TOO_HARD, b""
    except (MemoryError, RecursionError):
        code, answer = TOO_HARD, b""
    except BaseException:  # noqa: BLE001 - whatever it is, the parent logs it
        code, answer = BROKEN, traceback.format_exc(limit=-5)[-1000:].encode(errors="replace")
    sys.stdout.buffer.write(answer)
    sys.stdout.flush()
    os._exit(code)  # taking a deep structure apart could still overflow the stack


def _limit(seconds: int, memory: int) -> None:
    signal.alarm(seconds)
    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, LARGEST),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _answer() -> object:
    function, payload = json.load(sys.stdin.buffer)
    module, _, name = function.partition(":")
    return getattr(importlib.import_module(module), name)(payload)
