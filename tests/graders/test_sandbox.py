"""The walls together, as root and as an ordinary user, in both tiers: what a process behind them is and is not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from settings import ROOT
from tests.graders import behind

pytestmark = pytest.mark.slow
LOOK = """
import json, os, resource
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
def names(path):
    try: return sorted(os.listdir(path))
    except OSError: return []
def net():
    try: return [line.split(":")[0].strip() for line in open("/proc/self/net/dev").read().splitlines()[2:]]
    except OSError: return []
print(json.dumps({
    "uid": os.getuid(), "pid": os.getpid(), "top": names("/"), "home": os.getcwd(),
    "procs": [p for p in names("/proc") if p.isdigit()],
    "caps": [status[k].strip() for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
    "nnp": status["NoNewPrivs"].strip(), "filters": status["Seccomp"].strip(), "groups": os.getgroups(),
    "files": resource.getrlimit(resource.RLIMIT_NOFILE)[1], "core": resource.getrlimit(resource.RLIMIT_CORE)[1],
    "devices": names("/dev"), "tmp": os.statvfs("/tmp").f_files,
    "net": net(),
}))
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return behind.copied(behind.opened(tmp_path_factory.mktemp("shared")))


def look(shared: Path, tier: str, user: int | None) -> list[dict[str, Any]]:
    ran = behind.run(shared, LOOK, tier=tier, user=user, hidden=[ROOT / "exercises", shared], turns=2)
    assert ran.codes == [0, 0], ran.errors
    assert len(ran.printed) == 2, ran.errors
    return [json.loads(line) for line in ran.printed]


@pytest.mark.parametrize("user", [None, behind.NOBODY], ids=["myself", "ordinary"])
def test_a_grading_is_alone_and_powerless(shared: Path, user: int | None) -> None:
    if user is not None and os.geteuid() != 0:
        pytest.skip("this already is an ordinary user")
    turns = look(shared, "A", user)
    for seen in turns:
        assert_powerless(seen)
        assert seen["pid"] == 1
        assert seen["procs"] in (["1"], [])
        assert seen["devices"] == ["full", "null", "random", "shm", "urandom", "zero"]
        assert seen["tmp"] <= 4_096
        assert seen["net"] == ["lo"]
        assert not {"sys", "run", "bin", "sbin", "boot", "var"} & set(seen["top"])
        assert set(seen["caps"]) == {"0" * 16}
    if user is None and os.geteuid() == 0:
        assert turns[0]["uid"] != turns[1]["uid"], "as root, neighbours have different uids"


@pytest.mark.parametrize("user", [None, behind.NOBODY], ids=["myself", "ordinary"])
def test_without_namespaces_it_is_powerless_too_and_sees_nothing(shared: Path, user: int | None) -> None:
    if user is not None and os.geteuid() != 0:
        pytest.skip("this already is an ordinary user")
    turns = look(shared, "B", user)
    for seen in turns:
        assert_powerless(seen)
        assert (seen["top"], seen["procs"], seen["devices"], seen["net"]) == ([], [], [], [])
        assert seen["caps"][1:3] == ["0" * 16] * 2
    assert turns[0]["home"] != turns[1]["home"]


def assert_powerless(seen: dict[str, Any]) -> None:
    assert seen["uid"] != 0
    assert seen["groups"] in ([], [behind.NOBODY], [1_000])
    assert (seen["nnp"], seen["filters"]) == ("1", "2")
    assert (seen["files"], seen["core"]) == (256, 0)


@pytest.mark.parametrize("tier", ["A", "B"])
def test_it_refuses_to_start_where_something_hidden_would_be_seen(shared: Path, tier: str) -> None:
    with pytest.raises(AssertionError, match="visible inside the sandbox"):
        behind.run(shared, "", tier=tier, hidden=[Path("/usr/lib")])
