"""Methods, matrices and beginnings in a page: a guess first, PEFT's own count on demand, what goes wrong in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from streamlit.testing.v1 import AppTest

from demos import registry
from jobs import compute
from ui.demos import frame, peft_check

pytestmark = pytest.mark.slow

Visit = Callable[..., AppTest]


def key(tab: AppTest, kind: str, ending: str) -> str:
    """The key of the one widget of a kind whose key ends so."""
    return next(str(each.key) for each in tab.get(kind) if str(each.key).endswith(ending))


def press(tab: AppTest, label: str) -> AppTest:
    return next(button for button in tab.button if button.label == label).click().run()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heavy demos are computed in this process: the way to the other one has tests of its own."""

    def call(name: str, params: Mapping[str, object]) -> object:
        return registry.call(name, params)

    monkeypatch.setattr(compute, "call", call)
    for cached in (frame.computed, peft_check._check, peft_check._recount):
        cached.cache_clear()


def test_a_guess_is_answered_by_the_numbers_and_asked_once(visit: Visit) -> None:
    tab = visit("demo", name="lora.methods")
    assert not tab.metric
    press(tab, "у VeRA")
    assert "Вы сказали «у VeRA»" in tab.info[0].value
    assert "замороженные матрицы" in tab.info[0].value
    assert {metric.label: metric.value for metric in tab.metric}["LoRA: обучается"] == "6\u00a0815\u00a0744"
    assert not any(button.label == "Пропустить" for button in tab.button)
    assert any("| VeRA | 180\u00a0224 |" in text.value for text in tab.markdown)


def test_another_model_brings_its_own_layers_and_a_trap_is_told(visit: Visit) -> None:
    tab = visit("demo", name="lora.methods")
    press(tab, "Пропустить")
    tab.selectbox(key(tab, "selectbox", "field-architecture")).set_value("phi-3-mini").run()
    assert not tab.warning
    press(tab, "полный список от Llama")
    assert "PEFT об этом промолчит" in tab.warning[0].value
    assert not tab.exception


def test_a_check_without_the_compute_process_is_said(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "PATIENCE", 0.2)
    peft_check._recount.cache_clear()
    tab = press(visit("demo", name="lora.count"), peft_check.CHECK)
    assert tab.warning[0].value == compute.AWAY
    assert not tab.exception


@pytest.mark.slow
def test_peft_confirms_the_calculator_for_the_values_at_hand_only(visit: Visit, here: None) -> None:
    tab = press(visit("demo", name="lora.count", architecture="gpt2", targets="c_attn"), peft_check.CHECK)
    assert "столько же, сколько у калькулятора" in tab.success[0].value
    assert "294\u00a0912" in tab.success[0].value
    tab.number_input(key(tab, "number_input", "field-rank")).set_value(9).run()
    assert not tab.success


@pytest.mark.slow
def test_peft_refuses_what_the_calculator_warns_of(visit: Visit, here: None) -> None:
    tab = press(visit("demo", name="lora.count", architecture="gpt2", targets="q_proj"), peft_check.CHECK)
    assert "PEFT отказывается от таких слоёв: как и сказал калькулятор." in tab.success[0].value


@pytest.mark.slow
def test_peft_confirms_every_method(visit: Visit, here: None) -> None:
    tab = visit("demo", name="lora.methods", architecture="gpt2", targets="c_attn")
    press(tab, "Пропустить")
    press(tab, peft_check.CHECK)
    assert "сошлись у 12 методов" in tab.success[0].value.replace("\u00a0", " ")
    table = next(text.value for text in tab.markdown if "по PEFT" in text.value)
    assert len(table.splitlines()) == 2 + 12
    assert "не сошлось" not in table


@pytest.mark.slow
def test_matrices_and_beginnings_are_shown_and_what_is_not_stored_is_said(visit: Visit, here: None) -> None:
    tab = visit("demo", name="lora.matrices")
    press(tab, "от 9 до 48")
    assert "Точно" in tab.success[0].value
    assert {metric.label: metric.value for metric in tab.metric}["Множитель s"] == "2"
    tab.segmented_control(key(tab, "segmented_control", "field-source")).set_value("full").run()
    tab.slider(key(tab, "slider", "field-layer")).set_value(1).run()
    assert "хранится только для" in tab.warning[0].value
    other = press(visit("demo", name="lora.inits"), "нет, никогда")
    assert "потери стоят на месте" in other.success[0].value
    assert not other.exception
