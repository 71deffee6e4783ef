"""A pytest plugin that gives an exercise's checks their fixtures without any sandbox: what plain pytest would do.

``python -m pytest -p benchmarks.in_process exercises/SLUG/test_SLUG.py`` imports solution.py and given.py into the
test process. For comparing times only: the submission could forge every verdict.
"""

from __future__ import annotations

import pytest

from benchmarks.local import SEED, Local, load
from graders.host.draw import Draw


@pytest.fixture
def solution(request: pytest.FixtureRequest) -> Local:
    return Local(load(request.path.parent / "solution.py"))


@pytest.fixture
def given(request: pytest.FixtureRequest) -> Local:
    return Local(load(request.path.parent / "given.py"))


@pytest.fixture
def draw() -> Draw:
    return Draw(SEED)
