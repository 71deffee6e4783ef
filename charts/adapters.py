"""An adapter looked through: how much of every layer's update its first directions hold. Leaves out computing it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from charts.lora import energy_curve
from common import numbers, palette
from demos.finetuning.adapters.shrinking import ENOUGH, Layer, Spectrum

_PARTS = {True: ("внимание", palette.ROLES["attention"]), False: ("MLP", palette.ROLES["mlp"])}
"""Layers inside attention or not: name and colour."""


def directions(result: Spectrum) -> Drawing:
    """Kept length against rank, a line for attention and one for the MLP; how many directions nine tenths need."""
    layers = result.layers
    most = max(len(layer.values) for layer in layers)
    needed = sorted(layer.enough for layer in layers)
    return Drawing(
        charts=(_curves(layers, most),),
        numbers=(
            Number("Слоёв с поправкой", numbers.integer(len(layers))),
            Number("Направлений в слое", numbers.integer(most)),
            Number("Для 90 % хватает", _between(needed[0], needed[-1])),
        ),
        tables=(
            Table(
                "Слой за слоем",
                ("слой", "сингулярные числа s·BA", "направлений на 90 %"),
                tuple(
                    (layer.name, "  ".join(numbers.decimal(value, 2) for value in layer.values), layer.enough)
                    for layer in layers
                ),
            ),
        ),
    )


def _curves(layers: Sequence[Layer], most: int) -> Chart:
    parts = {inside: [layer for layer in layers if (".self_attn." in layer.name) is inside] for inside in _PARTS}
    curves = {
        inside: tuple(fmean(one.kept(rank) for one in of) for rank in range(1, most + 1))
        for inside, of in parts.items()
        if of
    }
    first = numbers.percent(fmean(layer.kept(1) for layer in layers), 0)
    finding = f"Первое направление держит в среднем {first} поправки"
    figure = theme.figure(finding, x="оставлено направлений (ранг)", y="осталось поправки, %", height=360)
    for inside, curve in curves.items():
        name, colour = _PARTS[inside]
        energy_curve(figure, name, curve, colour, "solid")
    figure.add_hline(y=100 * ENOUGH, line={"color": palette.VERMILION, "width": 1, "dash": "dot"})
    figure.update_yaxes(range=[0, 103])
    figure.update_xaxes(dtick=1 if most <= 16 else None, range=[0.9, most + 0.1] if most > 1 else [0.5, 1.5])
    figure.update_traces(mode="lines+markers")
    spoken = "; ".join(
        f"{_PARTS[inside][0]}: {', '.join(numbers.percent(share, 0) for share in curve)}"
        for inside, curve in curves.items()
    )
    return Chart(figure, f"{finding}. По рангам от 1 до {most}: {spoken}.")


def _between(low: int, high: int) -> str:
    return numbers.integer(low) if low == high else f"{low}–{high}"
