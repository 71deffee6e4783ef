"""Each wall alone: what it holds, and that the same text gets through as soon as that wall is left out.

Leaves out what the walls are together (``test_sandbox``) and what a grading answers (``tests/attacks``).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graders.inside import landlock
from tests.graders import behind
from tests.graders.probes import PREPARED, PROBES, Probe

pytestmark = pytest.mark.slow
ROOT = os.geteuid() == 0
CASES = [
    pytest.param(probe, tier, user, id=f"{probe}-{tier}-{user}")
    for probe in PROBES
    for tier in probe.tiers
    for user in (probe.users if ROOT else set(probe.users) & {"ordinary"})
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return behind.copied(behind.opened(tmp_path_factory.mktemp("shared")))


@pytest.fixture(scope="module")
def tell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a submission might reach for: a port, a socket, a file, a folder, all open to everybody; a program."""
    folder = behind.opened(tmp_path_factory.mktemp("outside"))
    (folder / "file").write_text("somebody's")
    (folder / "shared").mkdir()
    (folder / "shared").chmod(0o777)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as named:
        named.bind(str(folder / "socket"))
        (folder / "socket").chmod(0o777)
        named.listen()
        places = {name: str(folder / name) for name in ("file", "socket")}
        places["loader"] = str(next(Path("/").glob("lib*/ld-linux*.so.*")))
        yield {**places, "folder": str(folder / "shared"), "port": server.getsockname()[1]}


@pytest.mark.parametrize(("probe", "tier", "user"), CASES)
def test_a_wall_holds_and_without_it_nothing_does(
    shared: Path, tell: dict[str, Any], probe: Probe, tier: str, user: str
) -> None:
    uid = behind.NOBODY if ROOT and user == "ordinary" else None
    with behind.bystander(uid) as pid:
        told = {**tell, "pid": pid}

        def held(*without: str) -> bool:
            ran = behind.run(shared, PREPARED + probe.source, tier=tier, user=uid, without=without, tell=told, turns=2)
            assert not ran.errors
            return ran.printed[-1].startswith("HELD")

        assert held()
        if probe.each and landlock.version() >= probe.landlock:
            assert [wall for wall in probe.without if not held(wall)] == [], "the other wall did not hold without it"
        assert not held(*probe.without), "this wall is not what held"


ALL_REFUSED = """
refused = {name: call(name, -1, 0, 0, 0, 0, 0) for name in denied}
print({name: code for name, code in refused.items() if code != "EPERM"})
"""


@pytest.mark.parametrize("tier", ["A", "B"])
def test_every_call_of_the_list_is_refused(shared: Path, tier: str) -> None:
    assert behind.run(shared, PREPARED + ALL_REFUSED, tier=tier).printed == ["{}"]


def test_calls_that_came_after_the_list_are_unknown_and_foreign_ones_fatal(shared: Path) -> None:
    newer = "denied['newer'] = 467\nprint(call('newer', -1, 0, 0, 0, 0))"
    assert behind.run(shared, PREPARED + newer).printed == ["ENOSYS"]
    if os.uname().machine == "x86_64":
        foreign = "denied['foreign'] = 0x40000000 + 39\ncall('foreign')\nprint('alive')"
        assert behind.run(shared, PREPARED + foreign).codes == [-31]


def test_folders_on_disk_are_removed_however_they_are_made(shared: Path) -> None:
    """Tier B: deep, closed, linked, many."""
    source = """
import os
os.symlink("/", "link")
os.mkdir("closed", 0)
os.makedirs("open/inner")
open("open/inner/file", "w").write("x")
for _ in range(1500):
    os.mkdir("deeper-and-deeper")
    os.chdir("deeper-and-deeper")
print("made")
"""
    for uid in {None, behind.NOBODY if ROOT else None}:
        ran = behind.run(shared, source, tier="B", user=uid, turns=2)
        assert (ran.printed, ran.left) == (["made", "made"], []), ran.errors


def test_a_grading_without_namespaces_ends_with_its_zygote_and_the_next_one_cleans_up(shared: Path) -> None:
    survives, left = behind.survives_its_zygote(shared, [])
    assert not survives
    behind.run(shared, "", tier="B")
    assert not left.parent.exists()
    survives, left = behind.survives_its_zygote(shared, ["mortality", "seccomp"])
    assert survives
    behind.run(shared, "", tier="B")
    assert not left.parent.exists()
