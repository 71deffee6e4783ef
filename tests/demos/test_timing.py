"""Time: ZeRO against its paper, PCIe against the bus's specification, the profile of a real step, recordings."""

from __future__ import annotations

import math

import pytest

from demos import registry
from demos.params import ParamsError
from demos.timing import compiled
from demos.timing.transfer import bandwidth


def test_zero_gives_the_numbers_of_its_paper() -> None:
    result = registry.call("timing.zero", {})  # 7.5 B parameters, 64 GPUs: figure 1
    assert [round(stage.total / 1e9, 1) for stage in result.stages] == [120.0, 31.4, 16.6, 1.9]
    table = {4: (120, 52.5, 41.3, 30), 16: (120, 35.6, 21.6, 7.5), 1024: (120, 30.1, 15.1, 0.12)}  # table 1, 7.5 B
    for gpus, values in table.items():
        found = [stage.total / 1e9 for stage in registry.call("timing.zero", {"gpus": gpus}).stages]
        assert found == pytest.approx(values, rel=0.03), gpus


def test_one_card_shares_with_nobody() -> None:
    stages = registry.call("timing.zero", {"gpus": 1}).stages
    assert len({stage.total for stage in stages}) == 1
    assert not any(stage.traffic for stage in stages)
    adapter = registry.call("timing.zero", {"share": 1.0}).stages
    assert adapter[2].total > 0.9 * adapter[0].total  # frozen weights are shared at stage 3 alone
    assert adapter[3].total < adapter[0].total / 30


def test_the_bus_is_as_fast_as_its_specification_says() -> None:
    assert [round(bandwidth(generation, 16) / 1e9, 2) for generation in (3, 4, 5)] == [15.75, 31.51, 63.02]
    result = registry.call("timing.transfer", {"what": "own", "gigabytes": 31.508, "reached": 1.0, "passes": 2})
    assert [round(row.seconds, 2) for row in result.rows] == [4.0, 2.0, 1.0]
    assert result.rows[2].slower == pytest.approx(2.0, rel=0.01)
    assert registry.call("timing.transfer", {"what": "weights"}).bytes == 2 * 7_241_732_096
    assert registry.call("timing.transfer", {"what": "adapter"}).bytes == 8 * 41_943_040


def test_profilers_are_those_that_measure() -> None:
    tools = registry.call("timing.tools", {}).tools
    measuring = {tool.name for tool in tools if tool.measures}
    assert {"torch.profiler", "torch.cuda.max_memory_allocated"} <= measuring
    assert not measuring & {"accelerate", "DeepSpeed", "torch.compile"}
    chosen = registry.call("timing.tools", {"bottleneck": "states"}).tools
    assert {tool.bottleneck for tool in chosen} == {"unknown", "states"}


def test_recorded_ways_to_run_a_step() -> None:
    for shape in compiled.SHAPES:
        result = registry.call("timing.compiled", {"shape": shape})
        ways = {way.backend: way for way in result.ways}
        assert list(ways) == list(compiled.BACKENDS)
        assert ways["eager"].speedup == 1.0
        for way in ways.values():
            if way.failed:
                continue
            assert len(way.steps) >= 10
            assert way.first > 0
            assert way.speedup == pytest.approx(ways["eager"].median / way.median)
            assert way.repaid >= 0 or math.isinf(way.repaid)


@pytest.mark.slow
def test_a_profiled_step_adds_up() -> None:
    result = registry.call("timing.step", {"batch": 2, "length": 16})
    assert sum(result.phases) <= result.total
    assert sum(result.phases) > 0.8 * result.total
    assert sum(value for _, value in result.kinds) <= 1.05 * result.total
    names = {(row.name, row.phase) for row in result.rows}
    assert ("mm", "backward") in names
    assert any(phase == "forward" for _, phase in names)
    products = sum(row.calls for row in result.rows if row.name == "mm" and row.phase == "backward")
    assert products == 2 * (4 * 7 + 1)  # four layers of seven matrices and the head: to the input and to the weight
    for span in result.spans:
        assert span.start >= -0.01
        assert span.start + span.length <= result.total * 1.01
    with pytest.raises(ParamsError, match="Токенов в шаге"):
        registry.call("timing.step", {"batch": 32, "length": 256})
