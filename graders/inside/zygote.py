"""Entry of the sandbox's zygote: walls, imports, then a fork per grading. See ``main``.

The trusted side starts it with a clean environment and talks to it over one socket; it never sees the exercises, the
database or a submission of another grading. Leaves out what a fork answers (``graders.inside.service``).
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from graders import forking
from graders.inside import linux, preload, sandbox
from graders.inside.service import Service
from graders.wire import Channel


def main() -> None:
    """``argv``: the checkout, the control socket's descriptor, and JSON ``{"model": path or null, "hidden": [paths]}``.

    Sends ``{"ready": true, "layers": [...], "memory": bytes that each fork begins with}``, then serves; or
    ``{"ready": false, "problem": sentence}``.
    """
    control = socket.socket(fileno=int(sys.argv[2]))
    options = json.loads(sys.argv[3])
    try:
        sandbox.enclose(Path(options["model"]) if options["model"] else None, [Path(p) for p in options["hidden"]])
    except OSError as error:
        forking.send(control, {"ready": False, "problem": str(error)})
        return
    with forking.mortal(control):
        preload.warm()
    forking.send(control, {"ready": True, "layers": ["world", *sandbox.LAYERS], "memory": linux.own_bytes()})
    forking.serve(control, _grading, sandbox.fork_apart)


def _grading(terms: Any, descriptors: list[int]) -> None:
    """One forked process: walls first, then the submission. ``descriptors``: the wire, the output."""
    wire, output = descriptors
    nothing = os.open("/dev/null", os.O_RDONLY)
    for number, descriptor in enumerate((nothing, output, output)):
        os.dup2(descriptor, number)
    os.close(nothing)
    os.close(output)
    sandbox.enter(sandbox.Terms(**terms))
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - live as long as the process
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    preload.reseed()
    Service(Channel(socket.socket(fileno=wire))).run()
