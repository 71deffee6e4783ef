"""Scratch folders on the machine's own disk, for the tier without private mounts: made, bounded by a watchdog, removed.

All lie in one base folder per zygote, which is held by a lock as long as the zygote lives: what a killed one left is
recognised by its free lock and removed by the next. Leaves out the watchdog (it is the trusted side's).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path

from graders.forking import SCRATCH


def make_base() -> Path:
    """A base folder of this process for its whole life; a learner's uid may pass through it and not look around."""
    for left in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        with contextlib.suppress(OSError):
            _remove_left(left)
    while True:
        base = Path(tempfile.mkdtemp(prefix=SCRATCH))
        with contextlib.suppress(FileNotFoundError):  # another zygote, starting now, took it for a left one
            fcntl.flock(os.open(base, os.O_RDONLY | os.O_DIRECTORY), fcntl.LOCK_EX)
            base.chmod(0o711)
            return base


def make(base: Path, owner: int) -> Path:
    """The folder of this process, which only ``owner`` may enter. The trusted side finds it by the pid."""
    folder = base / str(os.getpid())
    folder.mkdir(mode=0o700)
    if owner != os.getuid():
        os.chown(folder, owner, owner)
    return folder


def remove(folder: Path) -> None:
    """Remove a folder and all in it, however deep: what lies deeper is moved up, so no path grows and nothing recurses.

    Nobody writes there any more: the grading is dead. Links are removed, never followed.
    """
    try:
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        while names := os.listdir(top):  # noqa: PTH208 - by descriptor
            for name in names:
                _remove_one(top, name)
    finally:
        os.close(top)
    folder.rmdir()


def _remove_one(top: int, name: str) -> None:
    if _unlinked(top, name):
        return
    os.chmod(name, 0o700, dir_fd=top)
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    try:
        for deeper in os.listdir(inner):  # noqa: PTH208 - by descriptor
            if not _unlinked(inner, deeper):
                os.chmod(deeper, 0o700, dir_fd=inner)  # a folder is moved by who may write to it
                os.rename(deeper, os.urandom(12).hex(), src_dir_fd=inner, dst_dir_fd=top)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=top)


def _unlinked(folder: int, name: str) -> bool:
    """Whether ``name`` was anything but a folder, and is gone."""
    try:
        os.unlink(name, dir_fd=folder)
    except IsADirectoryError:
        return False
    return True


def _remove_left(left: Path) -> None:
    held = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(held).st_uid == os.getuid():
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(left)
    finally:
        os.close(held)
