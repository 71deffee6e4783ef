"""Change of the loss under quantization: along one direction, layer by layer, and measured against Taylor's estimate.

Losses are in nats per answer token. Leaves out computing (``demos.sensitivity``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from charts import theme
from charts.chart import Chart
from charts.drawing import Cell, Drawing, Number, Table
from charts.sensitivity_words import DATA, TITLES, day, layer_title, nats, point_words, signed
from common import numbers, palette
from common.numbers import NBSP
from demos.sensitivity.expansion import DEPTH, NAMES, PARTS
from demos.sensitivity.kinds import KINDS
from demos.sensitivity.layer import ALL, Result
from demos.sensitivity.recorded import Point
from demos.sensitivity.recorded import Result as Map

_COLOURS = dict(
    zip(
        KINDS,
        (palette.GREEN, palette.PURPLE, palette.SKY, palette.BLUE, palette.ORANGE, palette.VERMILION),
        strict=True,
    )
)
_SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "x")
CURVE = 60
"""Points of the parabola."""


def layer(result: Result) -> Drawing:
    """One layer: the loss on the way to its quantized weights, and Taylor's line and parabola."""
    name, of = layer_title(result.layer), result.examples
    return Drawing(
        charts=(way(result),),
        numbers=(
            Number("ΔL измерено", nats(result.change), f"Были {numbers.significant(result.loss)}."),
            Number("Первый порядок", nats(result.first), "⟨∇L, ε⟩"),
            Number("Вместе со вторым", nats(result.estimate), "⟨∇L, ε⟩ + ½ εᵀHε"),
            Number("Точных ответов", f"{result.exact_before} → {result.exact_after}", f"Из {of}."),
        ),
        tables=(
            Table(
                f"Измерено и предсказано: {name}, {TITLES[result.kind]}",
                ("Что", "Значение"),
                (
                    ("весов", result.weights),
                    ("бит на вес с масштабами", result.bits),
                    ("размер блока", result.block),
                    ("‖ε‖ / ‖W‖", result.relative_error),
                    ("потери до", result.loss),
                    ("изменение потерь, измерено", result.change),
                    ("⟨∇L, ε⟩", result.first),
                    ("½ εᵀHε", result.second),
                    ("сумма двух", result.estimate),
                    ("кривизна εᵀHε / ‖ε‖²", result.curvature),
                    *((f"изменение в точке W + {numbers.decimal(at.t, 1)}·ε", at.change) for at in result.way),
                ),
            ),
        ),
        notes=(
            DATA.format(examples=result.examples, tokens=numbers.integer(result.tokens)),
            "Точный ответ — тот, у которого каждый токен самый вероятный: жадная генерация дала бы его же.",
        ),
    )


def way(result: Result) -> Chart:
    """Change of the loss at W + tε: measured points, the tangent, the parabola."""
    finding = _way_finding(result)
    figure = theme.figure(finding, x="t: вес W + t·ε; 1 — квантован", y="изменение потерь, нат на токен", height=380)
    places = [-1.1 + 2.2 * turn / (CURVE - 1) for turn in range(CURVE)]
    lines = (
        ("первый порядок", [t * result.first for t in places], palette.GREY, "dash"),
        ("первый и второй", [t * result.first + t * t * result.second for t in places], palette.BLUE, "solid"),
    )
    for name, values, colour, dash in lines:
        figure.add_scatter(
            x=places, y=values, name=name, mode="lines", line={"color": colour, "dash": dash}, hoverinfo="skip"
        )
    points = sorted([(at.t, at.change) for at in result.way] + [(0.0, 0.0)])
    figure.add_scatter(
        x=[t for t, _ in points],
        y=[change for _, change in points],
        name="измерено",
        mode="markers",
        marker={"color": palette.VERMILION, "size": 11},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"t = {numbers.decimal(t, 1)}: {nats(change)}" for t, change in points],
    )
    said = "; ".join(f"t = {numbers.decimal(t, 1)}: {nats(change)}" for t, change in points)
    return Chart(figure, f"{finding}. Измерено {said}. По касательной {nats(result.first)} в точке t = 1.")


def sensitivity_map(result: Map) -> Drawing:
    """Every layer of one type, every type, and how good the estimates are."""
    worst, whole = max(result.layers, key=lambda point: point.change), result.whole
    return Drawing(
        charts=(grid(result), types(result), agreement(result)),
        numbers=(
            Number("Больнее всего", worst.layer, nats(worst.change)),
            Number("Все слои сразу", nats(whole.change), f"Сумма по слоям: {nats(_total(result.layers))}."),
            Number("Предсказано", nats(whole.estimate), "⟨∇L, ε⟩ + ½ εᵀHε, все слои сразу."),
            Number("Точных ответов", f"{result.exact} → {whole.exact}", f"Из {result.examples}, все слои сразу."),
        ),
        tables=(_misses(result), _points(result)),
        notes=(
            DATA.format(examples=result.examples, tokens=numbers.integer(result.tokens)),
            f"Записано {day(result.date)}: {result.script}. Любую точку можно пересчитать здесь же.",
            "На других примерах соседи по списку могут поменяться местами: градиент у каждых примеров свой. Кривизна "
            "устойчивее.",
        ),
    )


def grid(result: Map) -> Chart:
    """The model's layers: a row for each block, a column for each matrix; thousandths of a nat."""
    finding = _grid_finding(result)
    figure = theme.figure(finding, x="матрица", y="блок", height=300)
    cells = {point.layer: point for point in result.layers}
    rows = [[cells[f"{number}.{part}"] for part in PARTS] for number in range(DEPTH)]
    top = max(abs(point.change) for point in result.layers) or 1.0
    figure.add_heatmap(
        z=[[point.change for point in row] for row in rows],
        x=[part.removesuffix("_proj") for part in PARTS],
        y=[str(number) for number in range(DEPTH)],
        text=[[numbers.significant(1000 * point.change, 2) for point in row] for row in rows],
        texttemplate="%{text}",
        colorscale=[[0, palette.BLUE], [0.5, "#F4F4F6"], [1, palette.VERMILION]],
        zmin=-top,
        zmax=top,
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[[point_words(point) for point in row] for row in rows],
    )
    figure.update_yaxes(type="category", showgrid=False, autorange="reversed")
    figure.update_xaxes(showgrid=False, type="category")
    said = "; ".join(f"{point.layer}: {nats(point.change)}" for point in result.layers)
    return Chart(figure, f"{finding}. Изменение потерь при квантовании одного слоя в тысячных ната. {said}.")


def types(result: Map) -> Chart:
    """A line of dots for each type: every single layer's change, on a logarithmic axis; all layers as a larger mark."""
    medians = {miss.kind: miss.change for miss in result.misses}
    rough, mild = max(medians, key=medians.__getitem__), min(medians, key=lambda kind: abs(medians[kind]))
    finding = (
        f"Тип решает больше слоя: в середине {TITLES[rough]} стоит {nats(medians[rough])}, "
        f"{TITLES[mild]} — {nats(medians[mild])}"
    )
    figure = theme.figure(finding, x="|изменение потерь|, нат на токен", height=150 + 44 * len(KINDS))
    for kind in KINDS:
        shown = [point for point in result.every if point.kind == kind]
        figure.add_scatter(
            x=[abs(point.change) for point in shown],
            y=[TITLES[kind]] * len(shown),
            mode="markers",
            marker={
                "color": _COLOURS[kind],
                "size": [16 if point.layer == ALL else 9 for point in shown],
                "symbol": [
                    "diamond" if point.layer == ALL else "circle" if point.change > 0 else "circle-open"
                    for point in shown
                ],
                "opacity": 0.75,
            },
            showlegend=False,
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[point_words(point) for point in shown],
        )
    figure.update_xaxes(type="log", exponentformat="power", dtick=1)
    figure.update_yaxes(type="category", autorange="reversed")
    said = "; ".join(f"{TITLES[miss.kind]}: {nats(miss.change)}" for miss in result.misses)
    return Chart(
        figure,
        f"{finding}. Кружок — слой, пустой — потери уменьшились, ромб — все слои сразу. Медианы по слоям: {said}.",
    )


def agreement(result: Map) -> Chart:
    """Measured across, estimated up, both logarithmic; on the diagonal they agree."""
    finding = _agreement_finding(result)
    figure = theme.figure(finding, x="измерено, |ΔL|, нат на токен", y="предсказано, |⟨∇L, ε⟩ + ½ εᵀHε|", height=420)
    for kind, symbol in zip(KINDS, _SYMBOLS, strict=True):
        shown = [point for point in result.every if point.kind == kind]
        figure.add_scatter(
            x=[abs(point.change) for point in shown],
            y=[abs(point.estimate) for point in shown],
            name=TITLES[kind],
            mode="markers",
            marker={"color": _COLOURS[kind], "symbol": symbol, "size": 8, "opacity": 0.8},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[point_words(point) for point in shown],
        )
    sizes = [abs(value) for point in result.every for value in (point.change, point.estimate) if value]
    ends = [min(sizes), max(sizes)]
    figure.add_scatter(
        x=ends, y=ends, mode="lines", line={"color": palette.GREY, "dash": "dot"}, showlegend=False, hoverinfo="skip"
    )
    figure.update_xaxes(type="log", exponentformat="power", dtick=1)
    figure.update_yaxes(type="log", exponentformat="power", dtick=1)
    said = "; ".join(f"{TITLES[miss.kind]} — {_share(miss.both)}" for miss in result.misses)
    return Chart(figure, f"{finding}. Медиана промаха двух членов: {said}. На пунктире предсказание точно.")


def _way_finding(result: Result) -> str:
    miss = abs(result.estimate - result.change) / abs(result.change) if result.change else 0.0
    head = f"{layer_title(result.layer)} в {TITLES[result.kind]}: потери {signed(result.change)}"
    if miss < 0.1:
        return f"{head}, парабола ошиблась на {numbers.significant(100 * miss, 2)}{NBSP}%"
    return f"{head}, парабола обещала {signed(result.estimate)}: ε слишком велик для двух членов"


def _grid_finding(result: Map) -> str:
    worst = max(result.layers, key=lambda point: point.change)
    middle = sorted(abs(point.change) for point in result.layers)[len(result.layers) // 2]
    times = numbers.significant(worst.change / middle, 2) if middle else "∞"
    return (
        f"{TITLES[result.kind]}: больнее всего слою {worst.layer} — в {times} раза сильнее, чем слою в середине списка"
    )


def _agreement_finding(result: Map) -> str:
    best = min(result.misses, key=lambda miss: miss.both)
    worst = max(result.misses, key=lambda miss: miss.both)
    return (
        f"Два члена ряда угадывают {TITLES[best.kind]} с ошибкой {_share(best.both)}, "
        f"а {TITLES[worst.kind]} — {_share(worst.both)}"
    )


def _misses(result: Map) -> Table:
    head = (
        "Тип",
        "Медиана ΔL по слоям",
        "Промах первого порядка, %",
        "Промах двух порядков, %",
        "Все слои, ΔL",
        "Точных",
    )
    whole = {point.kind: point for point in result.every if point.layer == ALL}
    rows: list[tuple[Cell, ...]] = [
        (
            TITLES[miss.kind],
            miss.change,
            100 * miss.first,
            100 * miss.both,
            whole[miss.kind].change,
            f"{whole[miss.kind].exact} из {result.examples}",
        )
        for miss in result.misses
    ]
    note = "Промах — медиана по слоям |предсказано − измерено| / |измерено|."
    return Table("Типы рядом", head, tuple(rows), note=note, folded=False)


def _points(result: Map) -> Table:
    head = ("Слой", "Тип", "Блок", "‖ε‖ / ‖W‖", "ΔL", "⟨∇L, ε⟩", "½ εᵀHε", "εᵀHε / ‖ε‖²", "Точных")
    order = {name: place for place, name in enumerate((ALL, *NAMES))}
    rows: list[tuple[Cell, ...]] = [
        (
            layer_title(point.layer),
            TITLES[point.kind],
            point.block,
            point.relative_error,
            point.change,
            point.first,
            point.second,
            point.curvature,
            point.exact,
        )
        for point in sorted(result.every, key=lambda point: order[point.layer])
    ]
    return Table("Все точки карты", head, tuple(rows))


def _share(share: float) -> str:
    return f"{numbers.significant(100 * share, 2)}{NBSP}%"


def _total(points: Sequence[Point]) -> float:
    return math.fsum(point.change for point in points)
