"""The requests of the classifier's lesson: its own split by class, training sets that hold each other, two exams.

Everything comes from the task «intents» with seed 0. Torch-free. Leaves out training (``training``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from demos.finetuning import tasks
from demos.finetuning.tasks.data import Chat
from demos.finetuning.tasks.intents import INTENTS

Row = tuple[str, str]
"""A request and its class."""
NAMES = tuple(sorted(INTENTS))
"""The classes in the order of the head's rows."""
VALIDATION, HUNDRED = 0.1, 0.2
"""Shares that the lesson holds back from the training data and takes of the test data."""
SIZES = (20, 60, 200, 900)
LESSON_SIZE = 200


@dataclass(frozen=True, slots=True)
class Parts:
    """Requests that share no text. ``hundred``: places in ``test`` of the exam that the lesson's code takes."""

    train: tuple[Row, ...]
    validation: tuple[Row, ...]
    test: tuple[Row, ...]
    hundred: tuple[int, ...]


@cache
def parts() -> Parts:
    """All requests, split as the lesson splits them."""
    data = tasks.build("intents")
    train, validation = split(_rows(data.train), VALIDATION)
    test = tuple(_rows(data.test))
    chosen = set(split(test, HUNDRED)[1])
    places = tuple(place for place, row in enumerate(test) if row in chosen)
    return Parts(tuple(train), tuple(validation), test, places)


@cache
def training(size: int) -> tuple[Row, ...]:
    """So many training requests, the same number of each class; a larger set holds every smaller one."""
    every = parts().train
    return tuple(every if size >= len(every) else split(every, size / len(every))[1])


def split(rows: Sequence[Row], share: float, seed: int = 0) -> tuple[list[Row], list[Row]]:
    """The rest and the share held back, class by class, without repeats: the lesson's function."""
    groups: dict[str, list[Row]] = {}
    for row in dict.fromkeys(rows):
        groups.setdefault(row[1], []).append(row)
    rest: list[Row] = []
    held: list[Row] = []
    for label in sorted(groups):
        Random(f"{seed} {label}").shuffle(groups[label])  # noqa: S311 - the same for everybody
        cut = round(len(groups[label]) * share)
        held += groups[label][:cut]
        rest += groups[label][cut:]
    return rest, held


def truth(rows: Sequence[Row]) -> tuple[int, ...]:
    """The class of each request as its number in ``NAMES``."""
    return tuple(NAMES.index(label) for _, label in rows)


@cache
def fingerprint() -> str:
    """Changes with any request, its class or its part: what a recording was made of."""
    found = parts()
    shown = "\n".join(
        f"{part}\t{text}\t{label}" for part in ("train", "validation", "test") for text, label in getattr(found, part)
    )
    return hashlib.sha256(shown.encode()).hexdigest()[:16]


def _rows(chats: Sequence[Chat]) -> list[Row]:
    return [(chat[0].content, chat[-1].content) for chat in chats]
