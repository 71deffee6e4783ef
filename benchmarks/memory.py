"""Memory of an idle course, process by process (PSS: shared pages are divided among those who share them)."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from benchmarks.running import running_course
from benchmarks.table import show

IDLE = 5.0
APP_LIMIT, TOTAL_LIMIT = 250, 2000


def pss(process: psutil.Process) -> float:
    """Proportional set size in MB (10⁶ bytes)."""
    lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6


def name(process: psutil.Process) -> str:
    """What a process is, from its command line."""
    words = process.cmdline()
    module = (
        words[words.index("-m") + 1] if "-m" in words else next((w for w in words[1:] if w.endswith(".py")), words[0])
    )
    return f"{Path(module).name} ({process.pid})"


def main() -> int:
    with running_course() as course:
        time.sleep(IDLE)
        sizes = [(process, pss(process)) for process in course.processes()]
        app = next(size for process, size in sizes if "app.py" in name(process))
        rows = [[name(process), f"{size:.0f} MB", ""] for process, size in sizes]
    total = sum(size for _, size in sizes)
    rows += [
        ["app", f"{app:.0f} MB", f"<= {APP_LIMIT} MB"],
        ["all together", f"{total:.0f} MB", f"<= {TOTAL_LIMIT} MB"],
    ]
    show("Memory of an idle course (PSS)", ["process", "measured", "bound"], rows)
    return 0 if app <= APP_LIMIT and total <= TOTAL_LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
