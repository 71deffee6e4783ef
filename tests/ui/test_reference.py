"""Pages to look things up and to repeat: the glossary, the clinic, the review of what was forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from lessons import glossary
from progress import learning, people
from progress.learning import AnswerIn
from ui import session

Visit = Callable[..., AppTest]
LESSON = "lora-math"


def texts(tab: AppTest) -> str:
    return " ".join(each.value for each in (*tab.markdown, *tab.caption))


def labels(tab: AppTest) -> list[str]:
    return [expander.label for expander in tab.expander]


def button(tab: AppTest, label: str) -> AppTest:
    return next(each for each in tab.button if each.label == label).click().run()


def test_the_glossary_shows_every_term_and_finds_one_by_another_form(visit: Visit) -> None:
    tab = visit("glossary")
    assert not tab.exception
    for term in ("Ранг матрицы", "Адаптер"):
        assert f"**{term}**" in texts(tab)
    tab.text_input[0].set_value("адаптером").run()
    assert "**Адаптер**" in texts(tab)
    assert "**Ранг матрицы**" not in texts(tab)
    tab.text_input[0].set_value("xyzzy").run()
    assert "Такого термина нет" in texts(tab)


def test_a_term_leads_to_its_neighbours_and_back(visit: Visit) -> None:
    tab = visit("glossary", find="NF4")
    near = next(each for each in tab.button if each.label == "FP4")
    near.click().run()
    assert tab.text_input[0].value == "FP4"
    assert "**FP4**" in texts(tab)
    assert any(each.label == "NF4" for each in tab.button)  # FP4 itself names no neighbour: it is one both ways


def test_a_term_of_two_lessons_is_one_entry_with_both_meanings(visit: Visit) -> None:
    both = [each for each in glossary.entries(session.course()) if len(each.meanings) > 1]
    assert both
    tab = visit("glossary", find=both[0].name)
    assert texts(tab).count(f"**{both[0].name}**") == 1
    links = [link.proto.label for link in tab.get("page_link")]
    assert all(any(one.lesson.title in label for label in links) for one in both[0].meanings)


def test_every_term_has_a_neighbour() -> None:
    entries = glossary.entries(session.course())
    assert [entry.name for entry in entries if not entry.near] == []
    names = {entry.name: entry.near for entry in entries}
    assert all(name in names[other] for name, near in names.items() for other in near)


def test_the_clinic_finds_the_cause_of_a_pasted_traceback(visit: Visit) -> None:
    tab = visit("clinic")
    everything = len(labels(tab))
    tab.text_area[0].set_value(
        "Traceback (most recent call last):\n  loss.backward()\n"
        "RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn"
    ).run()
    assert 0 < len(labels(tab)) < everything
    assert "Обучаемых параметров ноль" in labels(tab)[0]
    assert "requires_grad_(False)" in texts(tab)  # the cause


def test_nothing_to_repeat_is_said_with_a_way_on(visit: Visit) -> None:
    assert "повторять нечего" in texts(visit("review"))


def wrong_answer(question: str, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    then = datetime.now(UTC) - timedelta(days=days)
    with monkeypatch.context() as patch:
        patch.setattr(people, "now", lambda: then)
        given = AnswerIn(LESSON, question, {"chosen": "В 16 раз"}, right=False, confidence="sure")
        learning.answer(session.database(), session.actor(), given)


def test_a_mistake_comes_back_and_goes_when_it_is_mended(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong_answer("first-guess", monkeypatch, days=5)
    tab = visit("review")
    assert not tab.exception
    assert "На сегодня: 1\u00a0карточка" in texts(tab)
    tab.radio[0].set_value("В 128 раз")
    tab.segmented_control[0].set_value("think").run()
    assert "Верно." in texts(tab)
    tab = button(tab, "Следующая карточка")
    assert tab.success[0].value == "На сегодня всё повторено."


def test_a_term_is_recalled_before_it_is_shown(visit: Visit) -> None:
    visit("lesson", id=LESSON, block="terms")
    tab = visit("review")
    assert "Новые термины" in texts(tab)
    first = next(each.value for each in tab.markdown if each.value.startswith("**"))
    assert "Сколько в таблице независимых строк" not in texts(tab)
    tab = button(tab, "Показать")
    assert "Сколько в таблице независимых строк" in texts(tab)
    tab = button(tab, "Вспомнил")
    assert next(each.value for each in tab.markdown if each.value.startswith("**")) != first


def test_the_wizard_leads_to_a_verdict_with_reasons_and_back(visit: Visit) -> None:
    tab = visit("choose")
    for answer in ("Да, и этого мало", "Фактов: модель не знает наших данных или знает устаревшие"):
        tab = button(tab, answer)
    tab = button(tab, "Меняются или нужны со ссылкой на источник")
    assert "#### Поиск по базе знаний (RAG)" in texts(tab)
    assert "Факты меняются, и ответ надо подтверждать." in texts(tab)
    tab = next(each for each in tab.button if each.label.startswith("Какие это факты?")).click().run()
    assert "**Какие это факты?**" in texts(tab)


def test_a_case_is_judged_told_why_and_remembered(visit: Visit) -> None:
    tab = visit("choose")
    tab = next(each for each in tab.button if each.key == "prices-qlora").click().run()
    assert "К завтрашнему утру выученные цены устареют" in texts(tab)
    assert "их место в базе, а не в весах" in texts(tab)
    assert "их место в базе, а не в весах" in texts(visit("choose"))


def test_a_sheet_has_every_term_error_and_item_of_its_lesson(visit: Visit) -> None:
    tab = visit("sheet", id=LESSON)
    assert not tab.exception
    lesson = session.course().lesson(LESSON)
    assert lesson is not None
    shown = texts(tab)
    assert all(f"**{term.name}**" in shown for term in lesson.terms)
    assert all(f"☐ {item.text}" in shown for item in lesson.checklist)
    assert shown.count(" → ") >= len(lesson.errors)
    assert "Шпаргалки к такому уроку нет" in texts(visit("sheet", id="нет"))
