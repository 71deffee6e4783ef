"""Pure functions over learners' text, run in a process of their own that can be killed: what parses is never done here.

``run("package.module:function", payload)`` starts a bare interpreter by exec (isolated, without site-packages, with an
empty environment), gives ``payload`` to the function and takes back what it returns, both as JSON. Time, memory,
files and the size of the answer are bounded, so a text built to exhaust a parser costs its author a sentence and us
nothing. About 50 ms. Standard library only; safe to use from several threads.

Leaves out walls: the function is our own code and runs nothing of the learner's (that is ``graders.inside``). Packages
from site-packages cannot be imported there. The child's half is ``graders.aside_child``.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from typing import IO, Any

from graders.aside_child import LARGEST, TOO_HARD
from settings import ROOT

SECONDS, MEGABYTES = 5.0, 512
"""Default limits: wall time and address space, of which a bare interpreter takes 30."""
_ENTRY = "import sys; sys.path.insert(0, sys.argv[1]); from graders.aside_child import main; main()"
_LIMITS = {-signal.SIGXCPU, -signal.SIGALRM, -signal.SIGKILL, -signal.SIGSEGV}
"""How a limit ends the child: its time, the system's memory, the stack of a parser written in C."""


class TooHard(Exception):
    """The function met a limit: time, memory, depth or the size of its answer. The text is to blame, not we."""


class Broken(Exception):
    """The function failed in another way, or the process could not be started: our own fault. The text is for a log."""


def run(function: str, payload: object, *, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> Any:
    """What ``function`` (``package.module:name``) returns for ``payload``; both are plain JSON data.

    Raises:
        TooHard: a limit was met.
        Broken: anything else went wrong.
    """
    try:
        # Files rather than pipes: nothing to pump while the child works, and the kernel bounds what it may write.
        with tempfile.TemporaryFile() as task, tempfile.TemporaryFile() as answer:
            task.write(json.dumps([function, payload]).encode())
            task.seek(0)
            code = _finish(_start(task, answer, seconds, megabytes), seconds)
            answer.seek(0)
            return _result(function, code, answer.read(LARGEST))
    except OSError as error:
        raise Broken(f"{function}: {error}") from error


def _start(task: IO[bytes], answer: IO[bytes], seconds: float, megabytes: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", "-c", _ENTRY, str(ROOT), str(seconds), str(megabytes)],
        env={},
        cwd="/",
        stdin=task,
        stdout=answer,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _finish(process: subprocess.Popen[bytes], seconds: float) -> int:
    """The exit code; past the deadline, that of a killed process."""
    with process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL
        finally:
            process.kill()


def _result(function: str, code: int, answer: bytes) -> Any:
    if code == TOO_HARD or code in _LIMITS:
        raise TooHard(f"{function}: ended with {code}")
    if code:
        raise Broken(f"{function}: ended with {code}: {answer[-1000:].decode(errors='replace')}")
    try:
        return json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise Broken(f"{function}: {error}") from error
