"""Demos in a page: the calculator counts as its fields are changed, presets and locks hold, a lost process is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from common import numbers
from demos.lora.parameters import Params, count
from demos.lora.spectrum import Params as SpectrumParams
from demos.lora.spectrum import Result
from jobs import compute
from ui.demos import frame

Visit = Callable[..., AppTest]


def metrics(tab: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in tab.metric}


def named(tab: AppTest, kind: str, ending: str) -> str:
    """The key of the one widget of a kind whose key ends so."""
    return next(str(each.key) for each in tab.get(kind) if str(each.key).endswith(ending))


def test_the_calculator_shows_what_the_demo_counts(visit: Visit) -> None:
    expected = count(Params())
    shown = metrics(visit("demo", name="lora.count"))
    assert shown["Обучается параметров"] == numbers.integer(expected.trainable) == "3\u00a0407\u00a0872"
    assert shown["Файл адаптера"] == "13,6\u00a0МБ"


def test_an_address_carries_the_whole_calculation(visit: Visit) -> None:
    tab = visit("demo", name="lora.count", architecture="phi-3-mini", rank="16", targets="q_proj,k_proj,v_proj,o_proj")
    expected = count(Params(architecture="phi-3-mini", rank=16, targets=("q_proj", "k_proj", "v_proj", "o_proj")))
    assert metrics(tab)["Обучается параметров"] == numbers.integer(expected.trainable)
    assert tab.warning[0].value == expected.alarm
    link = next(link.proto for link in tab.get("page_link") if link.proto.label == "Этот расчёт по ссылке")
    assert "architecture=phi-3-mini" in link.query_string


def test_a_bad_address_is_told_in_words(visit: Visit) -> None:
    tab = visit("demo", name="lora.count", rank="много")
    assert not tab.exception
    assert "Ранг r" in tab.warning[0].value
    assert "Такой демонстрации нет" in visit("demo", name="нет").markdown[0].value


def test_rank_and_named_sets_change_the_count(visit: Visit) -> None:
    tab = visit("demo", name="lora.count")
    tab.number_input(named(tab, "number_input", "field-rank")).set_value(16).run()
    assert metrics(tab)["Обучается параметров"] == numbers.integer(count(Params(rank=16)).trainable)
    tab.button(named(tab, "button", "preset-all-linear")).click().run()
    expected = count(Params(rank=16, targets=("all-linear",)))
    assert metrics(tab)["Обучается параметров"] == numbers.integer(expected.trainable)
    assert 'target_modules="all-linear"' in tab.code[0].value


def test_another_model_brings_its_own_layer_names(visit: Visit) -> None:
    tab = visit("demo", name="lora.count")
    tab.selectbox(named(tab, "selectbox", "field-architecture")).set_value("gpt2").run()
    assert not tab.warning
    assert not tab.exception
    assert metrics(tab)["Обучается параметров"] == numbers.integer(
        count(Params(architecture="gpt2", targets=("c_attn",))).trainable
    )


def test_a_model_of_ones_own_is_counted_and_impossible_sizes_are_told(visit: Visit) -> None:
    tab = visit("demo", name="lora.count")
    tab.selectbox(named(tab, "selectbox", "field-architecture")).set_value("custom").run()
    assert metrics(tab)["Обучается параметров"] == numbers.integer(count(Params(architecture="custom")).trainable)
    tab.number_input(named(tab, "number_input", "field-kv_heads")).set_value(5).run()
    assert "должно делиться" in tab.warning[0].value
    tab.number_input(named(tab, "number_input", "field-kv_heads")).set_value(8).run()
    assert not tab.warning
    assert metrics(tab)["Обучается параметров"] != "0"


def test_a_lost_compute_process_is_said_with_a_way_to_retry(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "PATIENCE", 0.2)
    frame.computed.cache_clear()
    tab = visit("demo", name="lora.spectrum")
    assert not tab.exception
    assert tab.warning[0].value == compute.AWAY
    assert any(button.label == "Попробовать ещё раз" for button in tab.button)


def test_the_spectrum_shows_both_matrices(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(name: str, params: dict[str, object]) -> Result:
        asked.append(SpectrumParams(**params))  # type: ignore[arg-type]
        curve = tuple(rank / 256 for rank in range(1, 257))
        return Result("adapted", 8, 256, 0.931, 8, 12, curve, curve, curve, 8, 130)

    monkeypatch.setattr(compute, "call", answer)
    frame.computed.cache_clear()
    tab = visit("demo", name="lora.spectrum", noise="0,1")
    assert asked == [SpectrumParams(noise=0.1)]
    assert metrics(tab) == {
        "Энергия при r = 8": "93,1\u00a0%",
        "Ранг ΔW для 90 %": "8",
        "Ранг шума для 90 %": "130",
    }
    frame.computed.cache_clear()
