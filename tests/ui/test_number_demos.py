"""Bits switched by a tap, sums, the layer map and sensitivity in a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from demos import registry
from jobs import compute
from ui import guesses

pytestmark = pytest.mark.slow

Visit = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def asked_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guess of every demo was skipped long ago."""
    monkeypatch.setattr(guesses, "recall", lambda _demo: guesses.Guess(None, fresh=False))


def metrics(tab: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in tab.metric}


def pills(tab: AppTest, ending: str) -> Any:
    return next(each for each in tab.get("button_group") if str(each.key).endswith(ending))


def test_a_tapped_bit_changes_the_number_and_the_number_the_bits(visit: Visit) -> None:
    tab = visit("demo", name="bits.number", number="1")
    assert metrics(tab)["В BF16 лежит"] == "1"
    assert pills(tab, "bfloat16-exponent").value == list(range(2, 9))  # 127 = 0111 1111
    pills(tab, "bfloat16-mantissa").set_value([9]).run()
    assert not tab.exception
    assert metrics(tab)["В BF16 лежит"] == "1,5"
    assert tab.text_input[0].value == "1,5"
    pills(tab, "bfloat16-sign").set_value([0]).run()
    assert metrics(tab)["В BF16 лежит"] == "−1,5"
    tab.text_input[0].set_value("2^-133").run()
    assert pills(tab, "bfloat16-mantissa").value == [15]
    assert pills(tab, "bfloat16-exponent").value == []
    assert metrics(tab)["Ошибка"] == "0\u00a0%"


def test_bits_survive_a_link_and_every_format_can_be_switched(visit: Visit) -> None:
    tab = visit("demo", name="bits.number", format="float8_e4m3fn", bits="01111110")
    assert metrics(tab)["В FP8 E4M3 лежит"] == "448"
    pills(tab, "field-format").set_value("nf4").run()
    assert not tab.exception
    assert pills(tab, "nf4-level").value == [0, 1, 2, 3]  # the last level: 448 is far beyond absmax
    assert "Переполнение" in tab.warning[0].value
    pills(tab, "nf4-level").set_value([1, 2, 3]).run()
    assert metrics(tab)["В NF4 лежит"] == "0"


@pytest.mark.parametrize("text", ["", "абв", "1e9999", "<b>1</b>"])
def test_what_is_no_number_is_told(visit: Visit, text: str) -> None:
    tab = visit("demo", name="bits.number")
    tab.text_input[0].set_value(text).run()
    assert not tab.exception
    assert tab.warning[0].value.startswith("Число: ")


def test_the_lost_update_is_shown(visit: Visit) -> None:
    tab = visit("demo", name="bits.sums")
    assert metrics(tab)["Сумма в BF16"] == "1"
    assert metrics(tab)["Должно быть"] == "1,1"
    tab.select_slider[0].set_value(0.01).run()
    assert not tab.exception
    assert metrics(tab)["Сумма в BF16"] != "1"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_layer_map_shows_what_is_inside_a_layer(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "call", registry.call)
    tab = visit("demo", name="layers.map")
    assert not tab.exception
    assert metrics(tab)["После загрузки"] == "4,62\u00a0МБ"
    shown = next(each.value.replace("\\", "") for each in tab.markdown if "nested" in each.value)
    assert "0.q_proj.weight.nested_absmax" in shown
    assert "bfloat16 → uint8" in shown
    stage = next(each for each in tab.get("button_group") if "-stage-" in str(each.key))
    stage.set_value("trainer").run()
    assert any("float32 → bfloat16" in each.value for each in tab.markdown)
    tab.text_input[0].set_value("нет такого").run()
    assert any("Таких тензоров нет" in each.value for each in tab.caption)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_point_of_the_map_is_measured_again(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    tab = visit("demo", name="sensitivity.map", kind="int8")
    assert not tab.exception
    assert metrics(tab)["Точных ответов"].startswith("108 → ")
    real = compute.call
    monkeypatch.setattr(
        compute, "call", lambda name, values: (registry.call if name == "sensitivity.layer" else real)(name, values)
    )
    point = next(each for each in tab.selectbox if str(each.key).endswith("-point"))
    point.set_value("3.q_proj").run()
    next(each for each in tab.button if str(each.key).endswith("-again")).click().run()
    assert tab.success[0].value.startswith("Повторилось.")
