"""The instructor's pages: an empty course, the invented class, one learner's work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

import settings
from progress import roster, sample
from progress.database import Database
from progress.identity import LOCAL

Visit = Callable[..., AppTest]


def words(tab: AppTest) -> str:
    elements = (*tab.markdown, *tab.caption, *tab.info, *tab.success, *tab.subheader, *tab.title)
    return "\n".join(str(element.value) for element in elements)


@pytest.fixture
def with_class(visit: Visit) -> AppTest:
    tab = visit("instructor")
    add = next(button for button in tab.button if button.label == "Добавить пример")
    return add.click().run()


def test_an_empty_course_says_what_will_appear_here(visit: Visit) -> None:
    tab = visit("instructor")
    assert not tab.exception
    assert "Пока никто не занимался" in words(tab)


def test_the_invented_class_fills_every_part_and_leaves_on_request(
    with_class: AppTest, own_data: settings.Settings
) -> None:
    shown = words(with_class)
    assert not with_class.exception
    for part in ("Кому нужна помощь", "Чек-лист урока", "Упражнения", "Заблуждения группы", "(пример)"):
        assert part.replace("(", "\\(").replace(")", "\\)") in shown or part in shown
    assert len(roster.load(Database(own_data.database), LOCAL)) > 20
    remove = next(button for button in with_class.button if button.label == "Убрать пример")
    remove.click().run()
    assert not sample.present(Database(own_data.database))
    assert "Пока никто не занимался" in words(with_class)


def test_those_who_are_stuck_are_named_with_the_reason(with_class: AppTest) -> None:
    shown = words(with_class)
    assert "подряд" in shown
    assert "Ничего нового уже" in shown


def test_tables_can_be_downloaded(with_class: AppTest) -> None:
    labels = {element.proto.label for element in with_class.get("download_button")}
    assert {"Скачать чек-лист (CSV)", "Скачать результаты (CSV)", "Скачать заблуждения (CSV)"} <= labels


def test_one_learners_answers_and_code_are_shown(with_class: AppTest, visit: Visit) -> None:
    tab = visit("learner", id="sample-05")
    assert not tab.exception
    assert any("Ответы на вопросы" in expander.label for expander in tab.expander)
    assert any("попытка 1" in expander.label for expander in tab.expander)
    assert any("def " in code.value for code in tab.code)


def test_an_unknown_learner_gets_one_sentence_and_a_way_back(visit: Visit) -> None:
    tab = visit("learner", id="nobody")
    assert not tab.exception
    assert "Такого учащегося нет" in words(tab)
