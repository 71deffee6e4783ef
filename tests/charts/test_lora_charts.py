"""Charts say the finding, name their units, give exact values and words, in Russian and without a background."""

from __future__ import annotations

import re
from typing import Any

import pytest

from charts import lora, theme
from charts.chart import Chart
from common.numbers import NBSP
from demos import registry


def counted(**arguments: Any) -> Any:
    return registry.call("lora.count", arguments)


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def drawn() -> list[Chart]:
    results = [counted(), counted(targets="all-linear", bias="all", architecture="gpt2"), counted(targets="c_attn")]
    makers = (lora.by_kind, lora.by_module, lora.share)
    return [make(result) for result in results for make in makers]


def test_titles_state_what_the_numbers_show() -> None:
    both = counted(targets="all-linear", rank=16)
    assert plain(lora.by_kind(both).title) == "68 % обучаемого — в MLP; всего 41 943 040 параметров"
    assert plain(lora.by_kind(counted()).title) == "Всё обучаемое — во внимании: 3 407 872 параметра"
    assert plain(lora.share(counted()).title) == "Обучается 0,047 % параметров: один из 2 126"
    assert plain(lora.by_module(both).title) == "LoRA во всех линейных слоях: 224 слоя"
    trap = lora.by_module(counted(architecture="phi-3-mini", targets="llama-attention"))
    assert plain(trap.title) == "LoRA в o_proj: 32 слоя; 3 вида слоёв не обучаются"
    for make in (lora.by_kind, lora.by_module, lora.share):
        assert "Обучать нечего" in make(counted(architecture="phi-3-mini", targets="qv,v_proj")).title


def test_bars_are_the_numbers_of_the_result() -> None:
    result = counted(targets="all-linear", rank=16)
    kinds, modules = lora.by_kind(result).figure.data[0], lora.by_module(result).figure.data[0]
    assert [round(1e6 * value) for value in kinds.x] == [row.parameters for row in result.by_kind]
    assert [round(1e6 * value) for value in modules.x] == [row.parameters for row in result.by_module]
    assert list(modules.y) == [row.name for row in result.by_module]
    assert "13 631 488 параметров" in plain(" ".join(kinds.customdata))
    assert list(lora.share(result).figure.data[0].x) == [result.total, result.trainable]


def test_layers_that_stay_untouched_are_shown_and_said() -> None:
    trap = lora.by_module(counted(architecture="phi-3-mini", targets="llama-attention"))
    labels = dict(zip(trap.figure.data[0].y, trap.figure.data[0].text, strict=True))
    assert labels == {
        "qkv_proj": "не обучается",
        "o_proj": "",
        "gate_up_proj": "не обучается",
        "down_proj": "не обучается",
    }
    assert "qkv_proj, 9 216 × 3 072: не обучается" in plain(trap.alt)


@pytest.mark.parametrize("chart", drawn())
def test_every_chart_has_words_units_and_the_house_look(chart: Chart) -> None:
    layout = chart.figure.layout
    assert chart.alt.startswith(chart.title)
    assert chart.alt.endswith(".")
    assert "параметры" in layout.xaxis.title.text
    assert layout.separators == f",{NBSP}"
    assert layout.template.layout.paper_bgcolor == theme.CLEAR
    assert layout.paper_bgcolor is None
    assert layout.font.color is None  # a page may put its own theme's colour
    assert all(len(line) <= theme.TITLE_WIDTH for line in layout.title.text.split("<br>"))
    assert not re.search(r"\d\.\d", chart.alt + layout.title.text)


def test_one_kind_of_layer_has_one_colour_in_every_chart() -> None:
    result = counted(targets="all-linear")
    kinds, modules = lora.by_kind(result).figure.data[0], lora.by_module(result).figure.data[0]
    colour = dict(zip((row.kind for row in result.by_kind), kinds.marker.color, strict=True))
    assert [colour[row.kind] for row in result.by_module] == list(modules.marker.color)


@pytest.mark.slow
def test_the_spectrum_compares_a_learned_update_with_a_random_matrix() -> None:
    result = registry.call("lora.spectrum", {"d": 64, "k": 64, "directions": 4, "rank": 4, "noise": 0})
    chart = lora.spectrum(result)
    learned, random = chart.figure.data
    assert f"держат {result.adapted_rank_for_90}" in plain(chart.title)
    assert chart.title.endswith(str(result.random_rank_for_90))
    assert learned.y[3] == pytest.approx(100)
    assert random.y[3] < 30
    assert learned.line.dash != random.line.dash  # told apart without colour
    assert {chart.figure.layout.xaxis.title.text, chart.figure.layout.yaxis.title.text} == {
        "оставлено направлений (ранг)",
        "сохранённая энергия, %",
    }
    assert "При ранге 4 обученная ΔW сохраняет 100,0 %" in plain(chart.alt)
