"""Many submissions in a row through one engine: nothing may grow. Right ones, wrong ones, and ones that leave things.

Looks at every process of the engine: its memory, mounts, descriptors, children; and at the folders for temporary files,
those of the sandbox's own world included. What is bounded is the memory that the processes filled themselves: USS and
PSS also move with every neighbour that begins or ceases to share torch's libraries. Needs Linux.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from benchmarks import table
from graders.forking import SCRATCH
from graders.host.engine import Engine
from graders.protocol import Job, Outcome

WARM_UP, MANY = 20, 200
NOISE_MB = 10.0
"""What may come and go: arenas of the allocator, caches filled for the first time. A leak of 50 KB each is more."""
SETTLED = 3.0
NOTE = f"""  In turn: right, wrong, and one that leaves files and processes. The engine's process and both zygotes.
  Allowed: {NOISE_MB:g} MB for memory (allocators, caches filled for the first time), nothing for the rest.
  USS and PSS move with neighbours that share torch's libraries: for information."""
_MEMORY = {"filled": "memory filled by themselves", "uss": "USS", "pss": "PSS"}
_LITTER = """
import os as _os, subprocess as _subprocess, tempfile as _tempfile
for _folder in (_tempfile.gettempdir(), "/dev/shm", "/tmp"):
    try:
        open(_os.path.join(_folder, f"left-{_os.urandom(8).hex()}"), "wb").write(bytes(1 << 20))
    except OSError:
        pass
try:
    _subprocess.Popen(["/bin/sleep", "600"])
except OSError:
    pass
try:
    _pid = _os.fork()
    if _pid == 0:
        _os.setsid()
        import time as _time
        _time.sleep(600)
except OSError:
    pass
"""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the engine's processes hold together."""

    filled: float  # MB that is in no file, each page counted once
    uss: float  # MB
    pss: float  # MB
    processes: int
    mounts: int
    descriptors: int
    files: int


def rows(engine: Engine, exercise: Path, many: int = MANY) -> tuple[list[tuple[str, ...]], bool]:
    """The table's rows, and whether nothing has grown."""
    sources = _sources(exercise)
    _grade(engine, exercise.name, sources, WARM_UP)
    before = settled(None)
    started = time.perf_counter()
    _grade(engine, exercise.name, sources, many)
    rate = many / (time.perf_counter() - started)
    after = settled(before)
    told = [_row(name, getattr(before, name), getattr(after, name)) for name in asdict(before)]
    head = (f"{many} gradings in a row", "", f"{rate:.1f} per s", "", "")
    return [head, *told], grown(before, after) == []


def grown(before: Footprint, after: Footprint) -> list[str]:
    """What has grown beyond the noise."""
    return [name for name in asdict(before) if getattr(after, name) - getattr(before, name) > _noise(name)]


def settled(before: Footprint | None) -> Footprint:
    """What the engine holds; the dead are buried a moment after the verdict, so that moment is waited for."""
    deadline = time.monotonic() + SETTLED
    gc.collect()
    time.sleep(0.5)
    while grown(before or (found := footprint()), found := footprint()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def footprint() -> Footprint:
    """What this process and all that it started hold now."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    memory = [process.memory_full_info() for process in family]
    filled = [_filled(process.pid) for process in family]
    return Footprint(
        filled=sum(filled) / 1e6,
        uss=sum(item.uss for item in memory) / 1e6,
        pss=sum(item.pss for item in memory) / 1e6,
        processes=len(family),
        mounts=sum(len(Path(f"/proc/{process.pid}/mountinfo").read_text().splitlines()) for process in family),
        descriptors=sum(process.num_fds() for process in family),
        files=len(set(_temporary(family))),
    )


def _sources(exercise: Path) -> list[tuple[bytes, Outcome | None]]:
    """Submissions in turn, with the outcome that each has to get. Of litter only that nothing is left is asked."""
    right, wrong = ((exercise / name).read_bytes() for name in ("solution.py", "mistake.py"))
    return [(right, Outcome.PASSED), (wrong, Outcome.PARTIAL), (right + _LITTER.encode(), None)]


def _grade(engine: Engine, slug: str, sources: list[tuple[bytes, Outcome | None]], many: int) -> None:
    for number in range(many):
        source, wanted = sources[number % len(sources)]
        outcome = engine.grade(Job(slug, source)).outcome
        if outcome is Outcome.INFRA_ERROR or wanted not in (None, outcome):
            raise RuntimeError(f"grading {number} got {outcome} instead of {wanted}")


def _temporary(family: list[psutil.Process]) -> Iterator[tuple[int, int]]:
    """Files (device, inode) that a grading could have left: in worlds of their own, or in this machine's folders.

    On this machine only those of scratch folders of the engine's own processes count: neighbours have temporary files.
    """
    for process in family:
        here = Path(f"/proc/{process.pid}")
        own = not (here / "root").samefile("/")
        places = [here / "root/tmp", here / "root/dev/shm"] if own else []
        with suppress(OSError):
            places += [here / "cwd"] if SCRATCH in str((here / "cwd").readlink()) else []
        for place in places:
            for path in place.rglob("*"):
                with suppress(FileNotFoundError):
                    yield path.lstat().st_dev, path.lstat().st_ino


def _filled(pid: int) -> int:
    """Bytes in no file: anonymous and shared memory, shared pages divided among those who share them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:")))


def _noise(name: str) -> float:
    return {"filled": NOISE_MB, "uss": math.inf, "pss": math.inf}.get(name, 0)


def _row(name: str, before: float, after: float) -> tuple[str, ...]:
    digits, unit = (1, " MB") if name in _MEMORY else (0, "")
    left, right = (f"{value:.{digits}f}{unit}" for value in (before, after))
    noise = _noise(name)
    bound = table.verdict(after - before, noise) if math.isfinite(noise) else ""
    return f"  {_MEMORY.get(name, name)}", left, right, f"{after - before:+.{digits}f}", bound
