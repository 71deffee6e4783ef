"""An environment of its own for each rival grader, made when it is first asked for. Nothing of the course changes.

Every package that a rival needs and the course lacks is pinned in ``NAME.txt`` here; torch and peft are the course's
own, seen through a .pth file, so nobody downloads them twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import settings
from settings import ROOT

PATIENCE = 600
_MARK = "installed"


class NotInstalled(RuntimeError):
    """The rival cannot be measured here; the message says why."""


def python_with(name: str) -> Path:
    """The interpreter of an environment that has the rival ``name``.

    Raises:
        NotInstalled: its packages cannot be had, most often for want of a network.
    """
    folder = settings.current().data_dir / "rivals" / name
    python, pins = folder / "bin" / "python", Path(__file__).with_name(f"{name}.txt")
    wanted = _wanted(pins)
    if (folder / _MARK).exists() and (folder / _MARK).read_text() == wanted:
        return python
    print(f"installing {name} into {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _do([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    _share(python)
    _do(
        [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--no-deps",
            "--ignore-installed",
            "-r",
            str(pins),
        ]
    )
    (folder / _MARK).write_text(wanted)
    return python


def environment(python: Path, home: Path) -> dict[str, str]:
    """What a rival is started with: its own scripts first, our helpers importable, ``home`` for what Jupyter writes."""
    path = f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    ours = {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    return {**{key: value for key, value in os.environ.items() if not key.startswith("JUPYTER")}, **ours}


def _wanted(pins: Path) -> str:
    """What an environment has to have been made from; the course's interpreter and libraries are part of it."""
    told = "\n".join((pins.read_text(), sys.version, *_libraries()))
    return hashlib.sha256(told.encode()).hexdigest()


def _libraries() -> list[str]:
    return sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


def _share(python: Path) -> None:
    """Let the environment see the course's libraries after its own."""
    found = _do([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    Path(found.strip(), "course.pth").write_text("\n".join(_libraries()) + "\n")


def _do(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"no answer in {PATIENCE} s") from error
    if done.returncode:
        lines = (
            [line for line in done.stderr.splitlines() if "ERROR" in line] or done.stderr.splitlines() or ["no reason"]
        )
        raise NotInstalled(lines[-1].strip()[:100])
    return done.stdout
