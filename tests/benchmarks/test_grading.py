"""The grader's benchmark measures real gradings, names what it misses, and goes on without a rival. No times."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from benchmarks import grading, local, soak, walls
from benchmarks.rivals import notebooks
from benchmarks.rivals.otter import Otter
from benchmarks.school import School, school
from graders import exercise
from graders.forking import SCRATCH
from graders.host.checking import Mistake
from graders.host.engine import Engine
from graders.host.zygote import Zygote
from graders.protocol import Job, Outcome
from settings import ROOT

FOLDER = grading.FOLDER


def test_the_exercise_has_ten_checks_of_a_solution_that_uses_peft() -> None:
    assert len(exercise.load(FOLDER).checks) == 10
    assert "import peft" in (FOLDER / "solution.py").read_text()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(FOLDER.parent) as started:
        yield started


@pytest.mark.slow
def test_our_engine_passes_its_solution_and_sees_its_mistake(engine: Engine) -> None:
    grading.grade(engine)
    verdict = engine.grade(Job(FOLDER.name, (FOLDER / "mistake.py").read_bytes()))
    assert verdict.outcome is Outcome.PARTIAL
    assert next(check for check in verdict.checks if check.id == "scale").outcome is Outcome.FAILED


@pytest.mark.slow
def test_plain_pytest_runs_the_same_checks(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / FOLDER.name)
    grading.plain_pytest(folder)
    shutil.copy(folder / "mistake.py", folder / "solution.py")
    with pytest.raises(RuntimeError, match="failed"):
        grading.plain_pytest(folder)


@pytest.mark.slow
def test_rivals_run_the_same_checks() -> None:
    tests, names = notebooks.tests(FOLDER), notebooks.checks(FOLDER)
    assert len(names) == 10
    right, wrong = (vars(local.load(FOLDER / name)) for name in ("solution.py", "mistake.py"))
    for name in names:
        local.run(name, tests, right)
    with pytest.raises(Mistake):
        local.run("test_scale", tests, wrong)


@pytest.mark.slow
def test_a_rival_that_cannot_be_installed_is_a_row_with_the_reason(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from benchmarks.grading import prepared; "
    program += "found, rows = prepared(Path(sys.argv[1])); print(found, *rows, sep=chr(10))"
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "work")],
        cwd=ROOT,
        env={**os.environ, **offline, "COURSE_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    *_, found, otter, nbgrader = done.stdout.splitlines()
    assert found == "[]"
    for row in (otter, nbgrader):
        assert "not installed" in row
        assert "No matching distribution" in row


def test_a_missed_bound_is_named_and_fails_the_run() -> None:
    kept = {grading.PATH: [0.3, 0.3], grading.COLD: [3.1, 3.1], Otter.title: [6.1, 6.1]}
    assert grading.compared(kept)[1]
    for slower in ({grading.PATH: [0.6, 0.6]}, {grading.COLD: [2.9, 2.9]}, {Otter.title: [5.9, 5.9]}):
        rows, all_kept = grading.compared({**kept, **slower})
        assert not all_kept
        assert any("MISSED" in row[-1] for row in rows if row[0] in slower)


def test_without_a_rival_its_bound_is_nobodys_fault() -> None:
    assert grading.compared({grading.PATH: [0.3], grading.COLD: [3.1]})[1]


def test_graders_take_turns_and_each_verdict_is_looked_at() -> None:
    seen: list[str] = []

    def contestant(name: str, runs: int) -> grading.Contestant:
        return grading.Contestant(lambda: seen.append(name), runs, lambda: seen.append(f"{name} right"))

    both = [contestant("ours", 2), contestant("theirs", 1)]
    grading.take_turns(both)
    assert seen == ["ours", "ours right", "theirs", "theirs right", "ours", "ours right"]
    assert [len(each.times) for each in both] == [2, 1]


def test_whatever_grows_beyond_the_noise_is_told() -> None:
    before = soak.Footprint(filled=90, uss=100, pss=200, processes=3, mounts=40, descriptors=30, files=0)
    assert soak.grown(before, replace(before, filled=90 + soak.NOISE_MB - 1, uss=900, pss=900, processes=2)) == []
    for name, more in (("filled", 11), ("processes", 1), ("mounts", 1), ("descriptors", 1), ("files", 1)):
        assert soak.grown(before, replace(before, **{name: getattr(before, name) + more})) == [name]


def test_memory_a_process_a_descriptor_and_a_file_that_stay_are_seen(tmp_path: Path) -> None:
    scratch = tmp_path / f"{SCRATCH}left"
    scratch.mkdir()
    before = soak.footprint()
    with subprocess.Popen(["/bin/sleep", "60"], cwd=scratch) as child, (scratch / "left").open("w"):
        held = bytearray(b"x" * (20 << 20))
        while psutil.Process(child.pid).name() != "sleep":
            time.sleep(0.01)
        after = soak.footprint()
        child.kill()
    assert len(held) > 0
    assert {"filled", "processes", "mounts", "descriptors", "files"} <= set(soak.grown(before, after))


@pytest.mark.slow
def test_a_row_of_submissions_leaves_nothing_behind(engine: Engine) -> None:
    rows, kept = soak.rows(engine, FOLDER, many=3)
    assert kept, rows


@pytest.fixture(scope="module")
def course() -> Iterator[School]:
    with school(FOLDER) as opened:
        opened.hire("first")
        yield opened


@pytest.mark.slow
def test_a_sent_solution_passes_through_queue_and_worker(course: School) -> None:
    course.wait(*course.send())
    assert course.crowd(2) > 0


@pytest.mark.slow
def test_the_walls_alone_are_timed() -> None:
    zygote = Zygote(
        "graders.inside.zygote", {"model": None, "hidden": [], "tiers": ["A", "B"], "without": []}, shut=True
    )
    try:
        found = walls.measure(zygote, forks=3)
    finally:
        zygote.close()
    assert len(found) == 3
    assert min(found) > 0
