"""One answer and one full page of lesson 2 while 100 sessions hold it open, beside Streamlit's own garbage collection.

Two apps of one course run side by side and are asked in turn: ours as it is started, and one that collects after every
run, as Streamlit does by default. CPU is that of the whole app process from the click until it rests again, so a
collection after the reply counts. Leaves out drawing in the browser.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

import psutil

from benchmarks import table
from benchmarks.memory import pss
from benchmarks.running import Running, free_port, running_course, wait_ready
from benchmarks.visitor import Reply, Visitor, visitors
from progress import learning
from progress.database import Database
from progress.identity import LOCAL
from settings import ROOT

SESSIONS, ANSWERS, ROUNDS = 100, 48, 6
RESTING = 31.0
"""Seconds: one collection of the app's own falls into them."""
FLOW = "content/02-lora/lesson.md"
LESSON, BLOCK, QUESTION = "lora-math", "check", "rank-race"
ANSWER_LIMIT, PAGE_LIMIT = 15.0, 50.0
"""Milliseconds of CPU, median."""
COLLECTING_APP = """
import sys, app
app.app.run(config={"server.address": "127.0.0.1", "server.port": int(sys.argv[1]), "runner.postScriptGC": True})
"""
"""The same app, but Streamlit collects garbage after every run as it does by default."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of the page, in milliseconds."""

    cpu: float
    wall: float
    size: int  # bytes


@dataclass(slots=True)
class App:
    """An app with its visitors and what was measured on it."""

    pid: int
    tabs: list[Visitor]
    before: float  # MB without visitors
    answers: list[Sample] = field(default_factory=list)
    pages: dict[str, list[Sample]] = field(default_factory=dict)  # by block
    resting: float = 0.0  # ms of CPU per second with nobody clicking
    after: float = 0.0  # MB with all visitors

    def cpu(self) -> float:
        """Milliseconds of CPU that the app has used, threads that have ended included."""
        return time.clock_gettime_ns((~self.pid << 3) | 2) / 1e6  # Linux's clock id of another process's CPU time

    async def measure(self, action: Callable[[], Awaitable[Reply]], check: Callable[[Reply], bool]) -> Sample:
        """Do one thing and wait until the app rests.

        Raises:
            RuntimeError: the page did not say what it should.
        """
        await self.rest()
        before = self.cpu()
        reply = await action()
        await self.rest()
        if not check(reply):
            raise RuntimeError(f"an unexpected page: {reply.texts}")
        return Sample(self.cpu() - before, 1000 * reply.seconds, reply.size)

    async def rest(self) -> None:
        """Wait until the app has used next to nothing for two moments in a row."""
        quiet, last = 0, self.cpu()
        while quiet < 2:
            await asyncio.sleep(0.02)
            now = self.cpu()
            quiet, last = (quiet + 1 if now - last < 0.5 else 0), now


async def answer(tab: Visitor, number: int) -> Reply:
    """Choose one of the first three options and say «думаю», as a learner does."""
    tab.choose(f"input-{QUESTION}-", number % 3)
    return await tab.click(f"confidence-{QUESTION}", option=1)


def judged(reply: Reply) -> bool:
    """Whether the page says how the answer was."""
    return reply.says("**Верно.**") or reply.says("**Пока нет.**")


def blocks() -> list[str]:
    """The ids of the lesson's blocks, in order."""
    return re.findall(r"^## .*\{#([\w.-]+)", (ROOT / FLOW).read_text(), re.MULTILINE)


def stored(course: Running) -> int:
    """How many answers to the question stand in the course's database."""
    database = Database(f"sqlite:///{course.data_dir / 'course.sqlite'}")
    return sum(row.question == QUESTION for row in learning.answers(database, LOCAL, LESSON))


async def compare() -> list[App]:
    """The app as it is and the one with Streamlit's own collection, measured in turn."""
    with running_course() as course, collecting(course) as (url, pid):
        async with AsyncExitStack() as stack:
            apps = [
                await _open(stack, course.url, course.find("app.py").pid),
                await _open(stack, url, pid),
            ]
            await _measure_pages(apps)
            await _measure_answers(apps)
            if (found := stored(course)) != ANSWERS * len(apps):
                raise RuntimeError(f"{ANSWERS * len(apps)} answers were given, {found} are stored")
            await _measure_rest(apps[0])
            return apps


@contextmanager
def collecting(course: Running) -> Iterator[tuple[str, int]]:
    """A second app on the course's data, with the default collection; its address and process id."""
    port = free_port()
    child = subprocess.Popen(
        [sys.executable, "-c", COLLECTING_APP, str(port)],
        cwd=ROOT,
        env={**os.environ, "COURSE_DATA_DIR": str(course.data_dir), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_ready(f"http://127.0.0.1:{port}", child)
        yield f"http://127.0.0.1:{port}", child.pid
    finally:
        child.terminate()
        child.wait(20)


async def _open(stack: AsyncExitStack, url: str, pid: int) -> App:
    before = pss(psutil.Process(pid))
    tabs = await stack.enter_async_context(visitors(url, "lesson", SESSIONS, id=LESSON, block=BLOCK))
    return App(pid, tabs, before)


async def _measure_pages(apps: Sequence[App]) -> None:
    """Tabs that give no answers later walk through the lesson, a block a click."""
    for number, block in enumerate(blocks() * ROUNDS):
        for app in apps:
            tab = app.tabs[ANSWERS + number % (SESSIONS - ANSWERS)]
            sample = await app.measure(partial(tab.show, id=LESSON, block=block), lambda reply: reply.elements > 10)
            app.pages.setdefault(block, []).append(sample)


async def _measure_answers(apps: Sequence[App]) -> None:
    for number in range(ANSWERS):
        for app in apps:
            app.answers.append(await app.measure(partial(answer, app.tabs[number], number), judged))


async def _measure_rest(app: App) -> None:
    before = app.cpu()
    await asyncio.sleep(RESTING)
    app.resting = (app.cpu() - before) / RESTING
    app.after = pss(psutil.Process(app.pid))


def main() -> int:
    """Print the table; 1 when a bound is missed."""
    ours, theirs = asyncio.run(compare())
    every = [[sample for samples in app.pages.values() for sample in samples] for app in (ours, theirs)]
    heaviest = max(ours.pages, key=lambda block: _median(ours.pages[block]))
    rows = [
        _row("one answer", ours.answers, theirs.answers, ANSWER_LIMIT),
        _row("full page, all blocks", every[0], every[1]),
        *(
            _row(f"  {block}", ours.pages[block], theirs.pages[block], PAGE_LIMIT if block == heaviest else None)
            for block in ours.pages
        ),
    ]
    table.show(
        f"Lesson 2 with {SESSIONS} sessions holding it open, ms of the app's CPU ({table.machine()})",
        ("what", "runs", "median", "p95", "wall median", "p95", "KB", "with Streamlit's gc", "times", "bound"),
        rows,
    )
    _rest_table(ours)
    answered, shown = _median(ours.answers), _median(ours.pages[heaviest])
    return 0 if answered <= ANSWER_LIMIT and shown <= PAGE_LIMIT else 1


def _row(what: str, ours: Sequence[Sample], theirs: Sequence[Sample], bound: float | None = None) -> list[str]:
    median, default = _median(ours), _median(theirs)
    return [
        what,
        str(len(ours)),
        f"{median:.1f}",
        f"{_p95([sample.cpu for sample in ours]):.1f}",
        f"{statistics.median(sample.wall for sample in ours):.1f}",
        f"{_p95([sample.wall for sample in ours]):.1f}",
        f"{statistics.median(sample.size for sample in ours) / 1000:.0f}",
        f"{default:.1f}",
        f"{default / median:.1f}",
        "" if bound is None else table.verdict(median, bound),
    ]


def _rest_table(app: App) -> None:
    rows = [
        ("CPU with nobody clicking, collections included", f"{app.resting:.1f} ms per second"),
        ("app without visitors", f"{app.before:.0f} MB"),
        (f"app with {SESSIONS} sessions", f"{app.after:.0f} MB"),
    ]
    table.show("The same app at rest", ("what", "measured"), rows)


def _median(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.cpu for sample in samples)


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


if __name__ == "__main__":
    raise SystemExit(main())
