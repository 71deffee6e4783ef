"""The warm processes seen from outside: they end with the one who started them, at any moment of their life."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil

from settings import ROOT

START = """
import sys, time
from pathlib import Path
from graders.host.engine import Engine
engine = Engine(Path("exercises"))
if sys.argv[1] == "warm":
    engine.isolation()
    engine._judge.wait()
print("started", flush=True)
time.sleep(600)
"""
IMPORTING = 0.7
"""Seconds after the start: the interpreter runs, torch is being imported, which takes seconds."""
GONE_WITHIN = 3.0


def test_zygotes_end_with_a_worker_killed_while_they_import() -> None:
    family = killed_after_start("cold", wait=IMPORTING)
    gone, alive = psutil.wait_procs(family, timeout=GONE_WITHIN)
    assert alive == []
    assert len(gone) >= 2


def test_zygotes_end_with_a_worker_killed_when_they_are_warm() -> None:
    family = killed_after_start("warm", wait=0)
    gone, alive = psutil.wait_procs(family, timeout=GONE_WITHIN)
    assert alive == []
    assert len(gone) >= 3, "the judge's, the sandbox's and its process 1"


def killed_after_start(how: str, *, wait: float) -> list[psutil.Process]:
    """The children of an engine's process that was killed so many seconds after it said that they run."""
    with subprocess.Popen([sys.executable, "-c", START, how], cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "started\n"
        time.sleep(wait)
        family = psutil.Process(worker.pid).children(recursive=True)
        worker.kill()
    return family
