"""One warm engine for all tests of this folder; the exercise they grade against."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from graders.host.engine import Engine
from graders.protocol import Job, Verdict

settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")

collect_ignore_glob = ["exercises/*"]  # checks of submissions: the judge runs them, not this pytest

EXERCISES = Path(__file__).parent / "exercises"


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with Engine(EXERCISES) as started:
        yield started


@pytest.fixture(scope="session")
def grade(engine: Engine) -> Callable[[str | bytes], Verdict]:
    def run(source: str | bytes, filename: str = "solution.py") -> Verdict:
        return engine.grade(Job("double", source if isinstance(source, bytes) else source.encode(), filename))

    return run


@pytest.fixture(scope="session")
def solution() -> str:
    return (EXERCISES / "double" / "solution.py").read_text()
