"""Charts of the LoRA demos: where an adapter's parameters sit, how small it is, how fast a spectrum falls.

Leaves out computing: every number comes in a Result of ``demos.lora``.
"""

from __future__ import annotations

import math
from typing import Any

from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.lora.parameters import ModuleRow, Result
from demos.lora.spectrum import Result as Spectrum

MILLION = 10**6
_COLOURS = {**palette.ROLES, "head": palette.PURPLE, "bias": palette.GREEN}
_WHERE = {
    "attention": "во внимании",
    "mlp": "в MLP",
    "embedding": "в эмбеддингах",
    "head": "в выходном слое",
    "bias": "в сдвигах",
}
_NOTHING = "Обучать нечего: с такими именами слоёв PEFT откажется"


def counted(result: Result) -> Drawing:
    """The calculator: what is trained and what it costs, by kind of layer, layer by layer."""
    return Drawing(
        charts=(by_kind(result),) if result.trainable else (),
        numbers=(
            Number("Обучается параметров", numbers.integer(result.trainable)),
            Number("Доля", numbers.percent(result.share, 3), "Обучаемые параметры к базовой модели с адаптером."),
            Number("Файл адаптера", numbers.size(result.adapter_bytes)),
            Number("Моменты AdamW", numbers.size(result.optimizer_bytes), "Два числа на каждый обучаемый параметр."),
        ),
        tables=(
            Table(
                "Слой за слоем",
                ("слой", "входов", "выходов", "взято слоёв", "из", "на один слой", "всего"),
                tuple(
                    (row.name, row.inputs, row.outputs, row.count, row.available, row.each, row.parameters)
                    for row in result.by_module
                ),
            ),
        ),
        notes=result.notes,
        warnings=(result.alarm,) if result.alarm else (),
    )


def by_kind(result: Result) -> Chart:
    """Trainable parameters by kind of layer: horizontal bars, millions."""
    rows = result.by_kind
    figure = theme.figure(_kind_finding(result), x="обучаемые параметры, млн", height=150 + 46 * max(1, len(rows)))
    _bars(
        figure,
        names=[row.title for row in rows],
        values=[row.parameters for row in rows],
        colours=[_COLOURS[row.kind] for row in rows],
        labels=[numbers.percent(row.share, int(row.share < 1)) if row.parameters else "не обучается" for row in rows],
        hovers=[f"{row.title}: {parameters(row.parameters)}" for row in rows],
    )
    parts = "; ".join(f"{row.title} — {parameters(row.parameters)}" for row in rows)
    return Chart(figure, f"{_kind_finding(result)}. {parts}." if parts else f"{_NOTHING}.")


def by_module(result: Result) -> Chart:
    """Trainable parameters by layer name, untouched layers too: horizontal bars, millions."""
    rows, finding = result.by_module, _module_finding(result)
    figure = theme.figure(finding, x="обучаемые параметры, млн", height=150 + 34 * len(rows))
    _bars(
        figure,
        names=[row.name for row in rows],
        values=[row.parameters for row in rows],
        colours=[_COLOURS[row.kind] for row in rows],
        labels=["" if row.count else "не обучается" for row in rows],
        hovers=[_module_hover(row) for row in rows],
    )
    return Chart(figure, f"{finding}. {'; '.join(_module_hover(row) for row in rows)}.")


def share(result: Result) -> Chart:
    """The adapter beside the model, on a logarithmic axis: on a linear one it would be invisible."""
    finding = _share_finding(result)
    figure = theme.figure(finding, x="параметры, лог. шкала", height=220)
    rows = [("вся модель", result.total, "base"), ("адаптер", result.trainable, "lora")]
    shown = [(name, value, role) for name, value, role in rows if value]
    figure.add_scatter(
        x=[value for _, value, _ in shown],
        y=[name for name, _, _ in shown],
        mode="markers+text",
        marker={"size": 16, "color": [palette.ROLES[role] for _, _, role in shown]},
        text=[short(value) for _, value, _ in shown],
        textposition="top center",
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"{name}: {parameters(value)}" for name, value, _ in shown],
        cliponaxis=False,
    )
    lowest, highest = min(value for _, value, _ in shown), result.total
    figure.update_xaxes(type="log", **decades(lowest, highest))
    figure.update_yaxes(categoryorder="array", categoryarray=["адаптер", "вся модель"], range=[-0.6, 1.8])
    words = f"{finding}. Адаптер — {parameters(result.trainable)}, вместе с моделью {parameters(result.total)}."
    return Chart(figure, words)


def learned(result: Spectrum) -> Drawing:
    """The spectrum demo: the curve and its three numbers."""
    return Drawing(
        charts=(spectrum(result),),
        numbers=(
            Number(f"Энергия при r = {result.rank}", numbers.percent(result.energy, 1)),
            Number("Ранг ΔW для 90 %", numbers.integer(result.adapted_rank_for_90)),
            Number("Ранг шума для 90 %", numbers.integer(result.random_rank_for_90)),
        ),
        tables=(
            Table(
                "Энергия по рангам",
                ("ранг", "обученная ΔW", "случайная матрица"),
                tuple(
                    (rank, *pair)
                    for rank, pair in enumerate(zip(result.adapted_curve, result.random_curve, strict=True), 1)
                ),
            ),
        ),
    )


def spectrum(result: Spectrum) -> Chart:
    """Energy kept against directions kept: the learned update and a random matrix."""
    learned, random = result.adapted_rank_for_90, result.random_rank_for_90
    finding = (
        f"90 % изменения держат {numbers.plural(learned, 'направление', 'направления', 'направлений')} "
        f"из {numbers.integer(result.full_rank)}; у случайной матрицы — {numbers.integer(random)}"
    )
    figure = theme.figure(finding, x="оставлено направлений (ранг)", y="сохранённая энергия, %", height=360)
    energy_curve(figure, "обученная ΔW", result.adapted_curve, palette.ROLES["lora"], "solid")
    energy_curve(figure, "случайная матрица", result.random_curve, palette.ROLES["base"], "dash")
    figure.add_hline(y=90, line={"color": palette.VERMILION, "width": 1, "dash": "dot"})
    figure.add_vline(x=result.rank, line={"color": palette.ORANGE, "width": 1.5})
    figure.add_annotation(
        x=result.rank, y=4, text=f"r = {result.rank}", showarrow=False, xanchor="left", font={"size": 13}, xshift=4
    )
    figure.update_yaxes(range=[0, 103])
    figure.update_xaxes(rangemode="tozero")
    kept = [numbers.percent(curve[result.rank - 1], 1) for curve in (result.adapted_curve, result.random_curve)]
    words = f"{finding}. При ранге {result.rank} обученная ΔW сохраняет {kept[0]} энергии, случайная — {kept[1]}."
    return Chart(figure, words)


def _bars(
    figure: Any, *, names: list[str], values: list[int], colours: list[str], labels: list[str], hovers: list[str]
) -> None:
    """Horizontal bars in the given order, from the top down, in millions of parameters."""
    figure.add_bar(
        x=[value / MILLION for value in values],
        y=names,
        orientation="h",
        marker={"color": colours},
        text=labels,
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata}<extra></extra>",
        customdata=hovers,
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    longest = max([0, *values]) / MILLION
    figure.update_xaxes(range=[0, 1.3 * longest or 1], showticklabels=longest > 0)


def energy_curve(figure: Any, name: str, curve: tuple[float, ...], colour: str, dash: str) -> None:
    """A line: the share of energy that the first directions keep, by their number."""
    ranks = range(1, len(curve) + 1)
    figure.add_scatter(
        x=list(ranks),
        y=[100 * energy for energy in curve],
        name=name,
        mode="lines",
        line={"color": colour, "width": 2.5, "dash": dash},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[
            f"{name}: ранг {rank} — {numbers.percent(energy)}" for rank, energy in zip(ranks, curve, strict=True)
        ],
    )


def _kind_finding(result: Result) -> str:
    if not result.trainable:
        return _NOTHING
    largest = max(result.by_kind, key=lambda row: row.parameters)
    where = _WHERE[largest.kind]
    if largest.parameters == result.trainable:
        return f"Всё обучаемое — {where}: {parameters(result.trainable)}"
    return f"{numbers.percent(largest.share, 0)} обучаемого — {where}; всего {parameters(result.trainable)}"


def _module_finding(result: Result) -> str:
    if not result.trainable:
        return _NOTHING
    taken = [row.name for row in result.by_module if row.count]
    rest = len(result.by_module) - len(taken)
    if not rest:
        return f"LoRA во всех линейных слоях: {_modules(result.matched_modules)}"
    verb = numbers.word(rest, "обучается", "обучаются", "обучаются")
    left = f"{numbers.plural(rest, 'вид', 'вида', 'видов')} слоёв не {verb}"
    return f"LoRA в {', '.join(taken)}: {_modules(result.matched_modules)}; {left}"


def _share_finding(result: Result) -> str:
    if not result.trainable:
        return _NOTHING
    digits = max(1, 1 - math.floor(math.log10(100 * result.share)))
    one_in = numbers.integer(1 / result.share)
    return f"Обучается {numbers.percent(result.share, digits)} параметров: один из {one_in}"


def _module_hover(row: ModuleRow) -> str:
    size = f"{row.name}, {numbers.integer(row.outputs)} × {numbers.integer(row.inputs)}"
    if not row.count:
        return f"{size}: не обучается"
    return f"{size}: {_modules(row.count)} по {numbers.integer(row.each)}, всего {parameters(row.parameters)}"


def parameters(count: int) -> str:
    """``3 407 872 параметра``."""
    return numbers.plural(count, "параметр", "параметра", "параметров")


def _modules(count: int) -> str:
    return numbers.plural(count, "слой", "слоя", "слоёв")


def short(count: float) -> str:
    """``3,4 млн``: for labels; the exact number is in the hover."""
    for factor, unit in ((10**12, "трлн"), (10**9, "млрд"), (MILLION, "млн"), (1000, "тыс.")):
        if count >= factor:
            scaled = count / factor
            return f"{numbers.decimal(scaled, 0 if float(scaled).is_integer() else 1)}{numbers.NBSP}{unit}"
    return numbers.integer(count)


def decades(lowest: int, highest: int) -> dict[str, Any]:
    """Ticks at powers of ten around the values, in words."""
    first, last = math.floor(math.log10(lowest)), math.ceil(math.log10(highest))
    powers = range(first, last + 1)
    return {
        "range": [first, last + 0.3],
        "tickvals": [10**p for p in powers],
        "ticktext": [short(10**p) for p in powers],
    }
