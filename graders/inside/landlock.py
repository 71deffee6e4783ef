"""Landlock: what a process may open, and whom it may signal, decided by the kernel for it and all it starts.

Everything is denied that is not granted here. Landlock does not cover metadata (stat, chmod, utime), file locks, UDP,
or sockets by a path before version 9: where nothing else covers them, ``graders.inside.seccomp`` does.
Sources: man 7 landlock, the kernel's userspace-api/landlock.rst and include/uapi/linux/landlock.h.
"""

from __future__ import annotations

import errno
import functools
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

from graders.inside import linux

KNOWN = 9
"""The newest version whose rights are listed here."""
TRUNCATES, TCP, SIGNALS, SOCKETS_BY_PATH = 3, 4, 6, 9
"""Versions from which it covers that."""

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE, _READ, _READ_DIR = 1, 2, 4, 8
_REMOVE = 1 << 4 | 1 << 5
_MAKE_DEVICES = 1 << 6 | 1 << 11
_MAKE = 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12
_REFER, _TRUNCATE, _IOCTL_DEVICE, _RESOLVE_SOCKET = 1 << 13, 1 << 14, 1 << 15, 1 << 16
_ON_A_FILE = _EXECUTE | _WRITE | _READ | _TRUNCATE
_SINCE = {1: _ON_A_FILE & ~_TRUNCATE | _READ_DIR | _REMOVE | _MAKE | _MAKE_DEVICES}
_SINCE |= {2: _REFER, 3: _TRUNCATE, 5: _IOCTL_DEVICE, 9: _RESOLVE_SOCKET}

TO_READ = _READ | _READ_DIR
"""Nothing may be run as a program. Libraries are mapped, which is reading."""
TO_WRITE = _READ | _READ_DIR | _WRITE | _TRUNCATE | _REMOVE | _MAKE | _REFER
"""Files and folders of all kinds but devices."""
TO_POUR = _READ | _WRITE | _TRUNCATE
"""For /dev/null."""


@functools.cache
def version() -> int:
    """Which version the kernel can enforce; 0 without Landlock.

    Some kernels claim more than they have, so a rule set is made to see.
    """
    try:
        claimed = linux.syscall("landlock_create_ruleset", _CREATE, 0, 0, _VERSION_FLAG)
    except OSError:
        return 0
    for level in range(min(claimed, KNOWN), 0, -1):
        try:
            os.close(_create(level))
        except OSError as error:
            if error.errno == errno.EINVAL:
                continue
            return 0
        return level
    return 0


def restrict(granted: Iterable[tuple[str | Path, int]]) -> None:
    """From now on this process may open only what lies at or under the granted paths, with the rights named there.

    TCP, signals to others and others' abstract sockets are denied as far as this kernel can.

    Raises:
        OSError: a path cannot be reached, or the kernel refuses.
    """
    handled = _handled(version())
    rules = _create(version())
    try:
        for path, rights in granted:
            _allow(rules, path, rights & handled)
        linux.no_new_privileges()
        linux.syscall("landlock_restrict_self", _RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _handled(level: int) -> int:
    return sum(rights for since, rights in _SINCE.items() if since <= level)


def _create(level: int) -> int:
    fields = [_handled(level)]
    fields += [0b11] if level >= TCP else []  # bind, connect
    fields += [0b11] if level >= SIGNALS else []  # abstract sockets, signals
    attributes = struct.pack(f"{len(fields)}Q", *fields)
    return linux.syscall("landlock_create_ruleset", _CREATE, attributes, len(attributes), 0)


def _allow(rules: int, path: str | Path, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _ON_A_FILE
        linux.syscall("landlock_add_rule", _ADD, rules, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)
