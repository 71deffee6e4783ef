"""The small read-only world of tier A, built once before anything heavy is imported. Linux only.

New namespaces, a root directory that holds the interpreter's libraries and nothing else, pivot_root. Also what a tier
without such a world has to know: which libraries a submission needs, and which uids there are. Leaves out the walls of
one grading (``graders.inside.sandbox``).
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from graders.inside import linux

FIRST_UID, UIDS = 64_000, 1_000
"""As root a grading runs as one of these uids."""
INNER_UID = 1_000
"""What an ordinary user's uid is called inside."""
MODEL = Path("/model")
"""Where the course's base model is shown, read-only."""
SCRATCH = "/tmp"  # noqa: S108 - private to each grading
DEVICES = ("null", "zero", "full", "random", "urandom")

_SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/localtime")
_PLACES = ("/mnt", "/media", "/srv", "/opt", "/var", "/home", "/tmp")  # noqa: S108 - hidden from this process only


def enclose(model: Path | None, hidden: Sequence[Path]) -> None:
    """Move this process for good into the small world. Returns in a child; the parent waits and exits.

    Raises:
        OSError: the kernel refuses namespaces or mounts.
        PermissionError: something of ``hidden`` would be visible.
    """
    if not is_root():
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


def mount_proc(target: str) -> None:
    """A /proc of this pid namespace; where the kernel refuses one (a container that masks its own), an empty place."""
    flags = linux.RDONLY | linux.NOSUID | linux.NODEV | linux.NOEXEC
    try:
        linux.mount("proc", target, "proc", flags)
    except PermissionError:
        linux.mount("tmpfs", target, "tmpfs", flags, "size=4k")


def is_root() -> bool:
    """Root that may become another uid: in a rootless container ``root`` often may not, and counts as a user here."""
    if os.geteuid() != 0:
        return False
    with contextlib.suppress(OSError, ValueError):
        spans = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
        return any(int(first) <= FIRST_UID < int(first) + int(count) - UIDS for first, _, count in spans)
    return True


@functools.cache
def under_scratch() -> list[Path]:
    """Libraries of a course that is itself installed under /tmp: the private /tmp would hide them. Looked up once."""
    return [path for path, _ in visible() if Path(SCRATCH) in path.parents and path.is_dir()]


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
    for name in DEVICES:
        (place / "dev" / name).touch()
        linux.bind_read_only(f"/dev/{name}", place / "dev" / name, device=True)
    _name_the_users(place / "etc")
    mount_proc(str(place / "proc"))
    linux.pivot_root(place)
    under_scratch()
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
