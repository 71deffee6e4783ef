"""A newcomer's first ten minutes with the real worker: talk to the model, guess, fine-tune, read, compare the answers.

Few steps: what is proven is the way, not the quality. Leaves out the rest of a run's life (``test_run_walk``).
"""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from benchmarks.browser import settle
from benchmarks.running import Running, running_course
from progress import runs
from progress.database import Database
from progress.identity import LOCAL
from settings import ROOT
from tests.browser.conftest import PHONE
from tests.browser.test_demos import OVER, skip
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.slow

Visit = Callable[..., Visitor]
LESSON = ROOT / "content" / "00-start"
STEPS, EXAMPLES = 12, 100
BEGUN, OVER_BY = 60_000, 300_000
"""Milliseconds until a model says something, and until a run is over: far more than it takes, for a busy machine."""
TEN_MINUTES = 600.0
PATIENT = 200.0
"""Seconds for the model's first answer: loading it anew after each missed deadline."""


@pytest.fixture(scope="module")
def course() -> Iterator[Running]:
    """A course whose runs take one thread: two that other tests push aside wait for each other at every operation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        with running_course() as running:
            yield running


def test_a_newcomer_fine_tunes_within_ten_minutes(visit: Visit, database: Database) -> None:
    began = time.monotonic()
    learner = visit("/")
    learner.press("begin")
    expect(learner.page).to_have_url(re.compile(r"/lesson\?id=start"))
    talk(learner)
    guess(learner)
    panel = fine_tune(learner)
    read_while_it_trains(learner)
    compare(learner, panel)
    assert time.monotonic() - began < TEN_MINUTES
    assert learner.complaints == []
    (run,) = runs.mine(database, LOCAL)
    assert run.outcome == "finished"


def talk(learner: Visitor) -> None:
    """The model translates; asked for JSON it answers beside the point."""
    demo = learner.page.locator("[class*='st-key-demo-']").first
    skip(learner.page)
    answered(learner, demo, "the big cat sees the old house")
    asked = demo.get_by_label("Запрос", exact=True)
    asked.fill("переведи в JSON: большая кошка видит старый дом")
    asked.press("Enter")
    answered(learner, demo, "theJSON")
    expect(demo).not_to_contain_text('{"en"')


def answered(learner: Visitor, demo: Locator, text: str) -> None:
    """Wait for an answer; the first one loads the model, which a busy machine may not manage before the deadline."""
    again = demo.get_by_role("button", name="Попробовать ещё раз")
    patient_until = time.monotonic() + PATIENT
    while time.monotonic() < patient_until:
        expect(demo.get_by_text(text).or_(again).first).to_be_visible(timeout=BEGUN)
        if not again.is_visible():
            break
        again.click()
        learner.page.wait_for_timeout(1000)
        settle(learner.page)
    expect(demo).to_contain_text(text)


def guess(learner: Visitor) -> None:
    """A hundred examples: enough? The answer comes at once, with what recorded runs say."""
    learner.open("/lesson?id=start&block=train")
    asked = question("first-guess")
    right = next(option for option in asked["options"] if option.get("right"))
    learner.key("question-first-guess").get_by_text(right["text"], exact=True).click()
    learner.answer("first-guess", "думаю")
    expect(learner.key("right-first-guess")).to_be_visible()


def fine_tune(learner: Visitor) -> Locator:
    """Start the lesson's run, shortened; its panel."""
    panel = learner.page.locator("[class*='st-key-run-panel-']").first
    panel.get_by_text("Изменить рецепт").click()
    expect(panel.get_by_label("Обучающих примеров", exact=True)).to_have_value(str(EXAMPLES))
    field = panel.get_by_label("Шагов", exact=True)
    field.fill(str(STEPS))
    field.press("Enter")
    settle(learner.page)
    panel.get_by_role("button", name="Дообучить", exact=True).click()
    expect(panel).to_contain_text(re.compile("очеред|Готов|Загружа|Шаг"), timeout=BEGUN)
    return panel


def read_while_it_trains(learner: Visitor) -> None:
    """Three words on the same page; then the glossary of the lesson, from which the run is found again."""
    for word in ("Веса", "Потери", "Адаптер"):
        expect(learner.page.get_by_test_id("stMain").locator("li strong", has_text=word).first).to_be_visible()
    learner.open("/lesson?id=start&block=terms")
    assert {"Веса", "Потери", "Адаптер"} <= set(re.findall(r"[А-Я][а-я]+", learner.text))
    learner.open("/lesson?id=start&block=train")


def compare(learner: Visitor, panel: Locator) -> None:
    """Right answers before and after; then example by example on the run's page."""
    recipe = panel.get_by_label("Шагов", exact=True)
    if not panel.get_by_role("link", name="Страница запуска").count():  # the recipe of the lesson is shown again
        panel.get_by_text("Изменить рецепт").click()
        recipe.fill(str(STEPS))
        recipe.press("Enter")
    expect(panel).to_contain_text("Точных ответов после", timeout=OVER_BY)
    expect(panel).to_contain_text("Точных ответов до")
    address = str(panel.get_by_role("link", name="Страница запуска").get_attribute("href"))
    learner.open(f"/{address}")
    expect(learner.page.locator("[data-testid='stMain'] table", has_text="спросили").first).to_be_visible()
    expect(learner.page.get_by_test_id("stMain")).to_contain_text("переведи в JSON")


def test_the_opening_fits_a_phone(visit: Visit) -> None:
    learner = visit("/lesson?id=start&block=talk", viewport=PHONE)
    for block in ("talk", "train", "tree", "dtypes"):
        learner.open(f"/lesson?id=start&block={block}")
        assert learner.page.evaluate(OVER) <= 0, block


def question(name: str) -> dict[str, Any]:
    """A question as its author wrote it."""
    asked: list[dict[str, Any]] = tomllib.loads((LESSON / "quiz.toml").read_text(encoding="utf-8"))["question"]
    return next(one for one in asked if one["id"] == name)
