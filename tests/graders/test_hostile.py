"""What hostile code finds inside: no descriptor, file, process or memory of ours. Attacks: tests/attacks."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from graders.host import zygote
from graders.host.engine import Engine
from graders.protocol import Job, Outcome, Verdict

pytestmark = pytest.mark.slow
Grade = Callable[..., Verdict]


def inside(engine: Engine, source: str, call: str = "found") -> str:
    trial = engine.run(Job("double", source.encode()), call)
    assert trial.outcome is Outcome.PASSED, (trial.message, trial.traceback)
    return trial.value


def test_no_descriptor_but_the_wire_is_inherited(engine: Engine) -> None:
    source = """
import os, stat
found = []
for fd in range(4096):
    try: found.append((fd, stat.S_ISSOCK(os.fstat(fd).st_mode)))
    except OSError: pass
"""
    assert inside(engine, source) == "[(0, False), (1, False), (2, False), (3, True)]"


def test_nothing_of_the_course_is_in_the_filesystem(engine: Engine) -> None:
    root = Path(__file__).resolve().parents[2]
    paths = [root / name for name in ("exercises", "tests", "graders", "data", "app.py", ".git", "pyproject.toml")]
    paths += [
        Path(name) for name in ("/etc/shadow", "/root/.ssh", "/sys", "/run", "/usr/bin", "/bin/sh", "/home", "/var")
    ]
    hidden = [str(path) for path in paths if path not in root.parents]  # the way to our libraries has to be there
    source = f"import os\nfound = [p for p in {hidden} if os.path.exists(p)]"
    assert inside(engine, source) == "[]"
    walk = (
        "import os\nfound = []\nfor folder, inner, files in os.walk('/'):\n"
        "    inner[:] = [name for name in inner if name != 'site-packages']\n"
        "    found += [os.path.join(folder, name) for name in files if {wanted}]"
    )
    ours = "name in ('test_double.py', 'checking.py', 'solution.py') or name.endswith('.sqlite')"
    assert inside(engine, walk.replace("{wanted}", ours)) == "[]"


def test_the_hidden_checks_are_not_in_memory(engine: Engine) -> None:
    source = r"""
import ctypes, re
own = "visible-" + "marker-" + str(6 * 7)
def scan(pattern):
    hits = 0
    for line in open("/proc/self/maps"):
        span, rights, *rest = line.split()
        if rights.startswith("rw") and "[v" not in line:
            start, end = (int(part, 16) for part in span.split("-"))
            hits += len(re.findall(pattern, ctypes.string_at(start, end - start)))
    return hits
found = [scan(rb"visible-marke[r]-42") > 0, scan(rb"hidden-canar[y]-7f3a9[1]"), scan(rb"[h]idden checks are not in")]
"""
    assert inside(engine, source) == "[True, 0, 0]"


def test_the_environment_and_the_process_table_tell_nothing(engine: Engine) -> None:
    keys = ast.literal_eval(inside(engine, "import os\nfound = sorted(os.environ)"))
    ours = {key for key in keys if not key.startswith(("LC_", "KMP_", "TORCH"))}  # those are set by libraries
    assert ours <= set(zygote._ENVIRONMENT)
    assert inside(engine, "import os\nfound = [p for p in os.listdir('/proc') if p.isdigit()]") in ("['1']", "[]")
    assert inside(engine, "import socket\nfound = socket.gethostname()") == "'sandbox'"


@pytest.mark.parametrize(
    "act",
    [
        "os.setuid(0)",
        "os.chroot('/tmp')",
        "socket.sethostname('x')",
        "os.mknod('/tmp/null', 0o20666, os.makedev(1, 3))",
        "open('/proc/sys/kernel/hostname', 'w')",
        "socket.socket(socket.AF_INET, socket.SOCK_RAW)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
        "open('/dev/mem')",
        "os.kill(2, 9)",
        "open('/proc/1/../../etc/shadow')",
        "socket.create_connection(('169.254.169.254', 80), 2)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53))",
        "subprocess.run(['/bin/sh', '-c', 'id'])",
        "open(os.path.join(os.path.dirname(torch.__file__), 'x'), 'w')",
    ],
)
def test_a_forbidden_act_fails_inside(engine: Engine, act: str) -> None:
    source = f"import os, socket, subprocess, torch\ntry:\n    {act}\nexcept OSError:\n    found = 'no'"
    assert inside(engine, source) == "'no'"


def test_two_gradings_share_nothing(engine: Engine) -> None:
    inside(engine, "open('/tmp/left', 'w').write('x'); open('/dev/shm/left', 'w').write('x'); found = 1")
    assert inside(engine, "import os\nfound = 'left' in os.listdir('/tmp') + os.listdir('/dev/shm')") == "False"
    draws = {inside(engine, "import random, torch\nfound = random.random(), torch.rand(()).item()") for _ in range(2)}
    assert len(draws) == 2, "each fork has random numbers of its own"


def test_nothing_can_be_mounted_or_unmounted(engine: Engine) -> None:
    source = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
found = libc.mount(b"none", b"/tmp", b"tmpfs", 0, None), libc.umount2(b"/proc", 2), libc.chroot(b"/tmp")
"""
    assert inside(engine, source) == "(-1, -1, -1)"
