"""Every demo as a visitor meets it: guessed at or skipped, shown, shared; on a phone; nothing red, nothing English.

Leaves out whether the numbers are right: tests/demos compare them with independent truths.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from benchmarks.browser import settle
from tests.browser.visitor import Visitor
from ui import demos

pytestmark = pytest.mark.slow

Visit = Callable[..., Visitor]
PHONE = {"width": 390, "height": 844}
SHOWN = "[data-testid='stPlotlyChart'], [data-testid='stMetric'], [data-testid='stMarkdownContainer'] table"
CARDS = {"timing.tools": "[data-testid='stCode']"}
"""What a demo shows that has neither a chart nor a number nor a table."""
COMPUTED_WITHIN = 60_000
"""Milliseconds until a page that was just opened shows something: far more than it takes, for a busy machine."""
ENGLISH = re.compile(r"\b(Loading|Choose an option|Press Enter|Browse files|Drag and drop|undefined|nan|None|NaN)\b")
OVER = (
    "() => Math.max(...[document.documentElement, document.querySelector('[data-testid=stMain]')]"
    ".map(each => each.scrollWidth - each.clientWidth))"
)


def skip(page: Page) -> None:
    """Pass over the question that comes first."""
    button = page.get_by_role("button", name="Пропустить")
    if button.count():
        button.first.click()
        settle(page)


def shown(learner: Visitor, name: str) -> list[str]:
    """What is wrong with a demo's page."""
    learner.page.goto(f"{learner.url}/demo?name={name}")
    figure = learner.page.locator(CARDS.get(name, SHOWN))
    question = learner.page.get_by_role("button", name="Пропустить")
    expect(figure.or_(question).filter(visible=True).first).to_be_visible(timeout=COMPUTED_WITHIN)
    if question.count():
        question.first.click()
    settle(learner.page)
    expect(figure.first).to_be_visible()
    found = []
    if learner.page.get_by_test_id("stException").count():
        found.append("exception")
    warnings = learner.page.get_by_text("Попробовать ещё раз").count()
    if warnings:
        found.append("the compute process had no answer")
    if over := learner.page.evaluate(OVER):
        found.append(f"{over} pixels too wide")
    if english := ENGLISH.findall(learner.text):
        found.append(f"English: {sorted(set(english))}")
    return found


def test_a_guess_is_answered_with_what_was_computed(visit: Visit) -> None:
    """Comes first: the course of this file keeps that a question was skipped, too."""
    learner: Visitor = visit("/demo?name=quantization.levels")
    expect(learner.page.get_by_text("Сначала угадайте.")).to_be_visible()
    learner.page.locator("[class*='guess'] button").first.click()
    settle(learner.page)
    expect(learner.page.get_by_test_id("stAlert").first).to_contain_text(re.compile("Точно|Вы сказали"))
    learner.reload()
    expect(learner.page.get_by_text("Сначала угадайте.")).to_have_count(0)


def test_every_demo_opens_on_a_phone_and_shows_something(visit: Visit) -> None:
    learner: Visitor = visit("/demo", viewport=PHONE)
    wrong = {}
    for name in sorted(demos.LOOKS):
        if found := shown(learner, name):
            wrong[name] = found
    assert wrong == {}
    assert learner.complaints == []


def test_what_was_set_by_hand_is_shared_by_its_link(visit: Visit) -> None:
    learner: Visitor = visit("/demo?name=lora.count")
    skip(learner.page)
    rank = learner.page.get_by_label("Ранг r")
    rank.fill("64")
    rank.press("Enter")
    settle(learner.page)
    metric = learner.page.get_by_test_id("stMetric").first
    expect(metric).to_contain_text("27")
    shown_here = metric.inner_text()
    learner.page.get_by_text("Поделиться и забрать").click()
    address = learner.page.get_by_role("link", name="Этот расчёт по ссылке").get_attribute("href")
    assert address is not None
    assert "rank=64" in address
    learner.page.goto(address if address.startswith("http") else f"{learner.url}/{address.lstrip('/')}")
    settle(learner.page)
    skip(learner.page)
    expect(learner.page.get_by_test_id("stMetric").first).to_have_text(re.compile(re.escape(shown_here.split()[-1])))
