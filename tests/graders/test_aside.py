"""A function in a process of its own: what comes back, and that no limit can be crossed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from graders import aside
from settings import ROOT

pytestmark = pytest.mark.slow

TASKS = "tests.graders.aside_tasks"


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "graders.aside_child" in " ".join(child.cmdline())]


@pytest.mark.parametrize("payload", [None, 1, "ё\ud800\0", [1, [2.5, "x"]], {"a": {"b": []}}, "я" * 10**6])
def test_plain_data_goes_there_and_back(payload: Any) -> None:
    assert aside.run(f"{TASKS}:echo", payload) == payload


@pytest.mark.parametrize(
    ("task", "payload", "limits"),
    [
        ("spin", None, {"seconds": 0.5}),
        ("sleep", 60, {"seconds": 0.5}),
        ("hoard", 300, {"megabytes": 200}),
        ("grow", 9 << 20, {}),
        ("deepen", 10**6, {}),
        ("parse", 10**5, {}),
    ],
)
def test_a_limit_is_too_hard_and_ends_in_time(task: str, payload: Any, limits: dict[str, Any]) -> None:
    begun = time.monotonic()
    with pytest.raises(aside.TooHard):
        aside.run(f"{TASKS}:{task}", payload, **limits)
    assert time.monotonic() - begun < limits.get("seconds", aside.SECONDS) + 1
    assert not children()


def test_what_fits_the_limits_is_answered() -> None:
    assert aside.run(f"{TASKS}:hoard", 100, megabytes=200) == 100 << 20
    assert len(aside.run(f"{TASKS}:grow", 7 << 20)) == 7 << 20


def test_our_own_faults_are_told_apart_with_what_happened() -> None:
    with pytest.raises(aside.Broken, match="LookupError: нет такого"):
        aside.run(f"{TASKS}:fail", "нет такого")
    with pytest.raises(aside.Broken, match="nowhere"):
        aside.run("graders.nowhere:read", None)


def test_an_interpreter_that_does_not_start_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(aside.Broken, match="/nowhere/python"):
        aside.run(f"{TASKS}:echo", None)


def test_the_child_starts_bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "1")
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    found = aside.run(f"{TASKS}:surroundings", None)
    os.close(reading)
    os.close(writing)
    assert "SECRET" not in found["environment"]
    assert found["folder"] == "/"
    assert len(found["descriptors"]) == 4  # 0, 1, 2 and the one that lists them
    assert not any("site-packages" in folder for folder in found["path"])
    assert not {"torch", "numpy", "site"} & set(found["modules"])


def test_several_threads_ask_at_once() -> None:
    answers: dict[int, Any] = {}

    def ask(number: int) -> None:
        answers[number] = aside.run(f"{TASKS}:echo", number, seconds=20)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: number for number in range(4)}


def test_the_child_does_not_outlive_a_killed_parent_for_long(tmp_path: Path) -> None:
    code = f"from graders import aside; aside.run('{TASKS}:sleep', 60, seconds=1)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as parent:
        watched = psutil.Process(parent.pid)
        deadline = time.monotonic() + 20
        while not (found := watched.children()) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)  # the child sets its alarm in its first milliseconds
        parent.send_signal(signal.SIGKILL)
    assert found
    _, alive = psutil.wait_procs(found, timeout=10)
    assert not alive
