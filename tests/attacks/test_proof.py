"""An attack that attacks nothing proves nothing: what forges here first forges plain in-process pytest.

Plain pytest runs the same checks on the same submission in one process (``benchmarks.in_process``), and checks as they
are commonly written: ``==`` and ``torch.allclose`` on what an imported module returns. A probe that one wall holds gets
through without that wall.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from graders.host.engine import Engine
from settings import ROOT
from tests.attacks.case import EXERCISE, WRONG, Case, grade
from tests.attacks.test_attacks import CASES

pytestmark = pytest.mark.slow

FORGING = {str(case): case for case in CASES if case.forges}
NAIVE = """
import pytest, torch

@pytest.fixture
def solution():
    import solution
    return solution

def test_rank(solution):
    wanted = 3
    sigma = torch.tensor([3.0, 3.0, 3.0, 0.1])
    assert solution.rank_for_energy(torch.diag(sigma), 0.9) == wanted

def test_approximation(solution):
    wanted = torch.diag(torch.tensor([3.0, 2.0, 0.0]))
    assert torch.allclose(solution.low_rank(torch.diag(torch.tensor([3.0, 2.0, 1.0])), 2), wanted)
"""
RUNNER = """
import json, os, pathlib, re, signal, sys
import torch, pytest
import graders.host.checking, graders.host.draw, graders.host.remote
torch.set_num_threads(1)
found = {}
for tests in sorted(pathlib.Path(sys.argv[1]).glob("*/test_*.py")):  # the naive ones come first
    folder = tests.parent
    if found.get(folder.name, [[1, 2]]) != [[1, 2]]:
        continue  # taken in already
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        sys.argv = ["pytest"]
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        options = ["-q", "--tb=no", "-p", "no:cacheprovider", "--junitxml=" + tests.stem + ".xml", "-c", os.devnull]
        options += [] if tests.name == "test_naive.py" else ["-p", "benchmarks.in_process"]
        sys.exit(pytest.main([*options, "--rootdir", str(folder), tests.name]))
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    report = folder / (tests.stem + ".xml")
    counts = re.findall(r'(?:errors|failures)="(\\d+)"', report.read_text()) if report.exists() else ["0"]
    found.setdefault(folder.name, []).append([code, sum(int(count) for count in counts[:2])])
print(json.dumps(found))
"""
"""Forks, because each test process would import torch anew. Prints [exit code, failures and errors] by folder, for the
naive checks and for the exercise's."""

Plain = dict[str, list[tuple[int, int]]]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Plain:
    """How plain pytest ends on each forging case, and on the wrong solution without an attack."""
    home = tmp_path_factory.mktemp("plain")
    for name, source in {"honest": WRONG, **{name: case.source for name, case in FORGING.items()}}.items():
        shutil.copytree(ROOT / "exercises" / EXERCISE, home / name)
        (home / name / "solution.py").write_text(str(source))
        (home / name / "test_naive.py").write_text(NAIVE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, str(home)], capture_output=True, text=True, check=True, env=environment
    )
    found: dict[str, list[list[int]]] = json.loads(done.stdout.splitlines()[-1])
    return {name: [(code, failed) for code, failed in runs] for name, runs in found.items()}


def test_plain_pytest_sees_an_honest_mistake(plain: Plain) -> None:
    assert plain["honest"] == [(1, 2), (1, 9)]


@pytest.mark.parametrize("case", FORGING.values(), ids=str)
def test_the_attack_forges_plain_pytest(plain: Plain, case: Case) -> None:
    runs = zip(plain[str(case)], plain["honest"], strict=False)
    assert any(code == 0 or (code > 0 and failed < honest) for (code, failed), (_, honest) in runs), plain[str(case)]


def test_enough_attacks_are_shown_to_forge() -> None:
    assert len(FORGING) >= 15


@pytest.mark.parametrize("wall", sorted({case.wall for case in CASES if case.wall}))
def test_a_probe_gets_through_where_its_wall_is_missing(exercises: Path, wall: str) -> None:
    held = [case for case in CASES if case.wall == wall]
    with Engine(exercises, without=(wall,)) as engine:
        told = {str(case): grade(engine, case.source, case.filename).output for case in held}
    assert [name for name, output in told.items() if "ESCAPED" not in output] == []
