"""Runs that a lesson names: ``::: run qlora steps=40 lock=method``. Each is one recipe or several to compare.

Torch-free. Leaves out starting them (``ui.widgets.run_panel``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from demos.finetuning.spec import THREE_CURVES, RunSpec
from demos.params import ParamsError, describe, nearest, read


@dataclass(frozen=True, slots=True)
class Preset:
    """What a panel starts. ``apart``: fields in which its runs differ, so nobody may set them for all."""

    title: str
    specs: tuple[RunSpec, ...]
    apart: frozenset[str] = frozenset()

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields that a lesson or a learner may set."""
        return frozenset(item.name for item in describe(RunSpec)) - self.apart

    def change(self, values: Mapping[str, object]) -> tuple[RunSpec, ...]:
        """The runs with these fields set, each from plain values.

        Raises:
            ParamsError: a field that is unknown or may not be set here, a value that it cannot have.
        """
        for name in values:
            if name in self.apart:
                raise ParamsError(f"Поле «{name}» у этих запусков разное: его нельзя задать всем сразу.")
        return tuple(_changed(spec, values) for spec in self.specs)


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "qlora": Preset("QLoRA: четырёхбитная база и адаптер", (THREE_CURVES["qlora"],)),
        "lora": Preset("LoRA: база как есть и адаптер", (THREE_CURVES["lora"],)),
        "full": Preset("Полное дообучение: все веса", (THREE_CURVES["full"],)),
        "dora": Preset(
            "DoRA: направление и длина строк порознь",
            (RunSpec(method="dora", quantization="none", learning_rate=2e-3),),
        ),
        "ia3": Preset("IA³: по множителю на канал", (RunSpec(method="ia3", quantization="none", learning_rate=0.05),)),
        "three-curves": Preset(
            "Три метода рядом",
            (THREE_CURVES["full"], THREE_CURVES["lora"], THREE_CURVES["qlora"]),
            frozenset({"method", "quantization", "double_quantization", "learning_rate"}),
        ),
        "overfit": Preset("Переобучение на десяти примерах", (RunSpec(quantization="none", examples=10, batch=10),)),
        "control": Preset("Только квантование, без обучения", (RunSpec(method="none", quantization="nf4"),)),
    }
)
"""Every preset by name."""


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ParamsError: there is none.
    """
    if name not in PRESETS:
        raise ParamsError(f"Нет запуска «{name[:40]}»{nearest(name, PRESETS)}.")
    return PRESETS[name]


def specs(name: str, values: Mapping[str, object]) -> tuple[RunSpec, ...]:
    """The runs of a preset with these fields set.

    Raises:
        ParamsError: no such preset or field, a value that a run cannot use.
    """
    return preset(name).change(values)


def _changed(spec: RunSpec, values: Mapping[str, object]) -> RunSpec:
    plain = {item.name: getattr(spec, item.name) for item in dataclasses.fields(spec)}
    return read(RunSpec, {**plain, **values})
