"""What every demo has around it: a guess that is asked once, values by link, tables as files, a list of all demos."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from charts.drawing import Drawing, Number, Table
from demos import registry
from demos.lora.scale import Params, Result
from ui import demos
from ui.demos import frame
from ui.demos.frame import Look, Prediction
from ui.widgets import table

Visit = Callable[..., AppTest]
NAME = "lora.scale"


def draw(result: Result) -> Drawing:
    rows = (("<b>α/r</b> | *x*", result.scale, None), ("r", 3, True))
    return Drawing(
        numbers=(Number("α/r", str(result.scale)),),
        tables=(Table("Числа", ("что", "сколько", "да"), rows, folded=False),),
        warnings=("Слишком сильно.",) if result.scale > 4 else (),
    )


LOOK = Look(
    title="Сила поправки",
    group="LoRA",
    summary="Во сколько раз умножается поправка.",
    draw=draw,
    ask=Prediction(
        "Во сколько раз?", ("1", "2"), lambda result: int(result.scale == 2), lambda result: f"Вышло {result.scale}."
    ),
)


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(demos, "LOOKS", {**demos.LOOKS, NAME: LOOK})
    monkeypatch.setattr(demos, "VIEWS", {**demos.VIEWS, **frame.views({NAME: LOOK})})
    yield
    frame.computed.cache_clear()


def button(tab: AppTest, label: str) -> AppTest:
    return next(each for each in tab.button if each.label == label).click().run()


def test_a_guess_comes_first_is_answered_and_never_asked_again(visit: Visit) -> None:
    tab = visit("demo", name=NAME)
    assert not tab.metric
    assert "Сначала угадайте" in " ".join(text.value for text in tab.markdown)
    tab = button(tab, "1")
    assert tab.info[0].value == "Вы сказали «1». Вышло 2.0."
    assert tab.metric[0].value == "2.0"
    later = visit("demo", name=NAME)
    assert later.metric[0].value == "2.0"
    assert not later.info
    assert "угадайте" not in " ".join(text.value for text in later.markdown)


def test_a_guess_may_be_right_and_may_be_skipped(visit: Visit) -> None:
    assert button(visit("demo", name=NAME), "2").success[0].value == "Точно. Вышло 2.0."


def test_a_skipped_guess_opens_the_demo_without_a_word(visit: Visit) -> None:
    tab = button(visit("demo", name=NAME), "Пропустить")
    assert tab.metric
    assert not tab.success
    assert not tab.info
    assert visit("demo", name=NAME).metric


def test_what_differs_from_the_defaults_travels_in_the_link(visit: Visit) -> None:
    tab = button(visit("demo", name=NAME, alpha="64", rank="8"), "Пропустить")
    assert tab.warning[0].value == "Слишком сильно."
    link = next(link.proto for link in tab.get("page_link") if link.proto.label == "Этот расчёт по ссылке")
    query = {name: values[0] for name, values in parse_qs(link.query_string).items()}
    assert query.pop("name") == NAME
    assert registry.params(NAME, query) == dataclasses.replace(Params(), alpha=64, rank=8)


def test_the_code_to_take_along_gives_the_same_result(visit: Visit) -> None:
    params = registry.params(NAME, {"alpha": 64})
    space: dict[str, object] = {}
    exec(frame.notebook(NAME, params), space)  # noqa: S102 - our own text
    assert space["result"] == registry.call(NAME, {"alpha": 64})
    code = [each.value for each in button(visit("demo", name=NAME, alpha="64"), "Пропустить").code]
    assert frame.notebook(NAME, params) in code


def test_a_table_is_escaped_on_the_page_and_exact_in_the_file(visit: Visit) -> None:
    tab = button(visit("demo", name=NAME, alpha="1", rank="3"), "Пропустить")
    written = next(text.value for text in tab.markdown if text.value.startswith("| что"))
    assert "\\<b\\>" in written
    assert "0,3333" in written
    file = table.csv(draw(registry.call(NAME, {"alpha": 1, "rank": 3})).tables[0]).decode("utf-8-sig")
    assert re.search(r"0,33333333333\d+", file)


def test_every_demo_stands_in_the_list_and_opens(visit: Visit) -> None:
    tab = visit("demo")
    links = {link.proto.label for link in tab.get("page_link")}
    assert {look.title for look in demos.LOOKS.values()} <= links
    for name, look in demos.LOOKS.items():
        assert registry.fields(name) is not None
        assert look.summary.endswith(".")
        assert look.group


def test_a_lesson_may_leave_the_question_out(visit: Visit) -> None:
    tab = visit("lesson", id="start", block="talk")
    assert not tab.exception
    assert "Сначала угадайте" not in " ".join(text.value for text in tab.markdown)
    assert any(field.label == "Запрос" for field in (*tab.text_input, *tab.text_area))
