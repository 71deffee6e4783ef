"""What a sandbox uses, read from /proc by the pidfd of its first process: memory, scratch space, time spent waiting.

Everything is 0 for a process that is gone. Leaves out what to do about it (``graders.host.session``), and in a user
namespace, where nobody may look into the sandbox's mounts, what lies unmapped in its two bounded tmpfs.
"""

from __future__ import annotations

import os
from pathlib import Path

from graders.forking import SCRATCH

_MOST = 500  # processes looked at
_RIVALS = 8  # processes of one sandbox
_FILES = 4_096  # in a scratch folder on disk
_BEYOND = 1 << 62  # more than any limit


def memory(pidfd: int, baseline: int) -> int:
    """Bytes that the process and its descendants hold, each above the ``baseline`` that it was forked with.

    What lies in their scratch space counts once, whether it is mapped or only written there.
    """
    try:
        pid = _pid(pidfd)
        held = [_own(each) for each in _family(pid)]
        shared = sum(each for _, each in held)
        return sum(max(sum(each) - baseline, 0) for each in held) + max(_scratch(pid) - shared, 0)
    except (OSError, ValueError, IndexError):
        return 0


def waited(pidfd: int) -> float:
    """Seconds for which the process could have run but had no processor; 0 where it has many rivals of its own."""
    try:
        pid = _pid(pidfd)
        if len(_family(pid)) > _RIVALS:  # a fork bomb would wait for itself and be given the time
            return 0.0
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
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


def _own(pid: int) -> tuple[int, int]:
    """Bytes of anonymous and of shared memory."""
    lines = _status(pid)
    return _kibibytes(lines, "RssAnon:"), _kibibytes(lines, "RssShmem:")


def _kibibytes(lines: list[str], name: str) -> int:
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(name))


def _status(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it ended while we looked
        return []


def _scratch(pid: int) -> int:
    try:
        parent = next(int(line.split()[1]) for line in _status(pid) if line.startswith("PPid:"))
        base = Path(f"/proc/{parent}/cwd").readlink()
        if base.name.startswith(SCRATCH):  # tier B: the zygote's working directory, a folder in it by pid
            return on_disk(base / str(pid))
        mounted = [os.statvfs(f"/proc/{pid}/root/{place}") for place in ("tmp", "dev/shm")]
    except (OSError, StopIteration):
        return 0
    return sum((each.f_blocks - each.f_bfree) * each.f_frsize for each in mounted)


def on_disk(folder: Path) -> int:
    """Bytes of a scratch folder. One that cannot be looked through, or has too many files, is beyond any limit."""
    total, names, ahead = 0, 0, [str(folder)]
    try:
        while ahead:
            with os.scandir(ahead.pop()) as entries:
                for entry in entries:
                    names += 1
                    if names > _FILES:
                        return _BEYOND
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    ahead += [entry.path] if entry.is_dir(follow_symlinks=False) else []
    except FileNotFoundError:  # it is being changed, or not made yet: the next look sees it
        return total
    except OSError:
        return _BEYOND
    return total
