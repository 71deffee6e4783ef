"""The walls of one grading, in two tiers. Linux only.

Tier A has namespaces: ``graders.inside.world`` is built once, then each grading gets its own pid, mount, network, ipc
and uts namespaces and its own bounded /tmp. Tier B, for machines that refuse namespaces, is one process that can start
no other: Landlock says what it may open, seccomp takes the place of the namespaces, a folder of its own serves as
scratch. ``LAYERS`` lists the steps of ``enter``: a new wall is one more function there. Leaves out memory over all
processes and the deadline, which the trusted side watches.

As root each grading gets an ordinary uid of its own; an ordinary user gets, in tier A, a user namespace in which the
zygote alone keeps capabilities.
"""

from __future__ import annotations

import functools
import os
import resource
import socket
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from graders import forking
from graders.inside import folders, landlock, linux, seccomp, world
from graders.inside.world import FIRST_UID, SCRATCH, UIDS, is_root

_STANDS = "stands"


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


@dataclass(frozen=True, slots=True)
class Plan:
    """How this zygote puts up its walls. ``without``: layers left out, by tests that show what each of them holds."""

    tier: str = "A"
    model: Path | None = None
    hidden: tuple[Path, ...] = ()
    without: frozenset[str] = frozenset()
    base: Path = Path()  # tier B, once settled: where the scratch folders lie

    @property
    def layers(self) -> list[str]:
        """The names of the walls that stand, in the order in which they go up."""
        first = ["world"] if self.tier == "A" else []
        absent = {*self.without, *(["landlock"] if not landlock.version() else [])}
        return [*first, *(name for name in LAYERS[self.tier] if name not in absent)]


def choose(tiers: Sequence[str], plan: Plan) -> tuple[Plan | None, dict[str, str]]:
    """The plan in the first of ``tiers`` whose walls really go up here, and by tier why those before it do not.

    Each is tried by a process that is thrown away: half of a failed tier A cannot be undone.
    """
    problems: dict[str, str] = {}
    for tier in tiers:
        tried = replace(plan, tier=tier)
        found = forking.in_child(functools.partial(_rehearse, tried))
        if found == [_STANDS]:
            return tried, problems
        problems[tier] = " ".join(found) or "the trial died"
    return None, problems


def settle(plan: Plan) -> Plan:
    """What is done once, before the forks; the plan to go on with. In tier A it returns in a child.

    Raises:
        OSError: the walls cannot stand here.
    """
    seccomp.prepare()
    _first()
    if plan.tier == "A":
        world.enclose(plan.model, plan.hidden)
        return plan
    if landlock.version() < landlock.TRUNCATES:
        # Before that version a submission could truncate any file of this user by its name.
        raise OSError(f"Landlock {landlock.version()}, version {landlock.TRUNCATES} (Linux 6.2) is needed")
    _refuse_hidden(plan)
    base = folders.make_base()
    os.chdir(base)  # by this the trusted side finds it
    return replace(plan, base=base)


def fork_apart(plan: Plan) -> int:
    """Fork a grading's process. In tier A it is process 1 of a pid namespace: the kernel ends with it all it started.

    In tier B it cannot start anything.
    """
    if plan.tier == "B":
        return os.fork()
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


def enter(terms: Terms, plan: Plan) -> None:
    """Put this forked process behind its own walls.

    Raises:
        OSError: a wall could not be put up; nothing of the submission may be read then.
    """
    for name, layer in LAYERS[plan.tier].items():
        if name not in plan.without:
            layer(terms, plan)


def bury(plan: Plan, pid: int) -> None:
    """Remove what the dead grading ``pid`` left on the machine's disk; in tier A nothing can be there."""
    if plan.tier == "B":
        folders.remove(plan.base / str(pid))


def leave(plan: Plan) -> None:
    """Remove what the zygote itself made. What a killed one leaves, the next removes."""
    if plan.tier == "B":
        os.chdir("/")
        folders.remove(plan.base)


def _rehearse(plan: Plan) -> list[str]:
    try:
        settled = settle(plan)
        found = forking.in_child(functools.partial(_rehearse_grading, settled), functools.partial(fork_apart, settled))
        leave(settled)
    except OSError as error:
        return [str(error)]
    return found


def _rehearse_grading(plan: Plan) -> list[str]:
    try:
        enter(Terms(number=0, seconds=5, memory=1 << 28), plan)
    except OSError as error:
        return [str(error)]
    return [_STANDS]


def _namespaces(_terms: Terms, _plan: Plan) -> None:
    linux.unshare(linux.NEWNS | linux.NEWNET | linux.NEWIPC | linux.NEWUTS)
    socket.sethostname("sandbox")


def _scratch(terms: Terms, _plan: Plan) -> None:
    options = f"size={terms.scratch},nr_inodes={terms.files},mode=1777"
    libraries = [(path, os.open(path, os.O_PATH)) for path in world.under_scratch()]
    linux.mount("tmpfs", SCRATCH, "tmpfs", linux.NOSUID | linux.NODEV, options)
    for path, held in libraries:
        path.mkdir(parents=True, exist_ok=True)
        linux.bind_read_only(f"/proc/self/fd/{held}", path)
        os.close(held)
    linux.mount("tmpfs", "/dev/shm", "tmpfs", linux.NOSUID | linux.NODEV, options)  # noqa: S108
    world.mount_proc("/proc")
    os.chdir(SCRATCH)


def _folder(terms: Terms, plan: Plan) -> None:
    """A folder under the machine's own /tmp, which is the home, the working directory and the place of tempfile."""
    folder = str(folders.make(plan.base, _uid(terms)))
    os.chdir(folder)
    os.environ.update(HOME=folder, TMPDIR=folder, USER="learner", LOGNAME="learner")
    tempfile.tempdir = folder


def _bounds(_terms: Terms, _plan: Plan) -> None:
    linux.bound_privileges()


def _identity(terms: Terms, _plan: Plan) -> None:
    if is_root():
        uid = _uid(terms)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def _uid(terms: Terms) -> int:
    return FIRST_UID + (_first() + terms.number) % UIDS if is_root() else os.getuid()


@functools.cache
def _first() -> int:
    """Where this zygote begins to count: two engines on one machine seldom meet in a uid."""
    return int.from_bytes(os.urandom(2), "big")


def _mortality(_terms: Terms, _plan: Plan) -> None:
    """End with the zygote, which no pid namespace would see to; signal no group but one's own."""
    zygote = os.getppid()
    os.setsid()
    linux.die_with_parent()
    if os.getppid() != zygote:
        raise ProcessLookupError("the zygote has ended")


def _privileges(_terms: Terms, _plan: Plan) -> None:
    linux.drop_privileges()


def _limits(terms: Terms, plan: Plan) -> None:
    own = plan.tier == "A" or os.getuid() in range(FIRST_UID, FIRST_UID + UIDS)
    others = 0 if own else linux.tasks_of(os.getuid())  # the kernel counts all that this user runs
    linux.limit(resource.RLIMIT_CORE, 0)
    linux.limit(resource.RLIMIT_CPU, terms.seconds)
    linux.limit(resource.RLIMIT_FSIZE, terms.scratch)
    linux.limit(resource.RLIMIT_NOFILE, terms.descriptors)
    linux.limit(resource.RLIMIT_NPROC, others + terms.processes)
    linux.limit(resource.RLIMIT_DATA, linux.data_bytes() + terms.memory)


def _landlock_world(_terms: Terms, _plan: Plan) -> None:
    """A second wall: the world's root, which no path outside leads through. Where the kernel has none, none."""
    if landlock.version():
        writable = [(SCRATCH, landlock.TO_WRITE), ("/dev/shm", landlock.TO_WRITE)]  # noqa: S108
        landlock.restrict([("/", landlock.TO_READ), ("/dev/null", landlock.TO_POUR), *writable])


def _landlock_alone(_terms: Terms, plan: Plan) -> None:
    """The main wall: libraries, the own folder, of /proc what tells of oneself (``net`` tells of the host)."""
    scratch = [] if "scratch" in plan.without else [(Path.cwd(), landlock.TO_WRITE)]
    devices = [(f"/dev/{name}", landlock.TO_READ) for name in world.DEVICES]
    own = [(f"/proc/self/{name}", landlock.TO_READ) for name in ("status", "stat", "statm", "maps", "fd")]
    libraries = [(path, landlock.TO_READ) for path in _readable(plan.model)]
    landlock.restrict([*libraries, *devices, ("/dev/null", landlock.TO_POUR), *own, *scratch])


@functools.cache
def _readable(model: Path | None) -> list[Path]:
    """What a submission may read in tier B; asked first before the imports, as the world of tier A is built then."""
    paths = [path for path, _ in world.visible()]
    return [*paths, model] if model else paths


def _refuse_hidden(plan: Plan) -> None:
    readable = _readable(plan.model)
    seen = [str(a) for a in plan.hidden if any(a == b or a in b.parents or b in a.parents for b in readable)]
    if seen:
        raise PermissionError(f"visible inside the sandbox: {', '.join(seen)}")


def _system_calls(_terms: Terms, plan: Plan) -> None:
    seccomp.install(alone=plan.tier == "B", own=os.getpid())


_Layer = Callable[[Terms, Plan], None]
LAYERS: dict[str, dict[str, _Layer]] = {
    "A": {
        "namespaces": _namespaces,
        "scratch": _scratch,
        "bounds": _bounds,
        "identity": _identity,
        "privileges": _privileges,
        "limits": _limits,
        "landlock": _landlock_world,
        "seccomp": _system_calls,
    },
    "B": {
        "scratch": _folder,
        "bounds": _bounds,
        "identity": _identity,
        "mortality": _mortality,
        "privileges": _privileges,
        "limits": _limits,
        "landlock": _landlock_alone,
        "seccomp": _system_calls,
    },
}
"""The walls of one grading by tier, in the order in which they go up."""
