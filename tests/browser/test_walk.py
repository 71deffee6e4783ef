"""The whole path of one learner in a real browser: open, read, tick, answer, compute, submit, be seen. On a phone too.

Leaves out what goes wrong (``test_bad_input``, ``test_kills``).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from benchmarks.browser import settle
from common import numbers
from demos import registry
from demos.lora.parameters import Result
from settings import ROOT
from tests.browser.conftest import PHONE
from tests.browser.visitor import VERDICT_WITHIN, Visitor, source_of

pytestmark = pytest.mark.slow

Visit = Callable[..., Visitor]
LESSON, EXERCISE = "lora-math", "lora-linear"
FOLDER = ROOT / "exercises" / EXERCISE
CONTENT = ROOT / "content" / "02-lora"
STILL = 50
"""Pixels that the page may move under the reader's eyes."""


def test_the_whole_path(visit: Visit) -> None:
    learner = visit("/")
    begin_and_read(learner)
    answer_wrong_then_right(learner)
    guess_a_myth(learner)
    tick_and_reload(learner)
    compute(learner)
    submit_a_mistake(learner)
    submit_the_solution(learner)
    look_at_the_history(learner)
    look_at_ones_progress(learner)
    look_as_an_instructor(learner)
    assert learner.complaints == []


def begin_and_read(learner: Visitor) -> None:
    learner.press("begin")
    expect(learner.page).to_have_url(re.compile(r"/lesson\?id=start&block=\w"))
    learner.open(f"/lesson?id={LESSON}")
    learner.key("outline").locator("a").first.click()
    settle(learner.page)
    blocks = re.findall(r"^## (.+?) \{#", (CONTENT / "lesson.md").read_text(encoding="utf-8"), re.MULTILINE)
    expect(learner.title).to_have_text(blocks[0])
    learner.page.locator("[data-testid='stMain']").evaluate("main => main.scrollTo(0, main.scrollHeight)")
    assert learner.scrolled > STILL
    learner.press("onward-button")
    expect(learner.title).to_have_text(blocks[1])
    assert learner.scrolled == 0, "a new block starts at its top"
    learner.press("back")
    expect(learner.title).to_have_text(blocks[0])


def answer_wrong_then_right(learner: Visitor) -> None:
    question = asked("first-guess")
    right = next(option for option in question["options"] if option.get("right"))
    wrong = next(option for option in question["options"] if not option.get("right"))
    here = learner.key("question-first-guess")
    answer(learner, here, wrong["text"], "уверен")
    expect(learner.key("wrong-first-guess")).to_contain_text("Вы были уверены")
    expect(here).to_contain_text(wrong["why"])
    expect(here).to_contain_text(question["explanation"])
    learner.press("again-first-guess")
    answer(learner, here, right["text"], "думаю")
    expect(learner.key("right-first-guess")).to_contain_text("Верно.")
    expect(here).to_contain_text(question["explanation"])


def answer(learner: Visitor, question: Locator, text: str, confidence: str) -> None:
    """Choose, say how sure, and see the answer in place: the page stays where it was."""
    question.get_by_text(text, exact=True).click()
    button = learner.key("confidence-first-guess").get_by_text(confidence, exact=True)
    button.scroll_into_view_if_needed()
    before, top = learner.scrolled, top_of(question)
    button.click()
    expect(question.get_by_role("button", name="Ответить ещё раз")).to_be_visible()
    settle(learner.page)
    assert abs(learner.scrolled - before) <= STILL
    assert abs(top_of(question) - top) <= STILL
    expect(learner.page.locator(".st-key-right-first-guess, .st-key-wrong-first-guess")).to_be_in_viewport()


def guess_a_myth(learner: Visitor) -> None:
    myth = written()["myths"][0]
    outline(learner, "Мифы")
    card = learner.key(f"myth-{myth['id']}")
    expect(card).to_contain_text(myth["question"])
    expect(card).not_to_contain_text("Ваша догадка")
    learner.press(f"guess-{myth['id']}-0")
    expect(card).to_contain_text(f"Ваша догадка: «{myth['guesses'][0]['text']}»")
    expect(card.locator("[data-testid='stMetricValue']")).to_have_text(re.compile(r"\d"))


def tick_and_reload(learner: Visitor) -> None:
    item = written()["checklist"][0]
    outline(learner, "Что теперь умеете")
    box = learner.key(f"tick-{item['id']}").locator("input")
    expect(box).not_to_be_checked()
    learner.key(f"tick-{item['id']}").get_by_text(item["text"]).click()
    expect(learner.key(f"item-{item['id']}")).to_contain_text("отмечено")
    learner.reload()
    expect(box).to_be_checked()
    expect(learner.key(f"item-{item['id']}")).to_contain_text("отмечено")
    learner.open(f"/lesson?id={LESSON}&block=start")
    expect(learner.key("right-first-guess")).to_be_visible()


def compute(learner: Visitor) -> None:
    outline(learner, "Считаем параметры")
    demo = learner.page.locator("[class*='st-key-demo-']")
    expect_numbers(demo, rank=8, targets=("q_proj", "v_proj"))
    rank = demo.get_by_label("Ранг r", exact=True)
    rank.fill("24")
    rank.press("Enter")
    expect_numbers(demo, rank=24, targets=("q_proj", "v_proj"))
    demo.get_by_role("button", name="k_proj", exact=True).click()
    expect_numbers(demo, rank=24, targets=("q_proj", "k_proj", "v_proj"))
    demo.get_by_role("button", name="все линейные слои").click()
    expect_numbers(demo, rank=24, targets=("all-linear",))
    chart = demo.locator(".js-plotly-plot")
    expect(chart).to_be_visible()


def expect_numbers(demo: Locator, *, rank: int, targets: tuple[str, ...]) -> None:
    """What is on the screen is what the demo computes, digit for digit."""
    arguments = {"architecture": "mistral-7b", "rank": rank, "alpha": 16, "targets": targets}
    result: Result = registry.call("lora.count", arguments)
    wanted = [numbers.integer(result.trainable), numbers.percent(result.share, 3)]
    wanted += [numbers.size(result.adapter_bytes), numbers.size(result.optimizer_bytes)]
    expect(demo.locator("[data-testid='stMetricValue']")).to_have_text(wanted)
    expect(demo.locator("code", has_text="LoraConfig(")).to_contain_text(f"r={rank},")


def submit_a_mistake(learner: Visitor) -> None:
    outline(learner, "Практика")
    learner.key(f"task-{EXERCISE}").get_by_role("link").click()
    learner.editor.wait_for()
    assert learner.code == source_of(FOLDER, "starter.py")
    mistake = source_of(FOLDER, "mistakes/scale_forgotten.py")
    learner.write(mistake)
    learner.saved()
    learner.run()
    expect(learner.bench).to_contain_text("Код выполнился", timeout=VERDICT_WITHIN)
    expect(learner.bench).to_contain_text("Попытка не засчитана")
    expect(learner.bench.locator("code", has_text="'ответ':")).to_contain_text("[")
    learner.submit()
    expect(learner.bench).to_contain_text("Верно частично", timeout=VERDICT_WITHIN)
    expect(learner.bench).to_contain_text("Поправка BAx входит в ответ с множителем α/r")
    expect(learner.bench).to_contain_text(mistake.splitlines()[0].strip('"'))
    expect(learner.bench).to_contain_text("Подсказка: Множитель считается один раз")
    assert learner.code == mistake


def submit_the_solution(learner: Visitor) -> None:
    learner.write(source_of(FOLDER, "solution.py"))
    learner.page.keyboard.press("Control+Enter")
    expect(learner.bench).to_contain_text("[29.0, 46.0]", timeout=VERDICT_WITHIN)
    learner.submit()
    expect(learner.bench).to_contain_text("Верно. ", timeout=VERDICT_WITHIN)
    expect(learner.bench).to_contain_text("16 из 16 баллов")
    expect(learner.page.get_by_text("Лучший результат: 16 из 16 баллов · 2 попытки")).to_be_visible()


def look_at_the_history(learner: Visitor) -> None:
    attempts = learner.page.locator("[data-testid='stExpander']", has_text="Попытка")
    expect(attempts).to_have_count(2)
    for attempt, name in zip(attempts.all(), ("solution.py", "mistakes/scale_forgotten.py"), strict=True):
        attempt.locator("summary").click()
        code = attempt.locator("[data-testid='stCode'] code").first
        expect(code).to_have_text(re.compile(r"class LoRALinear"))
        assert code.inner_text().strip() == source_of(FOLDER, name).strip()
    expect(attempts.nth(0)).to_contain_text("16 из 16 баллов")


def look_at_ones_progress(learner: Visitor) -> None:
    menu(learner, "Мой прогресс")
    expect(learner.key(f"exercise-{EXERCISE}")).to_contain_text("16 из 16 баллов")
    expect(learner.key(f"exercise-{EXERCISE}")).to_contain_text("2 попытки")
    expect(learner.page.locator("[data-testid='stMain']")).to_contain_text("Отвечено 1 из")
    expect(learner.key(f"items-{LESSON}")).to_contain_text(re.compile("отмечено|доказано"))


def look_as_an_instructor(learner: Visitor) -> None:
    menu(learner, "Преподаватель")
    expect(learner.page.locator(".js-plotly-plot")).to_be_visible()
    row = learner.page.locator("table tr", has=learner.page.get_by_role("link", name="Вы"))
    expect(row).to_contain_text("✓ 16 из 16 баллов, 2 попытки")
    drilled = follow(learner.page, row.get_by_role("link", name="Вы"))
    expect(drilled.get_by_role("heading", name="Вы", exact=True)).to_be_visible()
    drilled.get_by_text("Ответы на вопросы: 2, из них уверенных ошибок: 1").click()
    expect(drilled.get_by_text(asked("first-guess")["text"]).first).to_be_visible()
    first = drilled.locator("[data-testid='stExpander']", has_text="попытка 1")
    first.locator("summary").click()
    expect(first.locator("code").first).to_have_text(re.compile("class LoRALinear"))
    expect(first).to_contain_text("Верно частично")


@pytest.mark.parametrize(
    "address",
    ["/", "/lesson", "/exercise", "/progress", "/instructor", "/demo", "/review", "/glossary", "/clinic", "/choose"],
)
def test_every_page_opens_in_the_dark_without_a_complaint(visit: Visit, address: str) -> None:
    learner = visit(address, color_scheme="dark")
    learner.page.wait_for_timeout(500)
    background = learner.page.locator("[data-testid='stApp']").evaluate("app => getComputedStyle(app).backgroundColor")
    assert max(map(int, re.findall(r"\d+", background)[:3])) < 64, background
    assert learner.complaints == []
    # A lesson may speak of errors, so their names alone say nothing.
    expect(learner.page.get_by_test_id("stException")).to_have_count(0)
    assert "Traceback" not in learner.text


def test_nothing_is_wider_than_a_phone(visit: Visit) -> None:
    learner = visit("/", viewport=PHONE)
    blocks = re.findall(r"\{#(\S+)", (CONTENT / "lesson.md").read_text(encoding="utf-8"))
    addresses = ["/", *(f"/lesson?id={LESSON}&block={block}" for block in blocks)]
    addresses += [f"/exercise?id={EXERCISE}", "/exercise", "/progress", "/instructor", "/learner?id=local", "/claims"]
    addresses += ["/demo", "/review", "/glossary", "/clinic", "/choose", f"/sheet?id={LESSON}"]
    assert len(addresses) > 15
    too_wide = {}
    for address in addresses:
        learner.open(address)
        over = learner.page.evaluate(
            "() => Math.max(...[document.documentElement, document.querySelector('[data-testid=stMain]')]"
            ".map(each => each.scrollWidth - each.clientWidth))"
        )
        if over > 0:
            too_wide[address] = over
    assert too_wide == {}


def test_a_phone_reaches_every_page(visit: Visit) -> None:
    learner = visit(f"/lesson?id={LESSON}&block=start", viewport=PHONE)
    learner.page.get_by_role("button", name="Открыть боковую панель").click()
    sidebar = learner.page.locator("[data-testid='stSidebar']")
    for name in ("Карта курса", "Урок", "Демонстрации", "Мой прогресс", "Преподаватель"):
        expect(sidebar.get_by_test_id("stSidebarNavLink").filter(has_text=name)).to_be_visible()
    expect(sidebar.get_by_role("link", name=re.compile("Считаем параметры"))).to_have_count(1)
    sidebar.get_by_role("link", name="Мой прогресс").click()
    settle(learner.page)
    expect(learner.page.get_by_role("heading", name="Мой прогресс")).to_be_visible()


def written() -> dict[str, Any]:
    """The lesson as its author wrote it."""
    return tomllib.loads((CONTENT / "lesson.toml").read_text(encoding="utf-8"))


def asked(name: str) -> dict[str, Any]:
    """A question as its author wrote it."""
    questions = tomllib.loads((CONTENT / "quiz.toml").read_text(encoding="utf-8"))["question"]
    found: dict[str, Any] = next(question for question in questions if question["id"] == name)
    return found


def outline(learner: Visitor, title: str) -> None:
    """Follow the outline beside the lesson."""
    learner.key("outline").get_by_role("link", name=re.compile(f"^{title}")).click()
    settle(learner.page)
    expect(learner.title).to_contain_text(title)


def menu(learner: Visitor, name: str) -> None:
    """Follow the menu at the top."""
    learner.page.locator("[data-testid='stTopNavLink']", has_text=name).click()
    settle(learner.page)


def top_of(element: Locator) -> float:
    """Where an element begins on the screen, in pixels."""
    box = element.bounding_box()
    assert box is not None
    return box["y"]


def follow(page: Page, link: Locator) -> Page:
    """The page that a link leads to, in this tab or in one of its own."""
    pages = page.context.pages
    link.click()
    page.wait_for_timeout(500)
    reached = next((each for each in page.context.pages if each not in pages), page)
    settle(reached)
    return reached
