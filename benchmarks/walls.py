"""How long the sandbox alone takes: from asking the warm process for a fork until it says that its walls stand.

Each tier, as root and as an ordinary user, in a program of its own; no check runs. ``python -m benchmarks.walls TIER``
is that program. Leaves out importing (``start``) and the submission.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks import table
from graders.host.output import Output
from graders.host.zygote import Lost, Zygote
from graders.wire import Channel
from settings import ROOT

LIMIT_MS, FORKS, WARM_UP = 60.0, 40, 5
NOBODY = 65_534
PATIENCE = 120.0
Row = tuple[str, ...]


def rows() -> tuple[list[Row], bool]:
    """The table's rows, and whether every median keeps the bound."""
    users = [None, NOBODY] if os.geteuid() == 0 else [None]
    wanted = [(tier, user) for tier in ("A", "B") for user in users]
    with ExitStack() as stack:
        programs = [stack.enter_context(_program(tier, user)) for tier, user in wanted]
        ready = [_hear(program) for program in programs]  # all of them warm up at once, each is measured alone
        found = [_measured(program, hello) for program, hello in zip(programs, ready, strict=True)]
    told = [_row(tier, user, item) for (tier, user), item in zip(wanted, found, strict=True)]
    medians = [statistics.median(item["ms"]) for item in found if "ms" in item]
    return told, bool(medians) and max(medians) <= LIMIT_MS


def measure(zygote: Zygote, forks: int = FORKS) -> list[float]:
    """Milliseconds of each of so many forks, after a few that are not counted."""
    return [_once(zygote, number) * 1000 for number in range(forks + WARM_UP)][WARM_UP:]


def _once(zygote: Zygote, number: int) -> float:
    ours, theirs = socket.socketpair()
    output, terms = Output(), {"number": number, "seconds": 10, "memory": 1 << 30}
    started = time.perf_counter()
    with ours:
        with theirs:
            child = zygote.fork(terms, [theirs.fileno(), output.writing])
        output.hand_over()
        said = Channel(ours).receive(time.monotonic() + 10)
        seconds = time.perf_counter() - started
    child.kill()
    child.wait(10)  # the next one is not to share the processor with this one's end
    child.close()
    output.close()
    if said != ["ready"]:
        raise RuntimeError(f"the sandbox said {said}")
    return seconds


@contextmanager
def _program(tier: str, user: int | None) -> Iterator[subprocess.Popen[str]]:
    """The program below; as another user in a place where that user may read the interpreter."""
    moved = [sys.executable, "-m", "tests.graders.elsewhere", "-" if user is None else str(user)]
    program = [*(moved if os.geteuid() == 0 else []), sys.executable, "-m", "benchmarks.walls", tier]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(program, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def _hear(program: subprocess.Popen[str]) -> dict[str, Any]:
    line = program.stdout.readline() if program.stdout else ""
    return dict(json.loads(line)) if line else {"problem": "the program ended"}


def _measured(program: subprocess.Popen[str], hello: dict[str, Any]) -> dict[str, Any]:
    if "problem" in hello or program.stdin is None:
        return hello
    program.stdin.write("go\n")
    program.stdin.flush()
    return _hear(program)


def _row(tier: str, user: int | None, found: dict[str, Any]) -> Row:
    root = os.geteuid() == 0 and user is None
    label = f"walls of tier {tier}, {'as root' if root else 'as an ordinary user'}"
    if "ms" not in found:
        return label, "not here", "", "", found["problem"][:80]
    ordered = sorted(found["ms"])
    late = ordered[int(0.95 * (len(ordered) - 1))]
    middle = statistics.median(ordered)
    return label, f"{middle:.1f} ms", f"{late:.1f} ms", f"{ordered[0]:.1f} ms", table.verdict(middle, LIMIT_MS)


def _tell(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


def _run(tier: str) -> None:
    options = {"model": None, "hidden": [], "tiers": [tier], "without": []}
    zygote = Zygote("graders.inside.zygote", options, shut=True)
    try:
        zygote.wait()
        _tell({"tier": tier})
        if sys.stdin.readline():
            _tell({"ms": measure(zygote)})
    except Lost as error:
        _tell({"problem": str(error)})
    finally:
        zygote.close()


if __name__ == "__main__":
    _run(sys.argv[1])
