"""Runs snippets behind chosen walls, without torch and the engine: a fifth of a second each.

Leaves out which walls there are and what they hold (``test_walls``, ``test_sandbox``).
"""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from settings import ROOT

NOBODY = 65_534
_SCRIPT = """
import json, os, sys, traceback
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from graders.inside import sandbox, seccomp, world
sys.path.pop(0)
told = json.loads(sys.argv[2])
hidden, without = tuple(map(Path, told["hidden"])), frozenset(told["without"])
denied = seccomp.denied(os.uname().machine, alone=told["tier"] == "B")
plan = sandbox.settle(sandbox.Plan(told["tier"], None, hidden, without))
for turn in range(told["turns"]):
    pid = sandbox.fork_apart(plan)
    if pid == 0:
        try:
            sandbox.enter(sandbox.Terms(number=turn, seconds=3, memory=1 << 28), plan)
            exec(told["snippet"], {"told": told["tell"], "denied": denied})
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    sandbox.bury(plan, pid)
    print("code", code, flush=True)
print("left", *(os.listdir(plan.base) if plan.tier == "B" else ()), flush=True)
sandbox.leave(plan)
"""


@dataclass(frozen=True)
class Ran:
    """What the snippets printed, how each process ended, what was left in the base folder, what we said of errors."""

    printed: list[str]
    codes: list[int]
    left: list[str]
    errors: str


def copied(folder: Path) -> Path:
    """A copy of the package where everybody may read it."""
    shutil.copytree(ROOT / "graders", folder / "graders", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
    return folder


def opened(folder: Path) -> Path:
    """The folder, which everybody may enter from now on: pytest's temporary ones are closed, each process's too."""
    for each in (folder, *folder.parents):
        if each == Path(tempfile.gettempdir()):
            return folder
        each.chmod(0o755)
    raise ValueError(f"{folder} is no temporary folder")


@contextlib.contextmanager
def bystander(user: int | None) -> Iterator[int]:
    """The pid of a process of ``user`` that does nothing."""
    with subprocess.Popen(["/bin/sleep", "120"], user=user) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def survives_its_zygote(shared: Path, without: Collection[str]) -> tuple[bool, Path]:
    """Whether a grading of tier B goes on when its zygote is killed, and the folder that was its own."""
    snippet = "import os, time\nprint(os.getpid(), os.getcwd(), flush=True)\nos.close(1)\ntime.sleep(60)"
    words = {"tier": "B", "without": list(without), "hidden": [], "tell": None, "turns": 1, "snippet": snippet}
    command = [python_for(NOBODY), "-I", "-B", "-c", _SCRIPT, str(shared), json.dumps(words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="/") as zygote:
        assert zygote.stdout is not None
        pid, folder = zygote.stdout.readline().split()
        grading = psutil.Process(int(pid))
        zygote.kill()
    try:
        grading.wait(3)
    except psutil.TimeoutExpired:
        grading.kill()
        return True, Path(folder)
    return False, Path(folder)


@functools.cache
def python_for(user: int | None) -> str:
    """An interpreter that ``user`` may run: this one may lie in a closed home."""
    for path in (sys.executable, shutil.which("python3", path="/usr/bin:/usr/local/bin")):
        with contextlib.suppress(PermissionError):
            if path and subprocess.run([path, "-I", "-c", "import ctypes"], user=user, check=False).returncode == 0:
                return path
    pytest.skip("no interpreter that an ordinary user may run")


def run(
    shared: Path,
    snippet: str,
    *,
    tier: str = "A",
    user: int | None = None,
    without: Collection[str] = (),
    hidden: Collection[Path] = (),
    tell: object = None,
    turns: int = 1,
) -> Ran:
    """Run ``snippet``, which finds ``tell`` as ``told``, in ``turns`` gradings of one zygote of ``user``."""
    words = {"tier": tier, "without": list(without), "hidden": list(map(str, hidden)), "tell": tell, "turns": turns}
    # In tier B root's gradings read the libraries as an ordinary uid.
    python = python_for(NOBODY if tier == "B" else user)
    done = subprocess.run(
        [python, "-I", "-B", "-c", _SCRIPT, str(shared), json.dumps({**words, "snippet": snippet})],
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    *lines, left = done.stdout.splitlines()
    codes = [int(line.split()[1]) for line in lines if line.startswith("code ")]
    return Ran([line for line in lines if not line.startswith("code ")], codes, left.split()[1:], done.stderr)
