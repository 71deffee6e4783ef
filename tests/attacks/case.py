"""What an attack is: a submission, the item of the catalogue that it stands for, and the outcome that is right.

Every case is a wrong solution of the exercise ``rank-for-energy`` with an attack in it. Leaves out what has to hold.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from graders.host.engine import Engine
from graders.protocol import Job, Outcome, Verdict
from settings import ROOT

EXERCISE = "rank-for-energy"
SECONDS, MEGABYTES = 1.5, 512

WRONG = """
import torch
def rank_for_energy(matrix, share):
    return -7
def low_rank(matrix, rank):
    return torch.zeros(matrix.shape)
"""
"""Runs, answers in the right types, earns nothing."""

ENDED = frozenset({Outcome.FAILED, Outcome.CRASHED, Outcome.PROTOCOL})
STOPPED = frozenset({Outcome.TIMEOUT})
STARVED = frozenset({Outcome.MEMORY, Outcome.CRASHED, Outcome.FAILED})
"""Memory that cannot be had ends as MemoryError in Python, as RuntimeError in torch, or by the watchdog."""


@dataclass(frozen=True, slots=True)
class Case:
    """One attack. ``item``: its number in the catalogue (docs/attacks.md)."""

    item: int
    name: str
    source: str | bytes
    expect: frozenset[Outcome]
    says: str = ""  # part of what the learner reads
    forges: bool = False  # plain in-process pytest reports this wrong solution as better than it is
    wall: str = ""  # the layer without which the probe prints ESCAPED
    filename: str = "solution.py"

    def __str__(self) -> str:
        return f"{self.item}-{self.name}"


def attack(
    item: int,
    name: str,
    body: str,
    expect: frozenset[Outcome] | Outcome = ENDED,
    *,
    says: str = "",
    forges: bool = False,
    after: str = "",
) -> Case:
    """The wrong solution, ``body`` and what comes ``after`` it."""
    source = WRONG + textwrap.dedent(body) + after
    compile(source, name, "exec")  # an attack that does not even parse attacks nothing
    outcomes = frozenset({expect}) if isinstance(expect, Outcome) else expect
    return Case(item, name, source, outcomes, says=says, forges=forges)


def probe(item: int, name: str, body: str, wall: str = "") -> Case:
    """``body`` raises where it is held back; where it runs to its end the submission prints ESCAPED."""
    lines = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    tried = (
        f"\ntry:\n{lines}\n    print('ESCAPED')\nexcept BaseException as error:\n    print('HELD', repr(error)[:200])\n"
    )
    return Case(item, name, WRONG + tried, frozenset({Outcome.FAILED}), wall=wall)


def file(
    item: int,
    name: str,
    content: str | bytes,
    expect: Outcome,
    *,
    says: str = "",
    filename: str = "solution.py",
) -> Case:
    """A submission as it stands."""
    return Case(item, name, content, frozenset({expect}), says=says, filename=filename)


def right() -> bytes:
    return (ROOT / "exercises" / EXERCISE / "solution.py").read_bytes()


def grade(engine: Engine, source: str | bytes, filename: str) -> Verdict:
    return engine.grade(Job(EXERCISE, source.encode() if isinstance(source, str) else source, filename))
