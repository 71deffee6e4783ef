"""Figures of methods, matrices and beginnings: they say what the numbers show, and fit together."""

from __future__ import annotations

import re
from typing import Any

import pytest

from charts import inits, lora_methods, matrices
from charts.chart import Chart
from charts.drawing import Drawing
from charts.theme import TITLE_WIDTH
from common.numbers import NBSP
from demos import registry


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def compared(**arguments: Any) -> Drawing:
    return lora_methods.draw(registry.call("lora.methods", arguments))


@pytest.fixture(scope="module")
def layer() -> Any:
    return registry.call("lora.matrices", {})


@pytest.fixture(scope="module")
def beginnings() -> Any:
    return registry.call("lora.inits", {"rank": 3})


def test_methods_are_marked_at_their_counts_and_every_number_is_in_the_table() -> None:
    drawing = compared()
    counts, sizes = drawing.charts
    marked = {name: x for trace in counts.figure.data for name, x in zip(trace.y, trace.x, strict=True)}
    exact: dict[Any, Any] = {row[0]: row for row in drawing.tables[0].rows}
    assert sorted(marked.values()) == sorted(row[1] for row in exact.values())
    assert marked["DoRA"] == exact["DoRA"][1] == 6_979_584
    files = sizes.figure.data[0]
    assert list(files.x) == [row[3] for row in exact.values()]
    assert all(len(name) <= len("Prefix tuning") for name in files.y)  # a phone has no room for more
    parts: Any = drawing.tables[2].rows
    for name, _, header, numbers, whole in parts:
        assert header + numbers == whole == exact[name][3]
    assert plain(counts.title) == "LoRA + modules_to_save обучает в 1 686 раз больше, чем Prompt tuning"


def test_a_refused_method_is_an_empty_row_and_no_mark() -> None:
    drawing = compared(architecture="gpt2", targets="q_proj")
    assert "c_attn" in drawing.warnings[0]
    assert next(row for row in drawing.tables[0].rows if row[0] == "LoRA")[1:] == (None,) * 4
    assert "LoRA" not in {name for trace in drawing.charts[0].figure.data for name in trace.y}


@pytest.mark.slow
def test_w_and_what_is_added_to_it_have_one_scale(layer: Any) -> None:
    drawing = matrices.draw(layer)
    maps = {trace.name: trace for trace in drawing.charts[0].figure.data}
    assert list(maps) == ["W", "W + s·B·A", "s·B·A", "s·B·A ярче", "B", "A"]
    ends = {name: (trace.zmin, trace.zmax) for name, trace in maps.items()}
    assert ends["W"] == ends["W + s·B·A"] == ends["s·B·A"]
    assert ends["s·B·A ярче"] == (-layer.update.largest, layer.update.largest)
    assert all(low == -high for low, high in ends.values())
    assert maps["W"].z[5][7] == pytest.approx(layer.weight.cells[5][7], abs=1e-5)
    assert (maps["A"].y[0], maps["A"].x[0]) == ("строка 1", "столбцы 1–3")
    assert maps["W"].colorscale[1] == (0.5, "#F7F7F7")


@pytest.mark.slow
def test_an_update_that_is_switched_off_is_a_white_map() -> None:
    off = matrices.maps(registry.call("lora.matrices", {"alpha": 0}))
    assert {value for row in off.figure.data[3].z for value in row} == {0}
    assert "0,0 % от W" in plain(off.title)


@pytest.mark.slow
def test_the_spectrum_compares_three_updates_told_apart_without_colour(layer: Any) -> None:
    chart = matrices.spectra(layer)
    full, adapter, random = chart.figure.data
    assert plain(chart.title).startswith(f"90 % поправки — это {layer.spectra[0].rank_for_90} направлений из 192")
    assert adapter.y[3] == pytest.approx(100)
    assert full.y[3] > 2 * random.y[3]
    assert len({trace.line.dash for trace in (full, adapter, random)}) == 3


@pytest.mark.slow
def test_gradients_that_are_nothing_are_said_to_be(beginnings: Any) -> None:
    drawing = inits.draw(beginnings)
    gradients = drawing.charts[0]
    assert "ноль в 3 случаях из 6" in plain(gradients.title)
    first = gradients.figure.data[0]
    assert {name for name, value in zip(first.y, first.x, strict=True) if not value} == {
        "обычное",
        "гауссово",
        "обе нули",
    }
    assert any("не сдвинется никогда" in note for note in drawing.notes)
    assert any("чётным" in note for note in drawing.notes)


@pytest.mark.slow
def test_every_figure_has_words_units_and_short_titles(layer: Any, beginnings: Any) -> None:
    charts: list[Chart] = [
        *compared().charts,
        *compared(architecture="phi-3-mini", targets="qkv_proj", saved="head").charts,
        *matrices.draw(layer).charts,
        *inits.draw(beginnings).charts,
    ]
    for chart in charts:
        assert chart.alt.startswith(chart.title)
        assert chart.alt.endswith(".")
        assert all(len(line) <= TITLE_WIDTH for line in chart.figure.layout.title.text.split("<br>"))
        assert not re.search(r"\d\.\d", chart.alt.replace("Llama-3.1", "").replace("v0.1", ""))
