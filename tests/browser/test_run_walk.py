"""The walk of a learner who fine-tunes, with the real worker: start in the lesson, watch, close, reopen, compare, keep.

Few steps: what is proven is the way, not the quality. Leaves out what a run learns (tests of ``demos.finetuning``).
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from benchmarks.browser import settle
from benchmarks.running import Running, running_course
from progress import runs
from progress.database import Database
from progress.identity import LOCAL
from tests.browser.conftest import PHONE
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.slow

Visit = Callable[..., Visitor]
LIVE = "/lesson?id=lora-math&block=live"
STEPS = 8
BEGUN, OVER = 60_000, 300_000
"""Milliseconds until a run says something, and until it is over: far more than it takes, for a busy machine."""


@pytest.fixture(scope="module")
def course() -> Iterator[Running]:
    """A course whose runs take one thread: two that other tests push aside wait for each other at every operation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        with running_course() as running:
            yield running


def test_a_learner_fine_tunes_compares_and_keeps_the_adapter(visit: Visit, database: Database) -> None:
    address = start_in_the_lesson_and_watch(visit(LIVE))
    learner = visit(address)
    see_what_changed(learner)
    start_by_hand(learner, "Полное дообучение", method="full", learning_rate="0,001")
    start_by_hand(learner, "LoRA, r = 16", method="lora")
    compare(learner)
    packed = download(learner, address)
    take_it_off_and_load_it_again(learner, packed)
    carry_it_through_the_lessons(learner)
    assert learner.complaints == []
    titles = sorted(run.outcome or run.state for run in runs.mine(database, LOCAL))
    assert titles == ["finished"] * 3


def start_in_the_lesson_and_watch(learner: Visitor) -> str:
    """Start QLoRA, see it go, close the tab; the address of the run."""
    panel = learner.page.locator("[class*='st-key-run-panel-']").first
    panel.get_by_text("Изменить рецепт").click()
    field = panel.get_by_label("Шагов", exact=True)
    field.fill(str(STEPS))
    field.press("Enter")
    settle(learner.page)
    expect(panel).to_contain_text(f"{STEPS}\u00a0шагов")
    panel.get_by_role("button", name="Дообучить", exact=True).click()
    expect(panel).to_contain_text(re.compile("очеред|Готов|Загружа|Шаг"), timeout=BEGUN)
    link = panel.get_by_role("link", name="Страница запуска")
    expect(link).to_be_visible(timeout=BEGUN)
    address = str(link.get_attribute("href"))
    assert re.fullmatch(r"run\?id=\d+", address), address
    learner.page.goto("about:blank")  # the tab is gone for the course; the fixture still wants its picture
    return f"/{address}"


def see_what_changed(learner: Visitor) -> None:
    """The run went on without the tab; its page fills itself when it is over."""
    expect(learner.page.get_by_role("heading", name="Что изменилось")).to_be_visible(timeout=OVER)
    main = learner.page.locator("[data-testid='stMain']")
    expect(main).to_contain_text("Точных ответов после")
    expect(main).to_contain_text("совпадают бит в бит")
    expect(main).to_contain_text("тот же рецепт на Mistral-7B")
    expect(learner.page.locator(".js-plotly-plot").first).to_be_visible()


def start_by_hand(learner: Visitor, title: str, **fields: str) -> None:
    """The same base, data and seed with another method, from the form that an address has filled in; fewer questions
    before and after, for they take most of the time."""
    recipe = {"quantization": "none", "steps": str(STEPS), "held_out": "20", **fields}
    learner.open(f"/new_run?{urlencode(recipe)}")
    learner.page.get_by_role("button", name="Дообучить", exact=True).click()
    expect(learner.page.locator("h1")).to_have_text(title, timeout=BEGUN)
    expect(learner.page.get_by_role("heading", name="Что изменилось")).to_be_visible(timeout=OVER)
    settle(learner.page)


def compare(learner: Visitor) -> None:
    """Three methods on one chart, told apart by colour, in words too."""
    learner.open("/runs")
    chart = learner.key("overlay-chart")
    expect(chart).to_be_visible()
    for name in ("QLoRA, r = 16", "Полное дообучение", "LoRA, r = 16"):
        expect(chart.locator(".legendtext", has_text=name).first).to_be_visible()
    strokes = chart.locator(".scatterlayer .js-line").evaluate_all("lines => lines.map(line => line.style.stroke)")
    assert len(set(strokes)) == 3
    expect(learner.key("compare-chart")).to_be_visible()


def download(learner: Visitor, address: str) -> bytes:
    learner.open(address)
    with learner.page.expect_download() as waiting:
        learner.key("download-adapter").locator("button").click()
    packed = Path(waiting.value.path()).read_bytes()
    with zipfile.ZipFile(io.BytesIO(packed)) as files:
        weights = next(name for name in files.namelist() if name.endswith("adapter_model.safetensors"))
        config = json.loads(files.read(weights.replace("adapter_model.safetensors", "adapter_config.json")))
    assert config["r"] == 16
    return packed


def take_it_off_and_load_it_again(learner: Visitor, packed: bytes) -> None:
    """The downloaded file is loaded again, and asked beside the base without it."""
    learner.open("/adapters")
    learner.page.get_by_text("Загрузить свой файл").click()
    learner.page.locator("[data-testid='stFileUploader'] input[type=file]").set_input_files(
        {"name": "adapter.zip", "mimeType": "application/zip", "buffer": packed}
    )
    expect(learner.page.get_by_text("Файл: adapter.zip — LoRA")).to_be_visible(timeout=BEGUN)
    learner.press("adapters-ask")
    expect(learner.page.locator("[data-testid='stMain'] table", has_text="База без адаптера")).to_be_visible(
        timeout=BEGUN
    )


def carry_it_through_the_lessons(learner: Visitor) -> None:
    """One's own adapter goes along by links: opened, shrunk, and what was shrunk is merged and met by the router."""
    learner.open("/lesson?id=methods&block=own")
    main = learner.page.locator("[data-testid='stMain']")
    box = main.get_by_role("combobox", name="Ваш адаптер")
    expect(box).to_have_value(re.compile("LoRA, r = 16"), timeout=BEGUN)  # the newest run's
    expect(main).to_contain_text("Для 90 % хватает", timeout=BEGUN)
    follow(learner, "Дальше — урок 6")
    learner.press("adapters-shrink")
    expect(main.locator("table", has_text="как было")).to_be_visible(timeout=BEGUN)
    learner.press("shrink-go-on")
    expect(box).to_have_value(re.compile("Сжатый до r = 8"), timeout=BEGUN)
    follow(learner, "Дальше — урок 7")
    expect(box).to_have_value(re.compile("Сжатый до r = 8"), timeout=BEGUN)
    learner.press("adapters-compare")
    expect(main.locator("table", has_text="В деквантованную базу")).to_be_visible(timeout=BEGUN)
    follow(learner, "Дальше — урок Л2")
    learner.press("adapters-ask")
    expect(main.locator("table", has_text="База без адаптера")).to_be_visible(timeout=BEGUN)
    expect(main).to_contain_text("Маршрутизатор", timeout=BEGUN)


def follow(learner: Visitor, title: str) -> None:
    learner.page.get_by_test_id("stPageLink").filter(has_text=title).get_by_role("link").click()
    settle(learner.page)


def test_runs_pages_fit_a_phone(visit: Visit) -> None:
    learner = visit("/runs", viewport=PHONE)
    for address in ("/runs", "/new_run", "/run?id=1", LIVE):
        learner.open(address)
        over = learner.page.locator("[data-testid='stMain']").evaluate("main => main.scrollWidth - main.clientWidth")
        assert over <= 0, address
