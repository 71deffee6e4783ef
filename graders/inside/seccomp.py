"""seccomp: system calls that no submission needs are refused, so that a bug of the kernel behind them is out of reach.

A deny-list, since torch and its libraries may use any ordinary call. What is listed ends with an error, as libraries
probe and go on: EPERM, or what fits the call better (no net, no memory); ENOSYS for calls newer than this list and for
clone3, whose flags a filter cannot see (libc falls back to clone); death for the calls of another architecture, which
nothing here makes by mistake. Where no namespaces stand (``alone``), the filter also stands in for them: no new
process, nobody else to signal, no socket but pairs, no change of a file's owner, mode or times, none of which Landlock
covers. Leaves out what may be opened (``landlock``).
Sources: man 2 seccomp, the kernel's tables of system calls for x86_64 and aarch64; isolate's list for locks and leases.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import platform
import struct
from collections.abc import Sequence

from graders.inside import linux

_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _MASK, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_SET_MODE_FILTER, _TSYNC = 1, 1
_NEWEST = 462
"""mseal, Linux 6.10: calls above it are unknown here and answered as an older kernel would."""

_MACHINES = {"x86_64": (0, 0xC000003E, 317), "aarch64": (1, 0xC00000B7, 277)}
"""Column of the table below, AUDIT_ARCH_*, number of seccomp(2)."""

_DENIED = """
ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440
process_mrelease 448 448, pidfd_getfd 438 438, kcmp 312 272, move_pages 279 239, migrate_pages 256 238
execve 59 221, execveat 322 281, uselib 134 -, memfd_create 319 279, memfd_secret 447 447
mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, setns 308 268, unshare 272 97
fsopen 430 430, fsconfig 431 431, fsmount 432 432, fspick 433 433, move_mount 429 429, open_tree 428 428
mount_setattr 442 442, statmount 457 457, listmount 458 458, name_to_handle_at 303 264, open_by_handle_at 304 265
quotactl 179 60, quotactl_fd 443 443, acct 163 89, swapon 167 224, swapoff 168 225, nfsservctl 180 42
keyctl 250 219, add_key 248 217, request_key 249 218, bpf 321 280, perf_event_open 298 241, userfaultfd 323 282
io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427, fanotify_init 300 262
fanotify_mark 301 263, inotify_init 253 -, inotify_init1 294 26, inotify_add_watch 254 27, cachestat 451 451
vmsplice 278 75, splice 275 76, tee 276 77, lookup_dcookie 212 18, sysfs 139 -, ustat 136 -, _sysctl 156 -
kexec_load 246 104, kexec_file_load 320 294, reboot 169 142, syslog 103 116, vhangup 153 58
init_module 175 105, finit_module 313 273, delete_module 176 106, personality 135 92
sethostname 170 161, setdomainname 171 162, settimeofday 164 170, clock_settime 227 112, clock_adjtime 305 266
adjtimex 159 171, iopl 172 -, ioperm 173 -, modify_ldt 154 -
shmget 29 194, shmat 30 196, shmctl 31 195, semget 64 190, semop 65 193, semctl 66 191, semtimedop 220 192
msgget 68 186, msgsnd 69 189, msgrcv 70 188, msgctl 71 187, mq_open 240 180, mq_unlink 241 181
sched_setscheduler 144 119, sched_setparam 142 118, sched_setattr 314 274, ioprio_set 251 30
"""
_DENIED_ALONE = """
fork 57 -, vfork 58 -, setsid 112 157, setpgid 109 154, tkill 200 130, pidfd_open 434 434, pidfd_send_signal 424 424
connect 42 203, bind 49 200, listen 50 201
chmod 90 -, fchmod 91 52, fchmodat 268 53, fchmodat2 452 452, chown 92 -, fchown 93 55, lchown 94 -, fchownat 260 54
setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16
utime 132 -, utimes 235 -, utimensat 280 88, futimesat 261 -
"""
_JUDGED = """
clone 56 220, socket 41 198, socketpair 53 199, ioctl 16 29, fcntl 72 25, mmap 9 222, prlimit64 302 261
setpriority 141 140, sched_setaffinity 203 122
kill 62 129, tgkill 234 131, rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240, prctl 157 167
"""
"""Calls that are refused by their arguments."""
_UNKNOWN = "clone3 435 435, flock 73 32"
"""Answered with ENOSYS. For flock a library that waits for a lock then gives up at once, instead of trying for ever."""

_X32 = 0x40000000
_NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW*
_THREAD = 0x10000
_UNIX, _KINDS = 1, (1, 2, 5)  # stream, datagram, seqpacket
_PAIR_KINDS = (1, 5)  # a datagram pair may send to any address
_TERMINAL = (0x5412, 0x541C, 0x5423)  # TIOCSTI, TIOCLINUX, TIOCSETD
_SIGNAL_OWNER = (0x8901, 0x8902)  # FIOSETOWN, SIOCSPGRP: have the kernel signal somebody
_FILE_FLAGS = (0x40086602, 0x40087602, 0x401C5820)  # FS_IOC_SETFLAGS, SETVERSION, FSSETXATTR
_LOCKS = (6, 7, 37, 38, 1024, 1026)  # F_SETLK(W), F_OFD_SETLK(W), F_SETLEASE, F_NOTIFY: seen by other gradings
_OWNERS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX
_SHARED_ANONYMOUS = 0x21  # such memory stays when it is unmapped from a page table, where no watchdog sees it
_PARENT_DEATH = 1  # PR_SET_PDEATHSIG
_SIGNALS = ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")

_STEP = struct.Struct("=HBBI")
_Code = list[tuple[int, int, int, int]]  # operation, jump if true, jump if false, operand


def supported() -> bool:
    """Whether the numbers of this architecture are known here."""
    return platform.machine() in _MACHINES


def install(*, alone: bool, own: int) -> None:
    """Put the filter over this process, all its threads and all that it will start. For good.

    ``own``: its pid, the only one that it may signal where no pid namespace keeps others away (``alone``).

    Raises:
        OSError: the kernel refuses, or this architecture is unknown.
    """
    if not supported():
        raise OSError(errno.ENOSYS, f"no seccomp filter for {platform.machine()}")
    code = program(platform.machine(), alone=alone, own=own if alone else 0)
    buffer = ctypes.create_string_buffer(code, len(code))
    pointed = struct.pack("@HP", len(code) // _STEP.size, ctypes.addressof(buffer))
    linux.no_new_privileges()
    linux.syscall("seccomp", _MACHINES[platform.machine()][2], _SET_MODE_FILTER, _TSYNC, pointed)


def prepare() -> None:
    """Make the filter of tier A before the forks, so that none of them has to."""
    program(platform.machine(), alone=False, own=0)


def denied(machine: str, *, alone: bool) -> dict[str, int]:
    """The calls that are refused whatever their arguments: number by name."""
    return _numbers(machine, _DENIED) | (_numbers(machine, _DENIED_ALONE) if alone else {})


@functools.lru_cache(maxsize=2)
def program(machine: str, *, alone: bool, own: int) -> bytes:
    """The filter for an architecture, as the kernel takes it."""
    known, unknown = _numbers(machine, _JUDGED), _numbers(machine, _UNKNOWN)
    refused = denied(machine, alone=alone)
    code = [
        *_same_architecture(machine),
        *(step for name, rule in _rules(alone=alone, own=own).items() for step in _when(known[name], rule)),
        *(step for number in refused.values() for step in _when(number, [_refuse()])),
        *(step for number in unknown.values() for step in _when(number, [_refuse(errno.ENOSYS)])),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(_STEP.pack(*step) for step in code)


def _numbers(machine: str, table: str) -> dict[str, int]:
    column = _MACHINES[machine][0]
    rows = [row.split() for row in table.replace("\n", ",").split(",") if row.strip()]
    return {name: int(columns[column]) for name, *columns in rows if columns[column] != "-"}


def _rules(*, alone: bool, own: int) -> dict[str, _Code]:
    """What is decided by arguments; the calls used most come first. Only the low halves count: all are ints."""
    rules = {
        "mmap": [_load(3), (_MASK, 0, 0, _SHARED_ANONYMOUS), *_refuse_these([_SHARED_ANONYMOUS], errno.ENOMEM)],
        "fcntl": [_load(1), *_refuse_these([*_LOCKS, *_OWNERS])],
        "ioctl": [_load(1), *_refuse_these([*_TERMINAL, *_SIGNAL_OWNER, *_FILE_FLAGS])],
        "clone": _clone(alone=alone),
        "socket": _sockets(() if alone else _KINDS),
        "socketpair": _sockets(_PAIR_KINDS if alone else _KINDS),
        "prlimit64": [_load(0), *_only_these([0])],
        "sched_setaffinity": [_load(0), *_only_these([0])],
        "setpriority": [_load(0), (_EQUAL, 1, 0, 0), _refuse(), _load(1), *_only_these([0])],
    }
    if alone:
        rules["prctl"] = [_load(0), *_refuse_these([_PARENT_DEATH])]
        rules |= {name: [_load(0), *_only_these([own])] for name in _SIGNALS}
    return rules


def _sockets(kinds: Sequence[int]) -> _Code:
    """Local ones of these kinds. Of a net the error says what the learner has to know: there is none."""
    local = [_load(0), (_EQUAL, 1, 0, _UNIX), _refuse(errno.ENETUNREACH)]
    return [*local, _load(1), (_MASK, 0, 0, 0xF), *_only_these(kinds)]


def _clone(*, alone: bool) -> _Code:
    only_threads = [(_ANY_BIT, 1, 0, _THREAD), _refuse()] if alone else []
    return [_load(0), (_ANY_BIT, 0, 1, _NEW_NAMESPACES), _refuse(), *only_threads, (_RETURN, 0, 0, _ALLOW)]


def _same_architecture(machine: str) -> _Code:
    """Death for foreign calls, x32 among them; ENOSYS for unknown ones; then the number is loaded."""
    expected = _MACHINES[machine][1]
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, expected),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
        (_AT_LEAST, 0, 1, _NEWEST + 1),
        _refuse(errno.ENOSYS),
    ]


def _when(number: int, rule: _Code) -> _Code:
    """``rule``, which ends with an answer whatever happens, for this call alone."""
    return [(_EQUAL, 0, len(rule), number), *rule]


def _load(argument: int) -> tuple[int, int, int, int]:
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)


def _refuse(code: int = errno.EPERM) -> tuple[int, int, int, int]:
    return (_RETURN, 0, 0, _ERROR | code)


def _refuse_these(values: Sequence[int], code: int = errno.EPERM) -> _Code:
    return [*(step for value in values for step in _when(value, [_refuse(code)])), (_RETURN, 0, 0, _ALLOW)]


def _only_these(values: Sequence[int]) -> _Code:
    return [*(step for value in values for step in _when(value, [(_RETURN, 0, 0, _ALLOW)])), _refuse()]
