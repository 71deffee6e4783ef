"""``kill -9`` of each process at a bad moment: nothing of a learner's is lost.

Leaves out the queue's own guarantees (``tests/jobs``) and how a course ends (``tests/cli/test_start.py``).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import psutil
import pytest
from playwright.sync_api import expect

from benchmarks.running import Running
from progress import learning, submissions
from progress.database import Database
from progress.identity import LOCAL
from settings import ROOT
from tests.browser.visitor import PATIENCE, VERDICT_WITHIN, Visitor, source_of

pytestmark = pytest.mark.slow

Visit = Callable[..., Visitor]
EXERCISE = "lora-linear"
ADDRESS = f"/exercise?id={EXERCISE}"
SLOW = "import time\n\ntime.sleep(2)\n"
RESTART_WITHIN = 60.0
"""Seconds for a process to come back: it imports torch anew."""


def test_a_worker_killed_while_grading_grades_when_it_is_back_and_charges_once(
    visit: Visit, course: Running, database: Database
) -> None:
    learner = visit(ADDRESS)
    learner.editor.wait_for()
    learner.write(SLOW + source_of(ROOT / "exercises" / EXERCISE, "solution.py"))
    learner.saved()
    learner.submit()
    until(lambda: [sent.state for sent in attempts(database)] == ["running"], learner)
    worker = course.find("jobs.worker")
    graders = worker.children(recursive=True)
    worker.kill()
    assert [sent.verdict for sent in attempts(database)] == [None], "killed too late: the verdict was there already"
    expect(learner.bench).to_contain_text("16 из 16 баллов", timeout=VERDICT_WITHIN)
    expect(learner.bench).to_contain_text("· 1 попытка")
    assert [(sent.number, sent.counted, sent.outcome) for sent in attempts(database)] == [(1, True, "passed")]
    assert course.find("jobs.worker").pid != worker.pid
    assert psutil.wait_procs(graders, timeout=15)[1] == []


def test_a_draft_outlives_the_app_killed_two_seconds_after_the_last_key(
    visit: Visit, course: Running, database: Database
) -> None:
    learner = visit(ADDRESS)
    learner.editor.wait_for()
    learner.editor.click()
    learner.page.keyboard.press("Control+Home")
    learner.page.keyboard.type("# до последней клавиши\n", delay=20)
    learner.page.wait_for_timeout(2000)
    reader = visit("/lesson?id=lora-math&block=checklist")
    app = course.find("app.py")
    app.kill()
    text = learner.code
    learner.page.keyboard.type("# а это пока приложения нет\n", delay=20)
    until(lambda: answers(course), learner, within=RESTART_WITHIN)
    assert course.find("app.py").pid != app.pid
    other = visit(ADDRESS)
    expect(other.editor).to_contain_text("# до последней клавиши")
    assert text.startswith("# до последней клавиши\n")
    # What was typed while the app was away is stored once it is back, with no reload and no further key.
    longer = "# до последней клавиши\n# а это пока приложения нет\n"
    until(lambda: stored(database).startswith(longer), learner, within=RESTART_WITHIN)
    expect(learner.state()).to_contain_text("Сохранено")
    assert stored(database) == learner.code
    # And the pages that were open all the time still work: nothing on them had been clicked before.
    learner.run()
    ran = re.compile("Код выполнился|Эта часть ещё не написана")
    expect(learner.bench).to_contain_text(ran, timeout=VERDICT_WITHIN)
    item = reader.page.locator("[class*='st-key-item-']").first
    item.locator("label").click()
    expect(item).to_contain_text("отмечено")


def test_a_demo_computes_again_after_its_process_was_killed(visit: Visit, course: Running) -> None:
    learner = visit("/demo?name=lora.spectrum")
    metric = learner.page.get_by_test_id("stMetric").first
    expect(metric).to_contain_text("%", timeout=VERDICT_WITHIN)
    course.find("jobs.compute_process").kill()
    rank = learner.page.locator("[class*='-field-rank'] input")
    rank.fill("5")
    rank.press("Enter")
    again = learner.page.get_by_role("button", name="Попробовать ещё раз")
    deadline = time.monotonic() + RESTART_WITHIN
    while "r = 5" not in learner.text and time.monotonic() < deadline:
        if again.is_visible():
            assert "Вычислитель перезапускается" in learner.text
            again.click()
        learner.page.wait_for_timeout(500)
    expect(metric).to_contain_text("Энергия при r = 5")
    expect(metric).to_contain_text("%")


def attempts(database: Database) -> tuple[submissions.Submission, ...]:
    return submissions.attempts(database, LOCAL, EXERCISE)


def stored(database: Database) -> str:
    draft = learning.draft(database, LOCAL, EXERCISE)
    return draft.source if draft else ""


def answers(course: Running) -> bool:
    try:
        return bool(course.get("/ready")["database"])
    except OSError:
        return False


def until(holds: Callable[[], bool], learner: Visitor, *, within: float = PATIENCE / 1000) -> None:
    """Wait until it holds, letting the browser go on meanwhile."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not within {within:.0f} s"
        learner.page.wait_for_timeout(50)
