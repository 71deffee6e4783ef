"""The model's weights are full of directions, an update of one task is not."""

from __future__ import annotations

import pytest

from demos.lora import updates
from demos.lora.energy import Params, energy


@pytest.mark.parametrize("layer", range(4))
@pytest.mark.parametrize("kind", updates.KINDS)
def test_weights_are_nearer_to_noise_than_to_the_update(layer: int, kind: str) -> None:
    result = energy(Params(layer=layer, kind=kind))  # type: ignore[arg-type]
    assert result.random < result.weights < result.update
    assert result.weights - result.random < (result.update - result.weights) / 3


def test_all_directions_keep_everything() -> None:
    result = energy(Params(rank=192))
    assert result.weights == pytest.approx(1) == result.update == result.random
