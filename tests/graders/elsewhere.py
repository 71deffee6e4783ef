"""``python -m tests.graders.elsewhere UID [--no-namespaces] COMMAND``: run it as UID (``-``: root), its home open.

Needs root: a tmpfs with nothing but the interpreter hides its home, in mounts that nobody else sees. So a test can be
an ordinary user, or root in tier B, where the interpreter lies in a closed home such as /root.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from pathlib import Path

from graders.inside import linux, seccomp


def main() -> None:
    """See above."""
    user, *command = sys.argv[1:]
    linux.unshare(linux.NEWNS)
    linux.mount("none", "/", "", linux.RECURSIVE | linux.PRIVATE)
    interpreter = Path(sys.base_prefix)
    held = os.open(interpreter, os.O_PATH)
    home = Path("/", interpreter.parts[1])
    if home.stat().st_mode & 1 == 0:
        linux.mount("tmpfs", home, "tmpfs", 0, "mode=755,size=1m")
        interpreter.mkdir(parents=True)
        linux.mount(f"/proc/self/fd/{held}", interpreter, "", linux.BIND | linux.RECURSIVE)
    os.close(held)
    if user != "-":
        os.setgroups([])
        os.setresgid(int(user), int(user), int(user))
        os.setresuid(int(user), int(user), int(user))
    if command[0] == "--no-namespaces":
        refuse_namespaces()
        command = command[1:]
    os.execv(command[0], command)  # noqa: S606 - that is what it is for


def refuse_namespaces() -> None:
    """As a container does: unshare(2) is refused to this process and all it starts."""
    machine = os.uname().machine
    load, equal, answer, allow, refuse = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050000 | errno.EPERM
    number = seccomp.denied(machine, alone=False)["unshare"]
    steps = [(load, 0, 0, 0), (equal, 0, 1, number), (answer, 0, 0, refuse), (answer, 0, 0, allow)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    call = {"x86_64": 317, "aarch64": 277}[machine]
    linux.no_new_privileges()
    linux.syscall("seccomp", call, 1, 0, struct.pack("@HP", len(steps), ctypes.addressof(code)))


if __name__ == "__main__":
    main()
