"""Tuning tasks on top of what the base model knows: by name, with data for training, validation and test.

Torch-free. Leaves out checking data (``linter``), other formats (``formats``) and a learner's own data (``own``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from demos.finetuning.tasks import intents, json_answers, polite, single, terms, tools
from demos.finetuning.tasks.data import Chat, Data, Task, row, to_datasets
from demos.params import ParamsError, nearest

__all__ = ["TASKS", "Chat", "Data", "Task", "build", "row", "to_datasets"]

_MODULES = (json_answers, polite, tools, intents, terms, single)
TASKS: Mapping[str, Task] = MappingProxyType({task.name: task for module in _MODULES for task in module.TASKS})
"""Every task by name; the first is the lesson's."""


def build(name: str, *, seed: int = 0) -> Data:
    """The task's data: training examples by the seed, validation and test always the same.

    Raises:
        ParamsError: there is no such task.
    """
    if name not in TASKS:
        raise ParamsError(f"Нет задачи «{name[:40]}»{nearest(name, TASKS)}.")
    return TASKS[name].make(seed)
