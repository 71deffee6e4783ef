"""What a learner sees when something is wrong: addresses, files, code, drafts, lessons, the database. Nothing is lost.

Leaves out processes that die (``test_kills``) and what the grader itself must withstand (``tests/graders``).
"""

from __future__ import annotations

import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Request, expect
from sqlalchemy import select

from benchmarks.browser import settle
from benchmarks.running import Running, running_course
from graders.submission import LARGEST
from progress import learning, pace
from progress.database import Database
from progress.identity import LOCAL
from progress.records import SubmissionRow
from settings import ROOT
from tests.browser.conftest import DESKTOP
from tests.browser.visitor import TRACEBACK, VERDICT_WITHIN, Visitor, source_of

pytestmark = pytest.mark.slow

Visit = Callable[..., Visitor]
EXERCISE = "lora-params"
LOCKED_WITHIN = 60_000
"""Milliseconds until a writer gives up: SQLite counts its naps at their nominal length, a busy machine naps longer."""
FOLDER = ROOT / "exercises" / EXERCISE
ADDRESS = f"/exercise?id={EXERCISE}"
ATTACK = "<img src=x onerror=document.title='взлом'> **жирно** [тут](http://a.example) www.b.example :red[красно] $x$"
SCRIPT = "<script>document.title='взлом'</script>"

FRAMES = """\
import os
import stat

for fd in range(3, 64):
    try:
        if stat.S_ISSOCK(os.fstat(fd).st_mode):
            os.write(fd, b'\\x00\\x00\\x00\\x0a[0,"ok",3]')
    except OSError:
        pass

def lora_params(config, rank, targets):
    return 0
"""
LIES = """\
class Right:
    __eq__ = __ge__ = __bool__ = lambda self, *other: True
    __hash__ = object.__hash__

def lora_params(config, rank, targets):
    return Right()
"""
BAD_CODE = {
    "untouched starter": (source_of(FOLDER, "starter.py"), "Решения ещё нет", "Это заготовка без изменений"),
    "syntax error": (
        "import math\n\ndef lora_params(config, rank, targets)\n    return 1\n",
        "Пока неверно",
        "в строке 3",
    ),
    "renamed function": (
        "def lora_param(config, rank, targets):\n    return 1\n",
        "Пока неверно",
        "Похожее имя у вас есть: lora_param",
    ),
    "wrong arity": ("def lora_params(config):\n    return 1\n", "Пока неверно", "Вызов не подошёл к параметрам"),
    "exception inside": (
        "def lora_params(config, rank, targets):\n    return rank / 0\n",
        "Пока неверно",
        "ZeroDivisionError в строке 2",
    ),
    "infinite loop": ("while True:\n    pass\n", "Не уложилось во время", "бесконечного цикла"),
    "os._exit(0)": ("import os\nos._exit(0)\n", "Программа оборвалась", "Уберите exit() и os._exit()"),
    "an answer equal to everything": (LIES, "Пока неверно", "объект Right"),
    "answers written to the judge's socket": (
        FRAMES,
        "Решение ответило не по правилам",
        "Оставьте в решении только функции",
    ),
    "100 MB of output": ("print('я' * 50_000_000)\n", "Программа оборвалась", "печатает слишком много"),
}
BAD_FILES = {
    "empty": ("solution.py", b"", "Файл пуст"),
    "spaces": ("solution.py", b" \n\t\r\n", "Файл пуст"),
    "5 MB": ("solution.py", b"x = 1\n" * 900_000, "Файл больше 256 КиБ"),
    "notebook without code": ("hw.ipynb", b'{"cells": [], "nbformat": 4}', "нет ни одной ячейки с кодом"),
    "notebook by another name": ("hw.py", b'{"cells": [], "nbformat": 4}', "нет ни одной ячейки с кодом"),
    "half a notebook": ("hw.ipynb", b'{"cells": [', "Тетрадка повреждена"),
    "5 MB notebook": ("hw.ipynb", b'{"cells": []}' + b" " * (5 << 20), "Тетрадка больше 4 МиБ"),
    "archive": ("hw.zip", b"PK\x03\x04" + bytes(100), "Это архив"),
    "archive by another name": ("solution.py", b"PK\x03\x04" + bytes(100), "Это архив"),
    "binary": ("solution.py", b"\x7fELF\x02\x01\x01\x00" + bytes(50), "Это исполняемый файл"),
    "unknown encoding": ("solution.py", bytes(range(128, 256)), "кодировка не UTF-8"),
}


@pytest.fixture(scope="module")
def desk(chromium: Browser, course: Running) -> Iterator[Visitor]:
    """A visitor who sits at one exercise for the whole module; each test writes its own code."""
    context = chromium.new_context(locale="ru-RU", viewport=DESKTOP)
    learner = Visitor(context.new_page(), course.url)
    learner.open(ADDRESS)
    learner.editor.wait_for()
    yield learner
    context.close()


@pytest.fixture(autouse=True)
def in_no_hurry(database: Database) -> None:
    """These tests send faster than anybody reads a verdict: what was sent before is moved out of the last minute."""
    with database.writing() as session:
        for row in session.scalars(select(SubmissionRow)):
            row.created -= pace.MINUTE


# Addresses


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/lesson?id=nobody", "Такого урока нет"),
        ("/lesson?id=lora-math&block=nowhere", "Такого блока в этом уроке нет"),
        ("/lesson?id=%00%3Cscript%3E", "Такого урока нет"),
        ("/exercise?id=nothing", "Такого упражнения нет"),
        ("/exercise?id=../../etc/passwd", "Такого упражнения нет"),
        ("/learner?id=nobody", "Такого учащегося нет"),
        ("/demo?name=nothing", "Такой демонстрации нет"),
        ("/demo?architecture=nothing&rank=-5", "Архитектура: нужно одно из значений"),
    ],
)
def test_an_unknown_address_gets_a_sentence_and_a_way_back(visit: Visit, address: str, sentence: str) -> None:
    learner = visit(address)
    main = learner.page.locator("[data-testid='stMain']")
    expect(main).to_contain_text(sentence)
    assert not TRACEBACK.search(learner.text)
    assert learner.complaints == []
    if not address.startswith("/demo?arch"):
        main.get_by_role("link", name="Вернуться к карте курса").click()
        expect(learner.page.get_by_role("heading", name="Донастройка")).to_be_visible()


def test_an_unknown_page_leads_to_the_map_in_russian(visit: Visit) -> None:
    learner = visit("/nowhere")
    dialog = learner.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Такой страницы нет")
    expect(dialog).to_contain_text("Открыта карта курса")
    assert "does not seem" not in dialog.inner_text()


# Files


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_cannot_be_taken_is_refused_and_the_text_stays(desk: Visitor, name: str) -> None:
    filename, content, sentence = BAD_FILES[name]
    mine = f"# мой текст до файла «{name}»\n"
    desk.write(mine)
    desk.saved()
    desk.upload(filename, content)
    expect(desk.bench).to_contain_text(sentence)
    assert desk.code == mine
    desk.reload()
    expect(desk.editor).to_contain_text(mine.strip())


@pytest.mark.parametrize("encoding", ["cp1251", "utf-8-sig", "utf-16"])
def test_a_file_of_another_editor_is_read(desk: Visitor, encoding: str) -> None:
    source = f"# Считаю по-русски — «{encoding}»\r\ndef lora_params(config, rank, targets):\r\n    return 0\r\n"
    desk.upload("решение.py", source.encode(encoding))
    expect(desk.editor).to_contain_text(f"Считаю по-русски — «{encoding}»")
    assert desk.code == source.replace("\r\n", "\n")
    desk.write(f"# правлю файл {encoding}\n")
    desk.saved()  # and is not taken for another tab's work


def test_a_notebook_becomes_code_that_keeps_its_cells(desk: Visitor) -> None:
    cells = [{"cell_type": "code", "source": source} for source in ("%matplotlib inline\nimport math", "x = math.pi")]
    desk.upload("дз.ipynb", json.dumps({"cells": cells, "nbformat": 4}).encode())
    expect(desk.editor).to_contain_text("# %% ячейка 2")
    assert desk.code == "# %% ячейка 1\n# убрано: %matplotlib inline\nimport math\n\n# %% ячейка 2\nx = math.pi\n"
    expect(desk.bench).to_contain_text("Строку «%matplotlib inline» мы убрали")


# Code


@pytest.mark.parametrize("name", BAD_CODE)
def test_bad_code_gets_a_clear_verdict(desk: Visitor, database: Database, name: str) -> None:
    source, title, sentence = BAD_CODE[name]
    verdict = submitted(desk, source)
    assert title in verdict
    assert sentence in desk.text
    assert not any(ours in desk.text for ours in ("site-packages", str(ROOT), "judge.py", "test_lora"))
    expect(desk.page.locator("[data-testid='stException']")).to_have_count(0)
    assert desk.code == source


def test_what_code_prints_and_raises_is_text_and_never_markup(desk: Visitor, visit: Visit) -> None:
    raising = (
        f"def lora_params(config, rank, targets):\n    print({ATTACK!r})\n    raise ValueError({(SCRIPT + ATTACK)!r})\n"
    )
    desk.write(raising)
    desk.saved()
    desk.run()
    expect(desk.bench).to_contain_text("ValueError", timeout=VERDICT_WITHIN)
    expect_inert(desk)
    submitted(desk, f"# отправка\n{raising}")
    expect_inert(desk)
    instructor = visit("/learner?id=local")
    instructor.page.locator("[data-testid='stExpander'] summary").nth(1).click()
    expect(instructor.bench).to_contain_text("ValueError")
    expect_inert(instructor)


def expect_inert(learner: Visitor) -> None:
    main = learner.page.locator("[data-testid='stMain']")
    expect(main).to_contain_text(ATTACK)
    expect(main).to_contain_text(SCRIPT)
    alive = "img[src='x'], a[href*='example'], strong:text-is('жирно'), span:text-is('красно')"
    expect(main.locator(alive)).to_have_count(0)
    expect(main.locator("script", has_text="взлом")).to_have_count(0)
    expect(main.locator(".katex", has_text="x")).to_have_count(0)
    assert "взлом" not in learner.page.title()


def submitted(learner: Visitor, source: str) -> str:
    """The headline of the verdict on ``source``: waits until the attempt stands in the history."""
    attempts = learner.page.locator("[data-testid='stExpander']", has_text="·")
    before = attempts.count()
    learner.write(source)
    learner.saved()
    learner.submit()
    expect(attempts).to_have_count(before + 1, timeout=VERDICT_WITHIN)
    settle(learner.page)
    # The history may have it a moment before the page asks again how the submission stands.
    return learner.bench.locator("[data-testid='stAlert']:visible").first.inner_text()


# Drafts


def test_drafts_are_taken_from_this_page_only_and_a_refusal_loses_nothing(
    desk: Visitor, course: Running, database: Database
) -> None:
    stored = "# то, что хранится\n"
    token = token_of(desk, stored)
    revision = revision_of(database)
    send = Sender(course.url, token)
    body = {"exercise": EXERCISE, "source": "# чужое", "revision": revision}
    assert Sender(course.url, "чужой".encode().hex()).post(body)[0] == 403
    assert Sender(course.url, "").post(body)[0] == 403
    assert send.post(body | {"source": "я" * LARGEST})[0] == 413
    assert send.post(body | {"source": "x" * (5 * LARGEST)})[0] == 413
    assert send.post(body | {"exercise": "nothing"})[0] == 404
    for broken in (b"", b"not json", b"[]", b"{}", b'"text"', b"\xff\xfe", b"[" * 100_000):
        assert send.raw(broken)[0] == 400, broken[:20]
    assert send.post(body | {"revision": "later"})[0] == 400
    assert send.raw(json.dumps(body | {"revision": 0}).replace(": 0}", ": 1e999}").encode())[0] == 400
    status, answer = send.post(body | {"revision": 1})
    assert (status, answer) == (409, {"revision": revision, "source": stored})
    kept = learning.draft(database, LOCAL, EXERCISE)
    assert kept is not None
    assert (kept.source, kept.revision) == (stored, revision)


def test_every_refusal_is_a_russian_sentence(desk: Visitor, course: Running) -> None:
    send = Sender(course.url, token_of(desk, "# ещё один текст\n"))
    refusals = [
        send.raw(b"{"),
        send.post({"exercise": "x", "source": "", "revision": 0}),
        Sender(course.url, "x").raw(b""),
    ]
    for status, answer in refusals:
        assert status >= 400
        assert answer["message"].endswith("."), answer
        assert any("а" <= letter <= "я" for letter in answer["message"])


def test_half_a_character_does_not_spoil_the_page_for_good(desk: Visitor, course: Running, database: Database) -> None:
    send = Sender(course.url, token_of(desk, "# перед половинкой\n"))
    body = {"exercise": EXERCISE, "source": "# \ud83d и целый \U0001f600\n", "revision": revision_of(database)}
    assert send.post(body)[0] == 200
    assert source_stored(database) == "# \ufffd и целый \U0001f600\n"
    desk.reload()
    expect(desk.editor).to_contain_text("и целый \U0001f600")


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_two_tabs_do_not_overwrite_each_other(visit: Visit, database: Database, keep: str) -> None:
    first, second = visit(ADDRESS), visit(ADDRESS)
    first.editor.wait_for()
    second.editor.wait_for()
    first.write(f"# первая вкладка, {keep}\n")
    first.saved()
    second.write(f"# вторая вкладка, {keep}\n")
    expect(second.state()).to_contain_text("В другой вкладке есть более новый черновик")
    assert "# вторая" in second.code, "what is on the screen stays there"
    second.run()
    expect(second.state()).to_contain_text("Сначала выберите, какой черновик оставить")
    assert source_stored(database) == f"# первая вкладка, {keep}\n"
    second.page.locator(f"[data-part={keep}]").click()
    expect(second.page.locator("[data-part=conflict]")).to_be_hidden()
    wanted = f"# {'вторая' if keep == 'mine' else 'первая'} вкладка, {keep}\n"
    expect(second.editor).to_contain_text(wanted.strip())
    eventually(lambda: source_stored(database) == wanted, second)


# The author's and the operator's side


def test_a_broken_lesson_does_not_take_the_course_with_it(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tmp_path / "content"
    copytree(ROOT / "content", content)
    broken = content / "03-broken"
    broken.mkdir()
    (broken / "lesson.toml").write_text('id = "broken"\ntitle = "Сломанный\n', encoding="utf-8")
    (broken / "lesson.md").write_text("## Начало {#start core 3}\n\n::: nonsense\n", encoding="utf-8")
    monkeypatch.setenv("COURSE_CONTENT_DIR", str(content))
    with running_course() as running:
        context = chromium.new_context(locale="ru-RU", viewport=DESKTOP)
        author = Visitor(context.new_page(), running.url)
        author.open("/")
        expect(author.key("lesson-lora-math")).to_be_visible()
        report = author.page.locator("[data-testid='stExpander']", has_text="В материалах курса")
        report.locator("summary").click()
        expect(report).to_contain_text("03-broken/lesson.toml:2")
        author.press("begin")
        expect(author.title).to_be_visible()
        (broken / "lesson.toml").unlink()
        (broken / "lesson.md").unlink()
        broken.rmdir()
        author.page.wait_for_timeout(1200)
        author.open("/")
        expect(author.key("lesson-lora-math")).to_be_visible()
        expect(report).to_have_count(0)
        context.close()


def test_a_locked_database_is_a_sentence_and_the_text_is_stored_later(
    visit: Visit, course: Running, database: Database
) -> None:
    learner = visit(ADDRESS)
    learner.editor.wait_for()
    learner.write("# до замка\n")
    learner.saved()
    before = TRACEBACK.findall(learner.text)  # of the learner's own code, from an earlier attempt
    with locked(course):
        learner.write("# написано, пока база занята\n")
        expect(learner.state()).to_contain_text("База данных занята", timeout=LOCKED_WITHIN)
        learner.submit()
        expect(learner.bench).to_contain_text("База данных занята", timeout=LOCKED_WITHIN)
        expect(learner.bench).to_contain_text("Текст в редакторе цел")
        assert TRACEBACK.findall(learner.text) == before
        assert learner.code == "# написано, пока база занята\n"
        assert source_stored(database) == "# до замка\n"
    learner.saved()
    assert source_stored(database) == "# написано, пока база занята\n"


def test_a_lesson_is_read_while_the_database_is_locked_and_an_answer_is_not_lost(visit: Visit, course: Running) -> None:
    with locked(course):
        learner = visit("/lesson?id=lora-math&block=start")
        question = learner.key("question-first-guess")
        question.get_by_text("В 128 раз", exact=True).click()
        learner.answer("first-guess", "уверен")
        expect(question).to_contain_text("База данных занята", timeout=LOCKED_WITHIN)
        expect(learner.page.locator("[data-testid='stException']")).to_have_count(0)
        assert not TRACEBACK.search(learner.text)
    learner.answer("first-guess", "уверен")
    expect(learner.key("right-first-guess")).to_contain_text("Ваш ответ: «уверен»")
    learner.reload()
    expect(learner.key("right-first-guess")).to_be_visible()


def test_a_tick_that_could_not_be_stored_is_taken_back_and_said(visit: Visit, course: Running) -> None:
    learner = visit("/lesson?id=lora-math&block=checklist")
    item = learner.page.locator("[class*='st-key-item-']").first
    box = item.locator("input[type=checkbox]")
    with locked(course):
        item.locator("label").click()
        expect(item).to_contain_text("База данных занята", timeout=LOCKED_WITHIN)
        expect(box).not_to_be_checked()
    item.locator("label").click()
    expect(item).to_contain_text("отмечено")
    expect(item).not_to_contain_text("База данных занята")
    learner.reload()
    expect(box).to_be_checked()


def test_a_guess_that_could_not_be_stored_is_told_where_the_reader_looks(visit: Visit, course: Running) -> None:
    learner = visit("/lesson?id=lora-math&block=myths")
    guess = learner.page.locator("[class*='st-key-guess-'] button").last
    with locked(course):
        guess.click()
        expect(learner.page.get_by_test_id("stToast")).to_contain_text("База данных занята", timeout=LOCKED_WITHIN)
        expect(learner.page.get_by_test_id("stToast")).to_be_in_viewport()
    expect(guess).to_be_visible()


def test_only_this_machine_can_reach_the_course(course: Running) -> None:
    heard = {
        (connection.laddr.ip, connection.laddr.port)
        for process in course.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert heard == {("127.0.0.1", course.port)}


class Sender:
    """Posts drafts past the browser, with a token of its own."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = f"{url}/api/draft", token

    def post(self, body: dict[str, Any]) -> tuple[int, Any]:
        return self.raw(json.dumps(body).encode())

    def raw(self, body: bytes) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json", "X-Course-Token": self._token}
        request = urllib.request.Request(self._url, body, headers, method="POST")  # noqa: S310 - our own address
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)


def token_of(learner: Visitor, source: str) -> str:
    """The token with which this visitor's editor stores ``source``."""
    with learner.page.expect_request("**/api/draft") as sent:
        learner.write(source)
    learner.saved()
    request: Request = sent.value
    return str(request.headers["x-course-token"])


def revision_of(database: Database) -> int:
    draft = learning.draft(database, LOCAL, EXERCISE)
    assert draft is not None
    return draft.revision


def source_stored(database: Database) -> str:
    draft = learning.draft(database, LOCAL, EXERCISE)
    return draft.source if draft else ""


def eventually(holds: Callable[[], bool], learner: Visitor, *, within: float = 20.0) -> None:
    """Wait until it holds, letting the browser go on."""
    for _ in range(round(within * 10)):
        if holds():
            return
        learner.page.wait_for_timeout(100)
    assert holds()


@contextmanager
def locked(course: Running) -> Iterator[None]:
    """Another program holds the write lock of the course's database."""
    connection = sqlite3.connect(course.data_dir / "course.sqlite", isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()
