"""What counts as memory: also what was only written, on disk or to a tmpfs. And what cannot be counted is too much."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from graders.host import usage
from graders.host.engine import Engine
from graders.protocol import Job, Outcome

BEYOND = 1 << 60
WRITTEN = """
import os
for folder in ("/tmp", "/dev/shm"):
    for number in range(2):
        with open(f"{folder}/{number}", "wb") as file:
            for _ in range(30): file.write(bytes(1 << 20))
held = bytes(b"1") * (440 << 20)
import time
time.sleep(8)
"""


@pytest.mark.slow
def test_what_lies_in_the_scratch_space_counts_with_the_memory(engine: Engine) -> None:
    """440 of 512 MiB are held: 120 more lie in two tmpfs, mapped by nobody."""
    if os.geteuid() != 0:
        pytest.skip("an ordinary user may not look into the sandbox's mounts")
    assert engine.run(Job("double", WRITTEN.encode()), "1").outcome is Outcome.MEMORY
    held_only = WRITTEN.replace("range(30)", "range(1)").replace("time.sleep(8)", "")
    assert engine.run(Job("double", held_only.encode()), "1").outcome is Outcome.PASSED


def test_files_on_disk_are_added_up(tmp_path: Path) -> None:
    before = usage.on_disk(tmp_path)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_bytes(b"1" * (1 << 20))
    (tmp_path / "link").symlink_to("/")
    os.truncate(os.open(tmp_path / "sparse", os.O_CREAT | os.O_WRONLY), 1 << 40)
    assert 1 << 20 <= usage.on_disk(tmp_path) - before < 2 << 20
    assert usage.on_disk(tmp_path / "gone") == 0


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    here = os.getcwd()  # noqa: PTH109 - to come back to
    os.chdir(tmp_path)
    for _ in range(60):
        os.mkdir("x" * 100)  # noqa: PTH102 - by a relative name: the full one gets too long
        os.chdir("x" * 100)
    os.chdir(here)
    yield tmp_path
    os.system(f"rm -rf {tmp_path}/xx*")  # noqa: S605 - deeper than shutil.rmtree goes


def test_what_cannot_be_looked_through_is_too_much(tmp_path: Path, deep: Path) -> None:
    assert usage.on_disk(deep) > BEYOND, "a path too long to look at"
    many = tmp_path / "many"
    many.mkdir()
    for number in range(4_200):
        (many / str(number)).touch()
    assert usage.on_disk(many) > BEYOND


def test_a_process_that_is_gone_uses_nothing() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    pidfd = os.pidfd_open(pid)
    os.waitpid(pid, 0)
    assert (usage.memory(pidfd, 0), usage.waited(pidfd)) == (0, 0.0)
    os.close(pidfd)
