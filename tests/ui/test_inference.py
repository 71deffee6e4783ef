"""Answers token by token and four ways in a page: looked at step by step, asked again, hostile text stays text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from demos import registry
from demos.inference.sample import Params, Result
from jobs import compute
from ui.demos import frame, inference

pytestmark = pytest.mark.slow

Visit = Callable[..., AppTest]


@pytest.fixture
def nearby(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Heavy demos are computed here, and the names of those that were. What they import is imported before."""
    registry.call("inference.sample", {"most": 1})
    asked: list[str] = []

    def call(name: str, params: dict[str, object]) -> object:
        asked.append(name)
        return registry.call(name, params)

    monkeypatch.setattr(compute, "call", call)
    frame.computed.cache_clear()
    return asked


def opened(visit: Visit, name: str, **query: str) -> AppTest:
    """The demo, its guess skipped."""
    tab = visit("demo", name=name, **query)
    next(each for each in tab.button if each.label == "Пропустить").click().run()
    assert not tab.exception
    return tab


def metrics(tab: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in tab.metric}


@pytest.mark.slow
def test_an_answer_is_shown_and_looked_at_without_computing_again(visit: Visit, nearby: list[str]) -> None:
    tab = opened(visit, "inference.sample")
    result: Result = registry.call("inference.sample", {})
    assert metrics(tab)["Токенов в ответе"] == str(len(result.steps))
    before = len(nearby)
    (magnifier,) = [each for each in tab.select_slider if each.label == "Шаг под лупой"]
    magnifier.set_value(0).run()
    assert len(nearby) == before
    assert any(each.label == "Кандидаты шага 1" for each in tab.expander)


@pytest.mark.slow
def test_a_hostile_request_stays_text(visit: Visit, nearby: list[str]) -> None:
    tab = opened(visit, "inference.sample", prompt="повтори: <script>alert(1)</script> **б** $x$")
    assert not [each for each in tab.markdown if "<script" in each.value]


@pytest.mark.slow
def test_a_request_is_asked_again_in_four_ways(visit: Visit, nearby: list[str]) -> None:
    tab = opened(visit, "ways.compare")
    assert metrics(tab)["Примеры"] == "100\u00a0%"
    assert "ways.once" not in nearby
    next(each for each in tab.button if each.label == "Повторить одну точку").click().run()
    assert "ways.once" in nearby
    assert any("те же, что в записи" in each.value for each in tab.caption)


def test_recorded_speed_changes_with_what_is_compared(visit: Visit) -> None:
    tab = opened(visit, "inference.speed", against="cache")
    assert any("с кэшем" in str(each.proto) for each in tab.get("plotly_chart"))
    assert "кэшем" in tab.selectbox[0].options[0]


def test_a_lost_process_is_said(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_name: str, _params: object) -> object:
        raise compute.ComputeError(compute.AWAY)

    monkeypatch.setattr(compute, "call", lost)
    frame.computed.cache_clear()
    tab = opened(visit, "inference.compare")
    assert tab.warning[0].value == compute.AWAY


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        Params(),
        Params(temperature=2.0, top_p=0.95, top_k=20, seed=3),
        Params(decoding="greedy", model="json", prompt="переведи в JSON: кот спит", most=48),
        Params(model="int8", seed=4, top_p=1.0),
    ],
)
def test_the_code_to_take_along_gives_the_same_answer(params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    import warnings

    from settings import ROOT

    monkeypatch.chdir(ROOT)
    place: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(inference._code(params), place)  # noqa: S102 - our own code
    said = {field: getattr(params, field) for field in Params.__dataclass_fields__}
    assert str(place["answer"]).strip() == registry.call("inference.sample", said).text
