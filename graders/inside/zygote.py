"""Entry of the sandbox's zygote: walls, imports, then a fork per grading. See ``main``.

The trusted side starts it with a clean environment and talks to it over one socket; it never sees the exercises, the
database or a submission of another grading. Leaves out what a fork answers (``graders.inside.service``).
"""

from __future__ import annotations

import dataclasses
import functools
import os
import socket
import sys
from pathlib import Path
from typing import Any

from graders import forking
from graders.inside import linux, offer, preload, sandbox
from graders.inside.service import Service
from graders.wire import Channel


def main(socket_number: int, options: dict[str, Any]) -> None:
    """``options``: ``{"model": path or null, "hidden": [paths], "tiers": [in this order], "without": [layers left out,
    for tests]}``. ``socket_number``: the control socket's descriptor.

    Sends ``{"ready": true, "tier": ..., "layers": [...], "missing": {what: why}, "memory": bytes that each fork begins
    with}``, then serves; or ``{"ready": false, "problem": sentence}``.
    """
    control = socket.socket(fileno=socket_number)
    model = Path(options["model"]) if options["model"] else None
    wanted = sandbox.Plan("", model, tuple(map(Path, options["hidden"])), frozenset(options["without"]))
    chosen, problems = sandbox.choose(options["tiers"], wanted)
    if chosen is None:
        forking.send(control, {"ready": False, "problem": offer.refusal(problems)})
        return
    plan = dataclasses.replace(sandbox.settle(chosen), hidden=())
    del options, wanted, chosen  # forks can walk over these frames: no name of a hidden place stays in them
    with forking.mortal(control):
        preload.warm()
    told = {"tier": plan.tier, "layers": plan.layers, "missing": offer.missing(plan.tier, problems)}
    forking.send(control, {"ready": True, **told, "memory": linux.own_bytes()})
    try:
        grading, fork = functools.partial(_grading, plan), functools.partial(sandbox.fork_apart, plan)
        forking.serve(control, grading, fork, functools.partial(sandbox.bury, plan))
    finally:
        sandbox.leave(plan)


def _grading(plan: sandbox.Plan, terms: Any, descriptors: list[int]) -> None:
    """One forked process: walls first, then the submission. ``descriptors``: the wire, the output."""
    wire, output = descriptors
    nothing = os.open("/dev/null", os.O_RDONLY)
    for number, descriptor in enumerate((nothing, output, output)):
        os.dup2(descriptor, number)
    os.close(nothing)
    os.close(output)
    sandbox.enter(sandbox.Terms(**terms), plan)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - live as long as the process
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    preload.reseed()
    Service(Channel(socket.socket(fileno=wire))).run()
