"""The warm processes seen from outside: they end with the one who started them, at any moment of their life."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import psutil
import pytest

from graders import forking
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
pytestmark = pytest.mark.slow


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


SERVING = """
import os, socket, sys, time
from graders import forking
def child(request, descriptors):
    os.write(descriptors[0], str(os.getpid()).encode())
    time.sleep(600)
forking.serve(socket.socket(fileno=int(sys.argv[1])), child)
"""


def test_children_are_gone_when_a_zygote_ends_because_nobody_asks_any_more() -> None:
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    status, given = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reading, writing = os.pipe()
    with control, theirs, status, given, os.fdopen(reading) as told:
        command = [sys.executable, "-c", SERVING, str(theirs.fileno())]
        with subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()]) as zygote:
            theirs.close()
            forking.send(control, {}, [given.fileno(), writing])
            os.close(writing)
            child = psutil.Process(int(os.read(told.fileno(), 20)))
            control.close()
            assert zygote.wait(5) == 0
    assert not child.is_running()


IMPORTING_STILL = """
import os, socket, sys, time
from graders import forking
control = socket.socket(fileno=int(sys.argv[1]))
if sys.argv[2] == "late":
    sys.stdin.readline()  # the other side hangs up first
def work():
    print(os.getpid(), flush=True)
    time.sleep(600)
    return []
with forking.mortal(control):
    forking.in_child(work)
"""


def importing_still(when: str) -> tuple[subprocess.Popen[str], socket.socket]:
    """A process that waits for a child of its own with nobody listening to the control socket, and our end of it."""
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-c", IMPORTING_STILL, str(theirs.fileno()), when]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        return subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()], text=True, **pipes), control


def test_a_zygote_that_waits_for_its_child_ends_with_it() -> None:
    zygote, control = importing_still("soon")
    with zygote, control:
        assert zygote.stdout is not None
        child = psutil.Process(int(zygote.stdout.readline()))
        control.close()
        assert zygote.wait(GONE_WITHIN) == 1
        assert psutil.wait_procs([child], timeout=GONE_WITHIN)[1] == []


def test_a_zygote_that_was_left_before_it_listened_ends_too() -> None:
    zygote, control = importing_still("late")
    with zygote:
        control.close()
        zygote.communicate("\n", timeout=GONE_WITHIN)
        assert zygote.returncode == 1


def killed_after_start(how: str, *, wait: float) -> list[psutil.Process]:
    """The children of an engine's process that was killed so many seconds after it said that they run."""
    with subprocess.Popen([sys.executable, "-c", START, how], cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "started\n"
        time.sleep(wait)
        family = psutil.Process(worker.pid).children(recursive=True)
        worker.kill()
    return family
