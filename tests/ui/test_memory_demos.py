"""Memory, cost and time in a page: what is dragged is computed, what was checked is told, nothing heavy is loaded."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from common import numbers
from demos import registry
from ui.demos import cost, memory, timing

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("guessed")]

Visit = Callable[..., AppTest]
LIGHT = {
    name: look
    for name, look in {**memory.LOOKS, **cost.LOOKS, **timing.LOOKS}.items()
    if not registry.DEMOS[name].heavy
}


def metrics(tab: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in tab.metric}


def text(tab: AppTest) -> str:
    return " ".join(str(each.value) for kind in (tab.caption, tab.markdown, tab.warning) for each in kind)


def named(tab: AppTest, kind: str, ending: str) -> str:
    return next(str(each.key) for each in tab.get(kind) if str(each.key).endswith(ending))


def test_the_page_of_training_computes_and_says_where_it_was_checked(visit: Visit) -> None:
    tab = visit("demo", name="memory.training")
    expected = registry.call("memory.training", {})
    assert not tab.exception
    assert metrics(tab)["Память шага"] == numbers.size(expected.total)
    assert "На GPU не сверено" in text(tab)
    assert "наибольшее расхождение" in text(tab)
    assert "Llama, QLoRA NF4, адаптер BF16" in text(tab)
    tab.checkbox(named(tab, "checkbox", "field-checkpointing")).check().run()
    expected = registry.call("memory.training", {"checkpointing": True})
    assert metrics(tab)["Память шага"] == numbers.size(expected.total)


def test_full_fine_tuning_asks_for_no_adapter(visit: Visit) -> None:
    tab = visit("demo", name="memory.training", method="full", precision="mixed", architecture="llama-2-7b")
    assert not tab.exception
    labels = {each.label for each in tab.selectbox} | {each.label for each in tab.select_slider}
    assert "Ранг r" not in labels
    expected = registry.call("memory.training", {"method": "full", "precision": "mixed", "architecture": "llama-2-7b"})
    assert metrics(tab)["Память шага"] == numbers.size(expected.total)


def test_targets_of_a_link_are_kept(visit: Visit) -> None:
    tab = visit("demo", name="memory.training", targets="q_proj,v_proj", rank="12")
    expected = registry.call("memory.training", {"targets": ("q_proj", "v_proj"), "rank": 12})
    assert not tab.exception
    assert metrics(tab)["Обучается параметров"] == numbers.integer(expected.trainable)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("memory.inference", "KV-кэш"),
        ("memory.fits", "Доступно"),
        ("memory.claims", "Слой 4096"),
        ("cost", "ничьё предложение"),
        ("timing.compiled", "scripts/timing.py"),
        ("timing.transfer", "Best Practices"),
        ("timing.zero", "Rajbhandari"),
        ("timing.tools", "max_memory_allocated"),
    ],
)
def test_each_page_opens_with_what_it_is_about(visit: Visit, name: str, words: str) -> None:
    tab = visit("demo", name=name)
    assert not tab.exception
    assert words in text(tab)


@pytest.mark.parametrize("name", LIGHT)
def test_every_guess_has_its_answer(name: str) -> None:
    ask, result = LIGHT[name].ask, registry.call(name, {})
    if ask is not None:
        assert 0 <= ask.right(result) < len(ask.options)
        assert ask.tell(result)


def test_nonsense_in_a_link_is_told_in_words(visit: Visit) -> None:
    for name, field, value in (
        ("memory.training", "batch", "0"),
        ("memory.training", "length", "nan"),
        ("cost", "priced", "вчера"),
        ("timing.zero", "gpus", "-1"),
    ):
        tab = visit("demo", **{"name": name, field: value})
        assert not tab.exception
        assert tab.warning


def test_the_code_on_the_page_counts_the_same(visit: Visit) -> None:
    tab = visit("demo", name="memory.training", architecture="gpt2", targets="qkv")
    code = tab.code[0].value
    assert 'target_modules=["c_attn"]' in code.replace("'", '"')
