"""How test processes share the work: each takes whole files, every second one from the end of the queue.

What a module starts (a course, a browser, a trained model) is started once, because a file stays in one process. At the
front stand tests that mostly wait for other processes, at the end those that compute: together they keep the cores
busy. Leaves out a run in one process: it keeps pytest's own order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]

TESTS = Path(__file__).parent
WAITING = ("browser", "cli", "benchmarks", "jobs", "attacks", "graders", "progress")
COMPUTING = ("demos", "exercises", "lessons", "ui", "charts")
"""Folders, those with the longest tests first: the processes meet among the short ones."""


class BothEnds(LoadFileScheduling):  # type: ignore[misc]
    """Gives every second process the last file of the queue, the others the first."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        if int(node.gateway.id.removeprefix("gw")) % 2:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BothEnds | None:
    return BothEnds(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: place(item.path, item.path in slow))


def place(file: Path, slow: bool) -> tuple[int, int]:
    """Where a file stands in the queue: what waits, what is over at once, what computes."""
    folder = file.relative_to(TESTS).parts[0]
    if slow and folder in WAITING:
        return 0, WAITING.index(folder)
    if slow and folder in COMPUTING:
        return 2, -COMPUTING.index(folder)
    return 1, 0
