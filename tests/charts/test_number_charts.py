"""Figures of numbers, sums, tensors and sensitivity say what their results hold."""

from __future__ import annotations

import math

import pytest

from charts import layers, numeric, sensitivity, sums
from charts.drawing import Drawing
from demos import registry
from demos.layers.layer_map import Result as Layers
from demos.layers.layer_map import Stage
from demos.layers.tensors import Tensor, compare
from demos.numeric.formats import FORMATS
from demos.sensitivity.layer import Point, Result


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def complete(drawing: Drawing) -> None:
    """Every chart has a finding, units and words for those who do not see it."""
    for chart in drawing.charts:
        assert chart.title
        assert len(chart.alt) > len(chart.title)
        assert chart.figure.layout.xaxis.title.text


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize(
    "text", ["0,1", "0", "-0", "inf", "nan", "1e-299", "-1e299", "70000", "2^-149", "1/3", "65504"]
)
def test_any_number_can_be_drawn(name: str, text: str) -> None:
    result = registry.call("bits.number", {"number": text, "format": name})
    drawing = numeric.number(result)
    complete(drawing)
    cells = drawing.charts[0].figure.data[0]
    row = list(cells.y).index(FORMATS[name].title)
    assert "".join(cells.text[row]).strip() == result.chosen.bits
    assert [z is None for z in cells.z[row]] == [place >= FORMATS[name].bits for place in range(32)]


def test_bits_are_coloured_by_what_they_are_and_whether_they_are_lit() -> None:
    figure = numeric.number(registry.call("bits.number", {"number": "1"})).charts[0].figure
    bf16 = figure.data[0].z[2]
    assert list(bf16[:9]) == [0, 2, 3, 3, 3, 3, 3, 3, 3]  # sign 0; exponent 0111 1111
    assert bf16[9] == 4  # mantissa 0


def test_curves_of_steps_pass_through_half_an_ulp() -> None:
    figure = numeric.number(registry.call("bits.number", {"number": "1"})).charts[1].figure
    curves = {curve.name: dict(zip(curve.x, curve.y, strict=True)) for curve in figure.data}
    assert curves["BF16"][1.0] == 100 * 2**-8
    assert curves["FP16"][1.0] == 100 * 2**-11
    assert max(curves["FP16"]) <= 65504
    assert max(curves["NF4"]) <= 1


def test_findings_of_sums() -> None:
    lost = sums.sums(registry.call("bits.sums", {}))
    complete(lost)
    assert plain(lost.charts[0].title) == "1 000 раз прибавили 0,0001 к 1 в BF16: не изменилось ничего"
    stuck = sums.sums(registry.call("bits.sums", {"start": 0, "count": 10_000}))
    assert "После 273-го слагаемого сумма в BF16 встала: 0,03125" in stuck.charts[0].title
    over = sums.sums(registry.call("bits.sums", {"format": "float16", "start": 60_000, "term": 100}))
    assert "переполняется" in over.charts[0].title
    assert over.charts[0].figure.data[1].y[-1] is None
    gone = sums.sums(registry.call("bits.sums", {"format": "float16", "term": 1e-9}))
    assert "само исчезает" in gone.warnings[0]


def test_the_map_of_sensitivity_shows_every_layer_and_type() -> None:
    result = registry.call("sensitivity.map", {"kind": "int4", "block": 1024})
    drawing = sensitivity.sensitivity_map(result)
    complete(drawing)
    grid = drawing.charts[0].figure.data[0]
    assert len(grid.z) * len(grid.z[0]) == 28
    worst = max(result.layers, key=lambda point: point.change)
    assert worst.layer in drawing.charts[0].title
    assert max(max(row) for row in grid.z) == worst.change
    assert sum(len(curve.x) for curve in drawing.charts[1].figure.data) == 6 * 29
    assert len(drawing.tables[1].rows) == 6 * 29


def test_the_parabola_is_that_of_the_terms() -> None:
    way = tuple(Point(t, 2e-3 * t + 1e-3 * t * t) for t in (-1.0, -0.5, 0.5, 1.0))
    result = Result(
        *("1.v_proj", "nf4", 64, 36864, 4.5, 0.09, 0.028, 3e-3, way, 2e-3, 1e-3, 1e-5),
        exact_before=108,
        exact_after=107,
        examples=120,
        tokens=900,
    )
    drawing = sensitivity.layer(result)
    complete(drawing)
    tangent, parabola, measured = drawing.charts[0].figure.data
    for t, y in zip(parabola.x, parabola.y, strict=True):
        assert y == pytest.approx(2e-3 * t + 1e-3 * t * t)
    assert list(measured.x) == [-1, -0.5, 0, 0.5, 1]
    assert max(tangent.y) < max(parabola.y)
    assert "парабола ошиблась на 0" in plain(drawing.charts[0].title)


def stages() -> Layers:
    before = (
        Tensor("model.embed_tokens.weight", "embedding", (4, 2), "bfloat16", 16, requires_grad=True),
        Tensor("model.layers.0.self_attn.q_proj.weight", "weight", (64, 1), "bfloat16", 128, requires_grad=True),
    )
    packed = (
        before[0],
        Tensor("model.layers.0.self_attn.q_proj.weight", "weight", (32, 1), "uint8", 32, requires_grad=False),
        Tensor("model.layers.0.self_attn.q_proj.weight.absmax", "constants", (1,), "float32", 4, requires_grad=False),
    )
    prepared = (
        Tensor("model.embed_tokens.weight", "embedding", (4, 2), "float32", 32, requires_grad=False),
        *packed[1:],
    )
    shown = (
        Stage("loaded", "загружена", "a", before),
        Stage("quantized", "квантована", "b", compare(packed, before)),
        Stage("prepared", "подготовлена", "c", compare(prepared, packed)),
    )
    return Layers(
        "nf4",
        double_quantization=False,
        dtype="bfloat16",
        stages=shown,
        linear_weights=64,
        bits=4.5,
        large_bits=4.5,
        footprint=48,
    )


def test_the_layer_map_adds_up_and_names_what_changed() -> None:
    result = stages()
    drawing = layers.layer_map(result)
    complete(drawing)
    ends = [math.fsum(bar.x[place] for bar in drawing.charts[0].figure.data) * 1e6 for place in range(3)]
    assert ends == pytest.approx([stage.total for stage in result.stages])
    changed = layers.stage_table(result.stages[2], only_changed=True)
    assert [(row[0], plain(str(row[5]))) for row in changed.rows] == [
        ("model.embed_tokens.weight", "bfloat16 → float32, +16 Б")
    ]
    new = layers.stage_table(result.stages[1], only_changed=False, part="ABSMAX").rows
    assert [row[5] for row in new] == ["новый"]
    assert "вернула 16" in plain(drawing.charts[0].title)
