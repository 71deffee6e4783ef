"""The walls themselves, as root and as an ordinary user: what a process behind them is and is not."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65_534
SCRIPT = """
import json, os, resource, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from graders.inside import sandbox
sys.path.pop(0)
sandbox.enclose(None, [Path(p) for p in sys.argv[2:]])
zygote = os.getpid()
for turn in range(2):
    pid = sandbox.fork_apart()
    if pid == 0:
        sandbox.enter(sandbox.Terms(number=turn, seconds=3, memory=1 << 28))
        status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
        print(json.dumps({
            "uid": os.getuid(), "pid": os.getpid(), "top": sorted(os.listdir("/")),
            "procs": [p for p in os.listdir("/proc") if p.isdigit()],
            "caps": [status[k].strip() for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
            "nnp": status["NoNewPrivs"].strip(), "groups": os.getgroups(),
            "files": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
            "core": resource.getrlimit(resource.RLIMIT_CORE)[1],
            "devices": sorted(os.listdir("/dev")),
            "tmp": os.statvfs("/tmp").f_files,
            "net": sorted(line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]),
        }), flush=True)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
assert os.getpid() == zygote
"""


def python_for(user: int | None) -> str:
    """An interpreter that ``user`` may run: this one may lie in a closed home."""
    for path in (sys.executable, shutil.which("python3", path="/usr/bin:/usr/local/bin")):
        with contextlib.suppress(PermissionError):
            if path and subprocess.run([path, "-I", "-c", "import ctypes"], user=user, check=False).returncode == 0:
                return path
    pytest.skip("no interpreter that an ordinary user may run")


@pytest.fixture
def shared() -> Iterator[Path]:
    """A copy of the package where everybody may read it."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "graders", Path(folder) / "graders", ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        yield Path(folder)


def behind_walls(shared: Path, user: int | None, *hidden: Path) -> list[dict[str, Any]]:
    command = [python_for(user), "-I", "-B", "-c", SCRIPT, str(shared), *map(str, hidden)]
    extra: list[int] | None = [] if user is not None else None
    done = subprocess.run(
        command, user=user, group=user, extra_groups=extra, capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("user", [None, NOBODY], ids=["myself", "ordinary"])
def test_a_grading_is_alone_and_powerless(shared: Path, user: int | None) -> None:
    if user is not None and os.geteuid() != 0:
        pytest.skip("this already is an ordinary user")
    turns = behind_walls(shared, user, ROOT / "exercises", shared)
    assert len(turns) == 2
    for seen in turns:
        assert seen["uid"] != 0
        assert seen["pid"] == 1
        assert seen["procs"] in (["1"], [])
        assert set(seen["caps"]) == {"0" * 16}
        assert seen["nnp"] == "1"
        assert (seen["files"], seen["core"]) == (256, 0)
        assert seen["devices"] == ["full", "null", "random", "shm", "urandom", "zero"]
        assert seen["tmp"] <= 4_096
        assert seen["net"] == ["lo"]
        assert not {"sys", "run", "bin", "sbin", "boot", "var"} & set(seen["top"])
    if user is None and os.geteuid() == 0:
        assert turns[0]["uid"] != turns[1]["uid"], "as root, neighbours have different uids"


def test_it_refuses_to_start_where_something_hidden_would_be_seen(shared: Path) -> None:
    with pytest.raises(AssertionError, match="visible inside the sandbox"):
        behind_walls(shared, None, Path("/usr/lib"))
