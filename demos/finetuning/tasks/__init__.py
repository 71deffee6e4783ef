"""Tuning tasks on top of what the base model knows: by name, with data for training, validation and test.

Torch-free. Leaves out checking data (``linter``), other formats (``formats``) and a learner's own data (``own``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from demos.finetuning.tasks import intents, json_answers, polite, single, terms, tools, variants
from demos.finetuning.tasks.data import Chat, Data, Task, row, to_datasets
from demos.params import ParamsError, nearest

__all__ = ["TASKS", "VARIANTS", "Chat", "Data", "Task", "build", "known", "row", "titles", "to_datasets"]

_MODULES = (json_answers, polite, tools, intents, terms, single)
TASKS: Mapping[str, Task] = MappingProxyType({task.name: task for module in _MODULES for task in module.TASKS})
"""Every task by name; the first is the lesson's."""
VARIANTS: Mapping[str, Task] = MappingProxyType({task.name: task for task in variants.TASKS})
"""The same with other training data: what recorded figures compare. Built like the rest, not offered in a list."""


def build(name: str, *, seed: int = 0) -> Data:
    """The task's data: training examples by the seed, validation and test always the same.

    Raises:
        ParamsError: there is no such task.
    """
    task = known(name)
    if task is None:
        raise ParamsError(f"Нет задачи «{name[:40]}»{nearest(name, {**TASKS, **VARIANTS})}.")
    return task.make(seed)


def known(name: str) -> Task | None:
    """The task or the variant of that name."""
    return TASKS.get(name) or VARIANTS.get(name)


def titles(chosen: str = "") -> dict[str, str]:
    """Name → title of what a form offers: the tasks, and the variant that is already chosen."""
    more = {chosen: VARIANTS[chosen].title} if chosen in VARIANTS else {}
    return {name: task.title for name, task in TASKS.items()} | more
