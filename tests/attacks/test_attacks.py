"""Every attack through the real engine: the expected outcome, no point earned, and nothing of it stays.

Leaves out attacks on the queue, the store and the browser (``test_catalogue`` names where each of those is tried) and
whether an attack would get through without us (``test_proof``).
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from graders.host import session
from graders.host.engine import Engine
from graders.protocol import Outcome
from tests.attacks import answers, endings, escapes, forging, malformed, resources
from tests.attacks.case import EXERCISE, SECONDS, WRONG, Case, grade, right

pytestmark = pytest.mark.slow

CASES = tuple(case for group in (resources, endings, forging, answers, escapes, malformed) for case in group.CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_attack_earns_nothing_and_leaves_nothing(engine: Engine, exercises: Path, case: Case) -> None:
    before = standing(engine)
    source = (exercises / EXERCISE / "starter.py").read_bytes() if case.source == malformed.STARTER else case.source
    verdict = grade(engine, source, case.filename)
    told = "\n".join([verdict.message, verdict.output, *(check.message for check in verdict.checks)])
    assert verdict.points == 0, told
    assert verdict.outcome in case.expect, told
    assert case.says in told
    assert "ESCAPED" not in told
    assert verdict.seconds <= SECONDS * (1 + session.BUSY) + 1
    assert standing(engine) == before
    if verdict.outcome is not Outcome.FAILED or "HELD" in told:  # one that merely failed has not touched anything
        following = grade(engine, right(), "solution.py")
        assert following.points == following.possible, "the next submission is graded as if nothing had been"


def test_nothing_of_one_grading_is_found_by_the_next(engine: Engine) -> None:
    """Item 84: files, shared memory, keys."""
    source = (
        WRONG
        + """
import os
for folder in ("/tmp", "/dev/shm"):
    print("ESCAPED" if os.path.exists(f"{folder}/left") else "HELD")
    open(f"{folder}/left", "w").write("x")
"""
    )
    for _ in range(2):
        verdict = grade(engine, source.encode(), "solution.py")
        assert "HELD\nHELD" in verdict.output
        assert "ESCAPED" not in verdict.output


@dataclass(frozen=True)
class Standing:
    """What of ours runs and is mounted: a grading that is over has changed nothing of it."""

    zygotes: tuple[int, ...]
    others: int
    mounts: tuple[int, ...]
    shared: frozenset[str]  # what lies in the host's shared memory


def standing(engine: Engine) -> Standing:
    """The state of the host once what is ending has ended."""
    roots = [psutil.Process(zygote._now.process.pid) for zygote in (engine._judge, engine._student)]
    deadline = time.monotonic() + 5
    while (others := sum(len(root.children(recursive=True)) for root in roots)) > 1 and time.monotonic() < deadline:
        time.sleep(0.02)  # the sandbox's zygote has one child: process 1 of its world
    family = [*roots, *(child for root in roots for child in root.children(recursive=True))]
    mounts = tuple(Path(f"/proc/{process.pid}/mountinfo").read_text().count("\n") for process in family)
    return Standing(tuple(root.pid for root in roots), others, mounts, frozenset(os.listdir("/dev/shm")))  # noqa: PTH208
