"""A method looked up by its name is the one that the race draws."""

from __future__ import annotations

from typing import Any

import pytest

from demos import registry
from demos.finetuning.statistics import wilson
from demos.params import ParamsError

RACE = registry.call("finetuning.methods", {})


@pytest.mark.parametrize("runner", RACE.runners, ids=lambda runner: runner.series.name)
def test_it_is_the_runner_of_the_race(runner: Any) -> None:
    one = registry.call("finetuning.method", {"method": runner.series.name})
    assert (one.title, one.rate) == (runner.series.title, runner.series.spots[0].x)
    assert (one.trainable, one.file) == (runner.series.cost.trainable, runner.series.cost.file)
    assert one.right / one.of == one.share == pytest.approx(runner.series.spots[0].value.mean, abs=0.003)
    assert (one.low, one.high) == pytest.approx((wilson(one.right, one.of).low, wilson(one.right, one.of).high))


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ParamsError):
        registry.call("finetuning.method", {"method": "lorra"})
