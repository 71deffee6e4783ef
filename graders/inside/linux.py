"""The few Linux calls that a sandbox needs and Python 3.11 does not offer, through ctypes. Decides nothing.

Sources: man 2 unshare, mount, pivot_root, mount_setattr, setns, prctl, capset, syscall.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import struct
from pathlib import Path

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
DETACH = 2

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_SECUREBITS = 1, 4, 24, 28
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_MOUNT_SETATTR = 442
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPABILITY_VERSION_3 = 0x20080522
_SECUREBITS_LOCKED = 0x2F  # no root privileges by uid 0, no raising by setuid, all locked

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(name: str, number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    """Any system call by number, for those that libc does not offer; integers are passed whole, bytes by address."""
    whole = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return _check(_libc.syscall(ctypes.c_long(number), *whole), name)


def unshare(flags: int) -> None:
    """Leave the namespaces named by ``flags``; ``NEWPID`` counts for children only."""
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Enter the namespaces of kind ``kind`` of the process behind a pidfd."""
    _check(_libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str | Path, kind: str, flags: int, options: str = "") -> None:
    """mount(2)."""
    arguments = (source.encode(), os.fsencode(target), kind.encode() or None, ctypes.c_ulong(flags), options.encode())
    _check(_libc.mount(*arguments), f"mount {target}")


def bind_read_only(source: str | Path, target: str | Path, *, device: bool = False) -> None:
    """Show ``source`` (with what is mounted under it) at ``target``, without writes, setuid or devices."""
    mount(os.fspath(source), target, "", BIND | RECURSIVE)
    flags = RDONLY | NOSUID | (0 if device else NODEV)
    attributes = struct.pack("QQQQ", flags, 0, 0, 0)  # the first three MOUNT_ATTR_ have the values of MS_
    path = os.fsencode(target)
    result = _libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, path, _AT_RECURSIVE, attributes, ctypes.c_size_t(len(attributes)))
    if result != 0:  # Linux before 5.12
        mount("", target, "", REMOUNT | BIND | flags | (os.statvfs(target).f_flag & (NOSUID | NODEV | NOEXEC)))


def pivot_root(new: str | Path) -> None:
    """Make ``new`` the root and forget the old one."""
    os.chdir(new)
    number = _PIVOT_ROOT[platform.machine()]
    _check(_libc.syscall(number, b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", DETACH), "umount")
    os.chdir("/")


def die_with_parent() -> None:
    """Let the kernel kill this process when the thread that forked it ends."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0), "prctl PDEATHSIG")


def map_to_itself(uid: int, gid: int, inner: int) -> None:
    """In a fresh user namespace: the outer ``uid`` and ``gid`` are ``inner`` here."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inner} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{inner} {gid} 1")


def bound_privileges() -> None:
    """Make sure that no program run later can gain a capability. Needs the capabilities that it forbids."""
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(64):
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    _libc.prctl(_PR_SET_SECUREBITS, _SECUREBITS_LOCKED, 0, 0, 0)


def no_new_privileges() -> None:
    """Let no program run later gain anything. The kernel takes no filter from an ordinary process without it."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl NO_NEW_PRIVS")


def drop_privileges() -> None:
    """Give up every capability for good, and every way to gain one."""
    header, nothing = struct.pack("Ii", _CAPABILITY_VERSION_3, 0), bytes(24)
    _check(_libc.capset(header, nothing), "capset")
    no_new_privileges()
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl DUMPABLE")


def limit(kind: int, value: int) -> None:
    """Set a resource limit, soft and hard, never above the present hard one."""
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def data_bytes() -> int:
    """Bytes of private writable memory mapped by this process (VmData), 0 where /proc cannot be read."""
    return _status("VmData:")


def own_bytes() -> int:
    """Bytes of resident memory that belong to no file, as RssAnon and RssShmem; 0 where /proc cannot be read."""
    return _status("RssAnon:", "RssShmem:")


def tasks_of(uid: int) -> int:
    """How many threads run as ``uid``, as the kernel counts them for RLIMIT_NPROC."""
    count = 0
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError, StopIteration):
            if entry.name.isdigit():
                lines = Path(entry.path, "status").read_text().splitlines()
                owner = next(line for line in lines if line.startswith("Uid:"))
                threads = next(line for line in lines if line.startswith("Threads:"))
                count += int(threads.split()[1]) if int(owner.split()[1]) == uid else 0
    return count


def _status(*names: str) -> int:
    with contextlib.suppress(OSError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(names))
    return 0
