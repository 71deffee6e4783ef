"""The filter as the kernel reads it, run here step by step: both architectures answer alike, though one is here.

Leaves out that the kernel takes it and what it holds (``test_walls``).
"""

from __future__ import annotations

import errno
import struct

import pytest

from graders.inside import seccomp

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOWED, KILLED = 0x7FFF0000, 0x80000000
OWN = 4_711


def answer(machine: str, number: int, *arguments: int, alone: bool = False, architecture: int | None = None) -> int:
    """What the kernel would do: 0 allows, an errno, or ``KILLED``."""
    audit = ARCHITECTURES[machine] if architecture is None else architecture
    data = struct.pack("=IIQ6Q", number, audit, 0, *arguments, *[0] * (6 - len(arguments)))
    steps = list(struct.iter_unpack("=HBBI", seccomp.program(machine, alone=alone, own=OWN if alone else 0)))
    at = register = 0
    while True:
        operation, yes, no, operand = steps[at]
        at += 1
        if operation == 0x06:
            return {ALLOWED: 0, KILLED: KILLED}.get(operand, operand & 0xFFFF)
        if operation == 0x20:
            register = struct.unpack_from("=I", data, operand)[0]
        elif operation == 0x54:
            register &= operand
        else:
            test = {0x15: register == operand, 0x35: register >= operand, 0x45: bool(register & operand)}[operation]
            at += yes if test else no


NAMED = {
    "x86_64": {"read": 0, "clone": 56, "clone3": 435, "socket": 41, "socketpair": 53, "kill": 62, "prlimit64": 302,
               "mmap": 9, "ioctl": 16, "fcntl": 72, "flock": 73, "setpriority": 141, "futex": 202, "prctl": 157},
    "aarch64": {"read": 63, "clone": 220, "clone3": 435, "socket": 198, "socketpair": 199, "kill": 129,
                "prlimit64": 261, "mmap": 222, "ioctl": 29, "fcntl": 25, "flock": 32, "setpriority": 140, "futex": 98,
                "prctl": 167},
}  # fmt: skip
JUDGED = [
    ("read", (0,), 0, 0),
    ("futex", (0,), 0, 0),
    ("clone", (0x3D0F00,), 0, 0),  # a thread
    ("clone", (0x01200011,), 0, errno.EPERM),  # fork
    ("clone", (0x10000000,), errno.EPERM, errno.EPERM),  # a user namespace
    ("clone", (0x02000000 | 0x3D0F00,), errno.EPERM, errno.EPERM),
    ("clone3", (0,), errno.ENOSYS, errno.ENOSYS),
    ("socket", (1, 1 | 0o2000000), 0, errno.EPERM),
    ("socket", (2, 1), errno.ENETUNREACH, errno.ENETUNREACH),
    ("socket", (1 << 32 | 2, 1), errno.ENETUNREACH, errno.ENETUNREACH),  # the kernel looks at the low half too
    ("socketpair", (1, 1), 0, 0),
    ("socketpair", (1, 5), 0, 0),
    ("socketpair", (1, 2), 0, errno.EPERM),
    ("socketpair", (1, 3), errno.EPERM, errno.EPERM),
    ("kill", (OWN, 9), 0, 0),
    ("kill", (OWN + 1, 9), 0, errno.EPERM),
    ("kill", (2**64 - 1, 9), 0, errno.EPERM),  # everybody
    ("prlimit64", (0, 7), 0, 0),
    ("prlimit64", (1, 7), errno.EPERM, errno.EPERM),
    ("setpriority", (0, 0, 5), 0, 0),
    ("setpriority", (0, 1, 5), errno.EPERM, errno.EPERM),
    ("setpriority", (2, 0, 5), errno.EPERM, errno.EPERM),  # all of a user
    ("mmap", (0, 4096, 3, 0x22), 0, 0),
    ("mmap", (0, 4096, 3, 0x01), 0, 0),
    ("mmap", (0, 4096, 3, 0x21), errno.ENOMEM, errno.ENOMEM),
    ("mmap", (0, 4096, 3, 0x4023), errno.ENOMEM, errno.ENOMEM),
    ("ioctl", (0, 0x5401), 0, 0),
    ("ioctl", (0, 0x5412), errno.EPERM, errno.EPERM),
    ("ioctl", (0, 7 << 32 | 0x5412), errno.EPERM, errno.EPERM),
    ("fcntl", (0, 3), 0, 0),
    ("fcntl", (0, 1024), errno.EPERM, errno.EPERM),
    ("flock", (0, 2), errno.ENOSYS, errno.ENOSYS),
    ("prctl", (1, 0), 0, errno.EPERM),
    ("prctl", (15, 0), 0, 0),
]


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize(("name", "arguments", "beside", "alone"), JUDGED)
def test_calls_are_judged_by_their_arguments(
    machine: str, name: str, arguments: tuple[int, ...], beside: int, alone: int
) -> None:
    assert answer(machine, NAMED[machine][name], *arguments) == beside
    assert answer(machine, NAMED[machine][name], *arguments, alone=True) == alone


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_what_is_listed_is_refused_and_only_that(machine: str, *, alone: bool) -> None:
    listed = seccomp.denied(machine, alone=alone)
    assert {"ptrace", "mount", "execve", "bpf", "io_uring_setup", "keyctl"} <= set(listed)
    assert len(set(listed.values())) == len(listed), "a number stands twice: one of the names is wrong"
    others = set(range(463)) - set(NAMED[machine].values())
    refused = {number for number in others if answer(machine, number, alone=alone) == errno.EPERM}
    judged = {131, 138, 240, 122} if machine == "aarch64" else {234, 129, 297, 203}  # by pid; 0 is nobody's
    assert refused - set(listed.values()) <= judged
    assert set(listed.values()) <= refused


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_newer_calls_are_unknown_and_foreign_ones_fatal(machine: str) -> None:
    assert answer(machine, 463) == errno.ENOSYS
    assert answer(machine, 1_000) == errno.ENOSYS
    assert answer(machine, 0x40000000 | 1) == KILLED
    for foreign in (0x40000003, 0x40000028, *ARCHITECTURES.values()):  # i386, arm, the other one
        if foreign != ARCHITECTURES[machine]:
            assert answer(machine, 1, architecture=foreign) == KILLED
