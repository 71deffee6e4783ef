"""``PYTHONPATH=. python scripts/measure.py [SET …]``: records the runs of the course's figures, content/measured/runs/.

Resumable: what is recorded on the base model of now is left alone, another base model is measured anew. Each run has a
process of its own, forked from a warm one, so its peak memory is its own. ``--list`` says how far it is, ``--check``
what is wrong. Leaves out which runs there are (``demos.finetuning.plan``).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection
from pathlib import Path
from typing import TYPE_CHECKING

from demos.finetuning import measured, plan
from demos.finetuning.events import Failed, Finished
from demos.finetuning.spec import RunSpec
from scripts.made import made

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess


@dataclass(frozen=True, slots=True)
class How:
    """Where recordings go and what they may use."""

    folder: Path
    processes: int
    threads: int


def main() -> int:
    """Record, list or check; the exit status."""
    arguments = _arguments()
    how = How(arguments.folder, arguments.processes, arguments.threads)
    find = partial(measured.recorded, folder=how.folder)
    names = arguments.sets or list(plan.sets(find))
    if arguments.list:
        for name in names:
            wanted = plan.sets(find)[name]
            have = len(wanted.specs) - len(plan.missing(wanted, find))
            print(f"{name:8} {have:3} of {len(wanted.specs):3}{'  optional' if wanted.optional else ''}")
        return 0
    if arguments.prune:
        for file in plan.idle(how.folder):
            print("removed", file.name)
            file.unlink()
        return 0
    if arguments.check:
        found = plan.faults(how.folder)
        print(*found or ["recordings: whole"], sep="\n")
        return int(bool(found))
    if arguments.spec:
        spec = RunSpec.from_json({"version": 1, **json.loads(arguments.spec)})
        return record([spec] if find(spec.fingerprint) is None else [], how, "spec")
    failed = 0
    for name in names:  # in order: the rates decide what the rest is
        failed += record(plan.missing(plan.sets(find)[name], find), how, name)
    return int(bool(failed))


def record(specs: Sequence[RunSpec], how: How, name: str) -> int:
    """Run every recipe, several at a time; how many could not be recorded."""
    if not specs:
        print(f"{name}: all recorded", flush=True)
        return 0
    _warm_up()
    context = multiprocessing.get_context("fork")
    waiting, failed, began = deque(specs), 0, time.monotonic()
    busy: dict[int, tuple[ForkProcess, float]] = {}
    try:
        while waiting or busy:
            while waiting and len(busy) < how.processes:
                spec = waiting.popleft()
                child = context.Process(target=_child, args=(spec, how))
                child.start()
                busy[child.sentinel] = (child, time.monotonic())
            ended = connection.wait(list(busy))
            for sentinel in [known for known in busy if known in ended]:
                child, started = busy.pop(sentinel)
                child.join()
                failed += bool(child.exitcode)
                now, done = time.monotonic(), len(specs) - len(waiting) - len(busy)
                left = (now - began) / done * (len(specs) - done) / 60
                print(f"{name}: {done} of {len(specs)}, took {now - started:.0f} s, {left:.0f} min left", flush=True)
    finally:
        for child, _ in busy.values():
            child.terminate()
    return failed


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", choices=[*plan.sets(), []], metavar="SET", help=", ".join(plan.sets()))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--folder", type=Path, default=measured.FOLDER)
    parser.add_argument("--spec", help="record this one recipe instead: JSON with what differs from the defaults")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--prune", action="store_true", help="remove recordings that no figure needs any more")
    return parser.parse_args()


def _warm_up() -> None:
    from jobs import tuning_process

    for name, value in tuning_process.ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    tuning_process.warm_up()


def _child(spec: RunSpec, how: How) -> None:
    """One run from the first event to its file; exits with 1 when it says nothing worth keeping."""
    import torch

    from demos.finetuning.run import run

    torch.set_num_threads(how.threads)
    told = list(run(spec))
    last = told[-1]
    if isinstance(last, Failed) and last.code != "diverged":
        print(f"{spec.title}: {last.code}: {last.text}", file=sys.stderr, flush=True)
        sys.exit(1)
    measured.write(spec, told, made("scripts/measure.py", how.threads, how.processes), how.folder)
    if isinstance(last, Finished):
        score = f"{last.before.right} -> {last.after.right} of {last.after.of}"
    else:
        score = "diverged"
    print(f"  {spec.title}, {spec.task}, seed {spec.seed}, rate {spec.learning_rate:g}: {score}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
