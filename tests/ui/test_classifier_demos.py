"""The classifier in a page: a dragged threshold recounts, one class asks for its name, the guesses have answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from demos import registry
from demos.classifier import compare, threshold
from tests.ui.shown import metrics, named
from ui.demos import classifier

pytestmark = pytest.mark.usefixtures("guessed")

Visit = Callable[..., AppTest]


def covered(**values: Any) -> str:
    told = threshold.threshold(threshold.Params(**values))
    return f"{100 * told.coverage:.1f} %".replace(".", ",").replace(",0 ", " ")


def test_a_dragged_threshold_covers_less(visit: Visit) -> None:
    tab = visit("demo", name="classifier.threshold")
    assert not tab.exception
    assert metrics(tab)["Охват"].replace(",0 ", " ") == covered()
    named(tab, "select_slider", "field-threshold").set_value(0.99).run()
    assert metrics(tab)["Охват"].replace(",0 ", " ") == covered(threshold=0.99) != covered()


def test_the_class_is_asked_for_only_where_it_decides(visit: Visit) -> None:
    def has_class(tab: AppTest) -> bool:
        return any(str(each.key).endswith("field-watched") for each in tab.get("button_group"))

    tab = visit("demo", name="classifier.threshold")
    assert not has_class(tab)
    tab = visit("demo", name="classifier.threshold", rule="class", watched="отзыв")
    assert not tab.exception
    assert has_class(tab)
    assert metrics(tab)["Охват"] == "100,0 %"


def test_two_kinds_are_compared_in_a_page(visit: Visit) -> None:
    tab = visit("demo", name="classifier.compare", first="words", second="head", examples="60")
    assert not tab.exception
    told = compare.compare(compare.Params(first="words", second="head", examples="60"))
    assert metrics(tab)["Плюсы и минусы"] == f"{told.gained} и {told.lost}"


def test_the_guesses_have_answers_from_the_record() -> None:
    for name, look in classifier.LOOKS.items():
        assert look.ask is not None
        result = registry.call(name, {})
        assert 0 <= look.ask.right(result) < len(look.ask.options)
        assert any(character.isdigit() for character in look.ask.tell(result))
