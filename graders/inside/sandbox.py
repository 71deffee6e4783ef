"""The walls, in two steps: a small read-only world built once, then private walls for each grading. Linux only.

``enclose`` runs once, before anything heavy is imported: new namespaces, a root directory that holds the interpreter's
libraries and nothing else, pivot_root. ``fork_apart`` and ``enter`` run for each grading: its own pid, mount, network,
ipc and uts namespaces, its own bounded /tmp, no privileges, limits. ``LAYERS`` lists the steps of ``enter``: a new wall
is one more function there. Leaves out Landlock, seccomp and cgroups.

As root each grading gets an ordinary uid of its own; an ordinary user gets a user namespace in which the zygote alone
keeps capabilities.
"""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from graders.inside import linux

FIRST_UID, UIDS = 64_000, 1_000
"""As root, grading number n runs as uid ``FIRST_UID + n % UIDS``."""
INNER_UID = 1_000
"""What an ordinary user's uid is called inside."""
MODEL = Path("/model")
"""Where the course's base model is shown, read-only."""

_SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/localtime")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SCRATCH = "/tmp"  # noqa: S108 - private to each grading
_PLACES = ("/mnt", "/media", "/srv", "/opt", "/var", "/home", "/tmp")  # noqa: S108 - hidden from this process only


@dataclass(frozen=True, slots=True)
class Terms:
    """What one grading may use."""

    number: int  # which grading of this zygote, for the uid
    seconds: int  # of processor time per process
    memory: int  # bytes, above what the zygote itself has
    scratch: int = 64 << 20  # bytes of /tmp
    files: int = 4_096  # inodes of /tmp
    processes: int = 64  # threads count
    descriptors: int = 256


def enclose(model: Path | None, hidden: Sequence[Path]) -> None:
    """Move this process for good into the small world. Returns in a child; the parent waits and exits.

    Raises:
        OSError: the kernel refuses namespaces or mounts.
        PermissionError: something of ``hidden`` would be visible.
    """
    if not _is_root():
        uid, gid = os.getuid(), os.getgid()
        linux.unshare(linux.NEWUSER)
        linux.map_to_itself(uid, gid, INNER_UID)
    linux.unshare(linux.NEWPID | linux.NEWNS | linux.NEWNET | linux.NEWIPC | linux.NEWUTS)
    pid = os.fork()
    if pid:
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xFF)
    linux.die_with_parent()
    _build_world(model)
    seen = [str(path) for path in hidden if path.exists()]
    if seen:
        raise PermissionError(f"visible inside the sandbox: {', '.join(seen)}")


def fork_apart() -> int:
    """Fork a child that is process 1 of a pid namespace of its own; when it ends, the kernel ends all it started."""
    here = os.pidfd_open(os.getpid())
    linux.unshare(linux.NEWPID)
    pid = -1
    try:
        pid = os.fork()
    finally:
        if pid != 0:
            linux.setns(here, linux.NEWPID)
        os.close(here)
    return pid


def enter(terms: Terms) -> None:
    """Put this forked process behind its own walls.

    Raises:
        OSError: a wall could not be put up; nothing of the submission may be read then.
    """
    for layer in LAYERS.values():
        layer(terms)


def _namespaces(_terms: Terms) -> None:
    linux.unshare(linux.NEWNS | linux.NEWNET | linux.NEWIPC | linux.NEWUTS)
    socket.sethostname("sandbox")


def _scratch(terms: Terms) -> None:
    options = f"size={terms.scratch},nr_inodes={terms.files},mode=1777"
    libraries = [(path, os.open(path, os.O_PATH)) for path in _under_scratch()]
    linux.mount("tmpfs", _SCRATCH, "tmpfs", linux.NOSUID | linux.NODEV, options)
    for path, held in libraries:
        path.mkdir(parents=True, exist_ok=True)
        linux.bind_read_only(f"/proc/self/fd/{held}", path)
        os.close(held)
    linux.mount("tmpfs", "/dev/shm", "tmpfs", linux.NOSUID | linux.NODEV, options)  # noqa: S108
    mount_proc("/proc")
    os.chdir(_SCRATCH)


@functools.cache
def _under_scratch() -> list[Path]:
    """Libraries of a course that is itself installed under /tmp: the private /tmp would hide them. Looked up once."""
    return [path for path, _ in visible() if Path(_SCRATCH) in path.parents and path.is_dir()]


def _bounds(_terms: Terms) -> None:
    linux.bound_privileges()


def _identity(terms: Terms) -> None:
    if _is_root():
        uid = FIRST_UID + terms.number % UIDS
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def _privileges(_terms: Terms) -> None:
    linux.drop_privileges()


def _limits(terms: Terms) -> None:
    linux.limit(resource.RLIMIT_CORE, 0)
    linux.limit(resource.RLIMIT_CPU, terms.seconds)
    linux.limit(resource.RLIMIT_FSIZE, terms.scratch)
    linux.limit(resource.RLIMIT_NOFILE, terms.descriptors)
    linux.limit(resource.RLIMIT_NPROC, terms.processes)
    linux.limit(resource.RLIMIT_DATA, linux.data_bytes() + terms.memory)


LAYERS: dict[str, Callable[[Terms], None]] = {
    "namespaces": _namespaces,
    "scratch": _scratch,
    "bounds": _bounds,
    "identity": _identity,
    "privileges": _privileges,
    "limits": _limits,
}
"""The walls of one grading, in the order in which they go up."""


def mount_proc(target: str) -> None:
    """A /proc of this pid namespace; where the kernel refuses one (a container that masks its own), an empty place."""
    flags = linux.RDONLY | linux.NOSUID | linux.NODEV | linux.NOEXEC
    try:
        linux.mount("proc", target, "proc", flags)
    except PermissionError:
        linux.mount("tmpfs", target, "tmpfs", flags, "size=4k")


def _is_root() -> bool:
    """Root that may become another uid: in a rootless container ``root`` often may not, and counts as a user here."""
    if os.geteuid() != 0:
        return False
    with contextlib.suppress(OSError, ValueError):
        spans = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
        return any(int(first) <= FIRST_UID < int(first) + int(count) - UIDS for first, _, count in spans)
    return True


def _build_world(model: Path | None) -> None:
    linux.mount("none", "/", "", linux.RECURSIVE | linux.PRIVATE)
    shown = visible()
    sources = [str(source) for source, _ in shown] + ([str(model)] if model else [])
    place = Path(next(p for p in _PLACES if Path(p).is_dir() and not any(s.startswith(p + "/") for s in sources)))
    linux.mount("tmpfs", place, "tmpfs", linux.NOSUID, "size=1m,mode=755")
    (place / "tmp").mkdir()
    linux.mount("tmpfs", place / "tmp", "tmpfs", linux.NOSUID | linux.NODEV, "size=16m,mode=1777")
    for source, target in shown:
        _show(source, place / target.relative_to("/"))
    if model:
        _show(model, place / MODEL.relative_to("/"))
    for name in ("dev/shm", "proc"):
        (place / name).mkdir(parents=True, exist_ok=True)
    for name in _DEVICES:
        (place / "dev" / name).touch()
        linux.bind_read_only(f"/dev/{name}", place / "dev" / name, device=True)
    _name_the_users(place / "etc")
    mount_proc(str(place / "proc"))
    linux.pivot_root(place)
    _under_scratch()
    linux.mount("", "/", "", linux.REMOUNT | linux.BIND | linux.RDONLY | linux.NOSUID)


def visible() -> list[tuple[Path, Path]]:
    """What the world shows, as (source, place): libraries of the system and of the interpreter, none inside another."""
    places = [*_SYSTEM, f"{sys.base_prefix}/lib", *sys.path, *_mapped_directories()]
    paths = {Path(place) for place in places if place.startswith("/") and Path(place).exists()}
    paths |= {path.resolve() for path in paths}
    outermost = [path for path in sorted(paths) if not any(other in path.parents for other in paths)]
    return [(path, path) for path in outermost]


def _mapped_directories() -> set[str]:
    lines = Path("/proc/self/maps").read_text().splitlines()
    files = {line.split(maxsplit=5)[5] for line in lines if line.count("/") and ".so" in line}
    return {str(Path(file).parent) for file in files if file.startswith("/")}


def _show(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    if source.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    linux.bind_read_only(source, target)


def _name_the_users(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    uids = [INNER_UID, *range(FIRST_UID, FIRST_UID + UIDS)]
    (folder / "passwd").write_text("".join(f"learner{uid}:x:{uid}:{uid}::/tmp:/none\n" for uid in uids))
    (folder / "group").write_text("".join(f"learner{uid}:x:{uid}:\n" for uid in uids))
