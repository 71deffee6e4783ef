"""From ``start`` on an installed machine to the first painted page in a real browser."""

from __future__ import annotations

import statistics
import time

from playwright.sync_api import sync_playwright

from benchmarks.browser import launch
from benchmarks.running import running_course
from benchmarks.table import show

RUNS, LIMIT = 3, 6.0


def once() -> tuple[float, float]:
    """Seconds to readiness and to the first painted page."""
    with sync_playwright() as playwright, launch(playwright) as browser, running_course() as course:
        ready = time.perf_counter() - course.started
        page = browser.new_page(locale="ru-RU")
        page.goto(course.url)
        page.get_by_role("heading", level=1).first.wait_for()
        return ready, time.perf_counter() - course.started


def main() -> int:
    runs = [once() for _ in range(RUNS)]
    ready, painted = (statistics.median(run[part] for run in runs) for part in (0, 1))
    rows = [["ready", f"{ready:.1f} s", ""], ["first painted page", f"{painted:.1f} s", f"<= {LIMIT:.0f} s"]]
    show(f"Start on an installed machine, median of {RUNS}", ["what", "measured", "bound"], rows)
    return 0 if painted <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
