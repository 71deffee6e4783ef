"""Where a learner is in a lesson, and what comes next."""

from __future__ import annotations

from typing import Any

import pytest

from lessons import path


@pytest.fixture
def lesson(site: Any) -> Any:
    return site.load().lesson("halves")


def test_the_next_block_is_the_first_core_one_that_is_not_done(lesson: Any) -> None:
    assert path.following(lesson, set()).id == "start"
    assert path.following(lesson, {"start", "deeper"}).id == "count"
    assert path.following(lesson, {"start", "count"}) is None, "deep blocks are not owed"


def test_minutes_and_share_count_the_core_path(lesson: Any) -> None:
    assert path.minutes_left(lesson, set()) == 8
    assert path.minutes_left(lesson, {"start", "deeper"}) == 5
    assert path.share_done(lesson, {"start", "deeper"}) == pytest.approx(3 / 8)
    assert path.share_done(lesson, {"start", "count", "renamed"}) == 1


def test_neighbours_include_deep_blocks(lesson: Any) -> None:
    ids = [
        tuple(block and block.id for block in path.neighbours(lesson, name)) for name in ("start", "count", "deeper")
    ]
    assert ids == [(None, "count"), ("start", "deeper"), ("count", None)]
    with pytest.raises(KeyError):
        path.neighbours(lesson, "gone")
