"""The course map: a first success, lessons with progress, one way on."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from progress import learning
from progress.database import Database
from progress.identity import LOCAL
from settings import Settings

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
    assert tab.button("begin").label == "Начать урок «LoRA: математика»"
    tab.button("begin").click().run()
    assert tab.query_params["id"] == "lora-math"
    assert tab.title[0].value == "LoRA: математика"


def test_a_learner_goes_on_where_they_stopped(visit: Visit, own_data: Settings) -> None:
    learning.visit(Database(own_data.database), LOCAL, "lora-math", "counting")
    tab = visit()
    assert "Угадайте число" not in words(tab)
    assert tab.button("begin").label == "Продолжить: Считаем параметры"
    assert "идёт" in words(tab)


def test_planned_lessons_are_named(visit: Visit) -> None:
    assert "Классификатор на PEFT" in words(visit())
