"""The course map: a first success, lessons with progress, one way on."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from progress import learning
from progress.database import Database
from progress.identity import LOCAL
from settings import ROOT, Settings, current
from ui import resources, session

Visit = Callable[..., AppTest]


def words(tab: AppTest) -> str:
    return "\n".join(element.value for element in (*tab.markdown, *tab.caption))


def test_a_newcomer_guesses_a_number_and_sees_it_computed(visit: Visit) -> None:
    tab = visit()
    assert "Угадайте число" in words(tab)
    tab.button("first-guess-0.05").click().run()
    assert [metric.value for metric in tab.metric] == [
        "3\u00a0407\u00a0872",
        "7\u00a0241\u00a0732\u00a0096",
        "0,047\u00a0%",
    ]
    assert "почти все сначала называют больше" in words(tab)
    tab.button("first-guess-again").click().run()
    tab.button("first-guess-0.0005").click().run()
    assert "Точно" in words(tab)


def test_the_button_leads_into_the_first_lesson(visit: Visit) -> None:
    tab = visit()
    first = session.course().lessons[0]
    assert tab.button("begin").label == f"Начать урок «{first.title}»"
    tab.button("begin").click().run()
    assert tab.query_params["id"] == first.id
    assert tab.title[0].value == first.title


def test_a_learner_goes_on_where_they_stopped(visit: Visit, own_data: Settings) -> None:
    learning.visit(Database(own_data.database), LOCAL, "lora-math", "counting")
    tab = visit()
    assert "Угадайте число" not in words(tab)
    assert tab.button("begin").label == "Продолжить: Считаем параметры"
    assert "идёт" in words(tab)


def test_planned_lessons_are_named(visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = tmp_path / "content"
    shutil.copytree(ROOT / "content", content)
    head = content / "course.toml"
    text = re.sub(
        r"planned = \[.*?\]", 'planned = ["99. Чтение мыслей"]', head.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    head.write_text(text, encoding="utf-8")
    monkeypatch.setenv("COURSE_CONTENT_DIR", str(content))
    current.cache_clear()
    assert "99. Чтение мыслей" in words(visit())


def test_an_edit_of_a_lesson_shows_on_reload(visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = tmp_path / "content"
    shutil.copytree(ROOT / "content", content)
    monkeypatch.setenv("COURSE_CONTENT_DIR", str(content))
    monkeypatch.setattr(resources, "FRESH_FOR", 0.0)
    current.cache_clear()
    tab = visit()
    assert "LoRA: математика" in words(tab)
    path = content / "02-lora" / "lesson.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("LoRA: математика", "LoRA: числа", 1), encoding="utf-8")
    assert "LoRA: числа" in words(tab.run())


def test_a_broken_lesson_is_left_out_and_its_fault_is_shown_to_the_author(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tmp_path / "content"
    shutil.copytree(ROOT / "content", content)
    path = content / "02-lora" / "lesson.toml"
    path.write_text("prereqs = []\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setenv("COURSE_CONTENT_DIR", str(content))
    current.cache_clear()
    tab = visit()
    assert not tab.exception
    assert "LoRA: математика" not in words(tab)
    assert "prereqs" in tab.code[0].value
