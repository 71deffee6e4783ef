"""How many directions an update uses: computed by torch, so in the compute process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from charts.lora import learned
from demos.params import Field
from ui.demos import frame
from ui.demos.frame import Look

SHOWN = ["rank", "directions", "noise", "seed"]


def _controls(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    return frame.grid(fields, SHOWN, locked, key)


LOOKS: Mapping[str, Look] = {
    "lora.spectrum": Look(
        title="Сколько энергии держит ранг",
        group="LoRA",
        summary="Обученная поправка держится на немногих направлениях, случайная матрица — на всех.",
        draw=learned,
        controls=_controls,
    )
}
