"""What a watched process uses, read from /proc by its pidfd: memory with its descendants, time spent waiting.

Everything is 0 for a process that is gone. Leaves out what to do about it (``graders.host.session``).
"""

from __future__ import annotations

import os
from pathlib import Path

_MOST = 500  # processes looked at


def memory(pidfd: int, baseline: int) -> int:
    """Bytes that the process and its descendants hold, each above the ``baseline`` that it was forked with."""
    try:
        return sum(max(_own(pid) - baseline, 0) for pid in _family(_pid(pidfd)))
    except (OSError, ValueError, IndexError):
        return 0


def waited(pidfd: int) -> float:
    """Seconds for which the process could have run but had no processor."""
    try:
        return int(Path(f"/proc/{_pid(pidfd)}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _pid(pidfd: int) -> int:
    text = Path(f"/proc/self/fdinfo/{pidfd}").read_text()
    pid = int(text.partition("Pid:")[2].split()[0])
    if pid <= 0:
        raise ValueError("the process is gone")
    return pid


def _family(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        try:
            for task in os.listdir(f"/proc/{each}/task"):  # noqa: PTH208
                found += [int(n) for n in Path(f"/proc/{each}/task/{task}/children").read_text().split()]
        except OSError:
            continue
        if len(found) > _MOST:
            break
    return found


def _own(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it ended while we looked
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
