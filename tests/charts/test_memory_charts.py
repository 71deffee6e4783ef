"""Charts of memory, cost and time: bars are the numbers, titles the findings, words for whoever does not see them."""

from __future__ import annotations

from typing import Any

import pytest

from charts import cost, devices, memory
from charts.drawing import Drawing
from common.numbers import NBSP
from demos import registry

DRAWN = {
    "memory.training": memory.training,
    "memory.inference": memory.inference,
    "memory.fits": memory.where,
    "memory.claims": memory.claims,
    "cost": cost.cost,
    "timing.transfer": devices.transfer,
    "timing.zero": devices.zero,
}


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def drawn(name: str, **arguments: object) -> tuple[Any, Drawing]:
    result = registry.call(name, arguments)
    draw: Any = DRAWN[name]
    return result, draw(result)


@pytest.mark.parametrize("name", DRAWN)
def test_every_chart_has_a_finding_an_axis_and_words(name: str) -> None:
    _, drawing = drawn(name)
    for chart in drawing.charts:
        assert chart.title
        assert chart.title in chart.alt.replace("<br>", " ")
        assert chart.figure.layout.xaxis.title.text
        assert len(chart.alt) > len(chart.title) + 20


def test_the_waterfall_goes_up_to_the_total() -> None:
    for arguments in ({}, {"method": "full", "precision": "mixed"}, {"checkpointing": True, "method": "dora"}):
        result, drawing = drawn("memory.training", **arguments)
        bars = drawing.charts[0].figure.data[0]
        assert bars.base[0] == 0
        for place in range(1, len(bars.x) - 1):  # each begins where the last has ended
            assert bars.base[place] == pytest.approx(bars.base[place - 1] + bars.x[place - 1])
        assert bars.base[-2] + bars.x[-2] == pytest.approx(result.total / 1e9)
        assert bars.x[-1] == pytest.approx(result.total / 1e9)
        assert "ГБ" in bars.customdata[0]
        assert "ГиБ" in bars.customdata[0]


def test_the_title_names_the_largest_part() -> None:
    _, drawing = drawn("memory.training")
    assert "больше всего — активации" in drawing.charts[0].title
    _, drawing = drawn("memory.training", method="full", precision="mixed", batch=1, checkpointing=True)
    assert "моменты AdamW" in drawing.charts[0].title
    _, drawing = drawn("memory.inference")
    assert "больше всего — веса" in drawing.charts[0].title


def test_a_model_that_goes_nowhere_is_said_so() -> None:
    _, drawing = drawn("memory.fits", need=10000)
    assert plain(drawing.charts[0].title) == "10,0 ТБ не влезает никуда"
    _, drawing = drawn("memory.fits", need=1)
    assert plain(drawing.charts[0].title) == "1,0 ГБ влезает на T4 и ещё на 11 устройств"


def test_the_curves_of_cost_cross_where_it_says() -> None:
    result, drawing = drawn("cost", always_on=False)
    own, api = drawing.charts[0].figure.data[:2]
    before = [x for x, a, b in zip(own.x, own.y, api.y, strict=True) if a > b]
    after = [x for x, a, b in zip(own.x, own.y, api.y, strict=True) if a < b]
    assert max(before) <= result.even <= min(after)
    assert "дешевле" in drawing.charts[0].title


def test_stages_are_stacked_to_their_totals() -> None:
    result, drawing = drawn("timing.zero")
    bars = drawing.charts[0].figure.data
    totals = [sum(values) for values in zip(*(bar.x for bar in bars), strict=True)]
    assert totals == pytest.approx([stage.total / 1e9 for stage in result.stages])
