"""The router in a page: a dragged threshold recounts, a link carries it, one request is repeated live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from demos import registry
from demos.router import ask, confusion
from jobs import compute
from tests.ui.shown import metrics, named
from ui.demos import router

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("guessed")]

Visit = Callable[..., AppTest]


def test_a_dragged_threshold_recounts_the_matrix(visit: Visit) -> None:
    tab = visit("demo", name="router.confusion", cue="with")
    told = confusion.confusion(confusion.Params(cue="with"))
    assert metrics(tab)["Попали куда надо"] == f"{100 * told.routed.right / told.routed.of:.0f} %"
    named(tab, "select_slider", "field-threshold").set_value(1.0).run()
    strict = confusion.confusion(confusion.Params(cue="with", threshold=1.0))
    assert metrics(tab)["Верных ответов"] == f"{100 * strict.answered.right / strict.answered.of:.0f} %"
    assert (
        metrics(tab)["Верных ответов"] != metrics(visit("demo", name="router.confusion", cue="with"))["Верных ответов"]
    )


def test_the_guesses_have_answers() -> None:
    look = router.LOOKS["router.confusion"].ask
    assert look is not None
    told = registry.call("router.confusion", {})
    assert 0 <= look.right(told) < len(look.options)
    assert f"{told.routed.right} из {told.routed.of}" in look.tell(told)


def test_one_request_is_repeated_and_a_lost_process_is_told(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = compute.call, []

    def answer(name: str, params: dict[str, Any]) -> Any:
        if name != "router.ask":
            return real(name, params)
        asked.append(params)
        if len(asked) > 1:
            raise compute.ComputeError(compute.AWAY)
        places = ("json", "polite", "intents", "base")
        shares = tuple(ask.Share(place, 0.25, 0.1) for place in places)
        said = tuple(ask.Said(place, place, f"ответ {place}") for place in places)
        return ask.Result("json", "json", 0.91, False, 0.6, shares, said, 0.01, 0.2)

    monkeypatch.setattr(compute, "call", answer)
    tab = visit("demo", name="router.confusion")
    named(tab, "button", "again-go").click().run()
    told = confusion.confusion(confusion.Params())
    assert asked == [{"prompt": told.decisions[0].text, "threshold": 0.6, "way": "nearest", "cue": False}]
    assert [code.value for code in tab.code if code.value == "ответ json"]
    named(tab, "button", "again-go").click().run()
    assert compute.AWAY in [warning.value for warning in tab.warning]
