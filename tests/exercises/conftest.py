"""One grading engine for all tests of the exercises: starting it costs seconds, a grading tenths of a second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graders.host.engine import Engine

EXERCISES = Path(__file__).resolve().parents[2] / "exercises"


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with Engine(EXERCISES) as warm:
        yield warm
