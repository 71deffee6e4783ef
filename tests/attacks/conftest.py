"""The real exercise under a short deadline, and one warm engine for all attacks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from graders.exercise import load
from graders.host.engine import Engine
from settings import ROOT
from tests.attacks.case import EXERCISE, MEGABYTES, SECONDS, grade, right


@pytest.fixture(scope="session")
def exercises(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real exercise, with less time and memory so that the cases which use them up end soon."""
    folder = tmp_path_factory.mktemp("exercises")
    shutil.copytree(ROOT / "exercises" / EXERCISE, folder / EXERCISE)
    path = folder / EXERCISE / "exercise.toml"
    text = path.read_text().replace("seconds = 10", f"seconds = {SECONDS}")
    path.write_text(text.replace("memory_mb = 1024", f"memory_mb = {MEGABYTES}"))
    found = load(folder / EXERCISE)
    assert (found.seconds, found.memory) == (SECONDS, MEGABYTES << 20)
    return folder


@pytest.fixture(scope="session")
def engine(exercises: Path) -> Iterator[Engine]:
    with Engine(exercises) as started:
        assert started.isolation().ready
        assert grade(started, right(), "solution.py").points > 0
        yield started
