"""The calculator against real steps: what is recorded, what is counted again here, formulas that give their bars."""

from __future__ import annotations

import itertools

import pytest

from demos import registry
from demos.memory import points
from demos.memory.formulas import evaluate

PROMISED = 0.02
"""The largest difference that the page promises on each part."""


def test_every_recorded_part_is_within_the_promise() -> None:
    found = points.recorded()
    assert [point.title for point in found.points] == [point.title for point in points.POINTS]
    assert len(found.points) >= 10
    assert len(found.large) >= 3
    for point in (*found.points, *found.large):
        for row in point.rows:
            assert abs(row.difference) <= PROMISED, (point.title, row)


def test_points_differ_in_all_that_the_calculator_takes() -> None:
    steps = [point.step for point in points.POINTS]
    assert {step.method for step in steps} == {"full", "lora", "dora"}
    assert {step.quantization for step in steps} == {"none", "nf4", "int8"}
    assert {step.attention for step in steps} == {"sdpa", "eager"}
    assert {step.checkpointing for step in steps} == {True, False} == {step.padding for step in steps}
    assert len({step.optimizer for step in steps}) >= 3
    assert len({(step.batch, step.length) for step in steps}) >= 4
    assert len({point.family for point in points.POINTS}) == 5


@pytest.mark.slow
@pytest.mark.parametrize("point", ["llama-qlora-paged", "phi3-dora", "gpt2-full", "llama-lora-qv"])
def test_a_point_counted_again(point: str) -> None:
    counts = points.measure(points.find(point))
    for row in points.compare(points.find(point), counts).rows:
        assert row.counted, row
        assert abs(row.difference) <= PROMISED, row


@pytest.mark.slow
def test_a_model_of_real_size_counted_without_its_numbers() -> None:
    model = "qwen2.5-7b"
    estimate = registry.call("memory.training", {"architecture": model, **points.LARGE[model]})
    assert estimate.activations == pytest.approx(points.imagine(model), rel=PROMISED)


def test_a_formula_with_its_numbers_gives_the_bar() -> None:
    fields = {
        "architecture": ("mistral-7b", "phi-3-mini", "gpt2", "gemma-2-2b"),
        "method": ("full", "lora", "dora"),
        "quantization": ("none", "nf4", "int8"),
        "dtype": ("bfloat16", "float32"),
        "optimizer": ("adamw", "paged-adamw-8bit"),
        "checkpointing": (True, False),
        "attention": ("sdpa", "eager"),
    }
    seen = 0
    for values in itertools.product(*fields.values()):
        arguments = dict(zip(fields, values, strict=True))
        precision = "float32" if arguments["dtype"] == "float32" else "bfloat16"
        for line in registry.call("memory.training", {**arguments, "precision": precision}).lines:
            if line.numbers and line.bytes:
                seen += 1
                assert evaluate(line.numbers) == pytest.approx(line.bytes, rel=1e-4, abs=2), (arguments, line)
    assert seen > 2000


@pytest.mark.parametrize("arguments", [{}, {"quantization": "nf4", "batch": 8}, {"quantization": "int8"}])
def test_a_formula_of_answering_gives_its_bar(arguments: dict[str, object]) -> None:
    for line in registry.call("memory.inference", arguments).lines:
        if line.numbers and line.bytes:
            assert evaluate(line.numbers) == pytest.approx(line.bytes, rel=1e-4, abs=2), line
