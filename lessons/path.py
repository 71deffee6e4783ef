"""Where a learner is in a lesson and what comes next: pure functions of the lesson and of the blocks that are done.

What «done» means (opened, or its questions answered) is the caller's to say. Leaves out storing it (``progress``).
"""

from __future__ import annotations

from collections.abc import Collection

from lessons.model import Block, Lesson


def core(lesson: Lesson) -> tuple[Block, ...]:
    """The blocks of the core path, in order."""
    return tuple(block for block in lesson.blocks if block.depth == "core")


def following(lesson: Lesson, done: Collection[str]) -> Block | None:
    """The first core block that is not done; None when the core path is complete."""
    return next((block for block in core(lesson) if block.id not in done), None)


def minutes_left(lesson: Lesson, done: Collection[str]) -> int:
    """Minutes of the core blocks that are not done."""
    return sum(block.minutes for block in core(lesson) if block.id not in done)


def share_done(lesson: Lesson, done: Collection[str]) -> float:
    """How much of the core path is done, by minutes: from 0 to 1. A lesson without core blocks is done."""
    return 1 - minutes_left(lesson, done) / lesson.core_minutes if lesson.core_minutes else 1.0


def neighbours(lesson: Lesson, block_id: str) -> tuple[Block | None, Block | None]:
    """The blocks before and after, deep ones included; None at an end.

    Raises:
        KeyError: the lesson has no such block.
    """
    at = position(lesson, block_id) - 1
    before = lesson.blocks[at - 1] if at else None
    after = lesson.blocks[at + 1] if at + 1 < len(lesson.blocks) else None
    return before, after


def position(lesson: Lesson, block_id: str) -> int:
    """Which block of the lesson it is, from 1.

    Raises:
        KeyError: the lesson has no such block.
    """
    for number, block in enumerate(lesson.blocks, 1):
        if block.id == block_id:
            return number
    raise KeyError(block_id)
