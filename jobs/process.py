"""Processes that do not outlive their parent: starting them in a group of their own and stopping the whole group;
what they may take.

Leaves out who is started and when (``jobs.supervisor``).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PARENT = "COURSE_PARENT"
"""Environment variable with the parent's process number, by which a child notices that it was orphaned."""
_PR_SET_PDEATHSIG = 1


def spawn(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str], directory: Path
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a new session, its output appended to ``log``.

    On Linux the kernel kills it when this process dies, however it dies; elsewhere the child looks itself
    (``orphaned``). To be called from the main thread: the kernel watches the thread, not the process.

    Raises:
        OSError: the log cannot be opened or the program cannot be started.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=directory,
            env={**environment, PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_death_warrant(),  # noqa: PLW1509 - the supervisor has one thread
        )


def kill_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to the group that ``pid`` leads; nothing happens when it is empty."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def reap_group(pid: int) -> int:
    """Wait for our child ``pid``, which is about to end, and kill what it started; its exit code, -N for a signal."""
    if hasattr(os, "waitid"):  # so its number, which is also the group's, stays taken until the group is gone
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        kill_group(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def orphaned(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the parent that started this process through ``spawn`` is gone. False for one started by hand."""
    parent = environment.get(PARENT, "")
    return parent.isdigit() and os.getppid() != int(parent)


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies (Linux; elsewhere nothing)."""
    warrant = _death_warrant()
    if warrant is not None:
        warrant()


def give_way(steps: int) -> None:
    """Let other processes go first, by ``steps`` of nice.

    Linux weighs sessions before processes: one that leads a session has to lower that too, or its own niceness counts
    against nobody outside.
    """
    os.nice(steps)
    with contextlib.suppress(OSError):  # not Linux, or no groups by session
        Path("/proc/self/autogroup").write_text(str(steps))


def limit_memory(headroom: int) -> None:
    """This process may allocate ``headroom`` bytes beyond what it holds, and is the first that the kernel ends when
    memory is short (Linux; elsewhere nothing)."""
    if sys.platform != "linux":
        return
    import resource

    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    lines = Path("/proc/self/status").read_text().splitlines()
    held = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
    resource.setrlimit(resource.RLIMIT_DATA, (held + headroom, held + headroom))


def _death_warrant() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None, use_errno=True)

    def sign() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    return sign
