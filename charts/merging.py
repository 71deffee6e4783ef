"""Charts of merging: what is left of an update, what merged models answer, sums of two adapters, switching.

Leaves out the numbers (``demos.merging``).
"""

from __future__ import annotations

from collections.abc import Mapping

from charts import merging_tables as words
from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.finetuning.adapters import blending
from demos.merging.arithmetic import Result as Summed
from demos.merging.precision import Result
from demos.merging.stored import Measured
from demos.merging.switching import Cost
from demos.merging.switching import Result as Switched

COLOURS: Mapping[str, str] = {
    "float32": palette.BLUE,
    "float16": palette.SKY,
    "bfloat16": palette.ORANGE,
    "dequantized": palette.GREEN,
    "after": palette.VERMILION,
    "nf4": palette.PURPLE,
}
DASHES: Mapping[str, str] = {"float16": "dot", "dequantized": "dash", "after": "dashdot"}


def precision(result: Result) -> Drawing:
    """Layers under the microscope, then the answers."""
    measured = [one for one in (result.tuned, result.base, *(loss.answers for loss in result.ways)) if one]
    return Drawing(
        charts=(kept(result), answers(result)) if measured else (kept(result),),
        numbers=words.figures(result),
        tables=(*words.ways(result), words.layers(result), *words.spoilt(result)),
        notes=words.notes(result),
        warnings=() if measured else ("Ответы слитых моделей на этой базе не измерены.",),
    )


def kept(result: Result) -> Chart:
    """Cosine between what merging changed and the update, layer by layer."""
    by_name = {loss.way: loss for loss in result.ways}
    low, half = by_name["nf4"], by_name["bfloat16"]
    finding = (
        f"Сила {result.strength}{numbers.NBSP}%: прямо в NF4 поправка {words.fate(low)}, "
        f"косинус {numbers.decimal(low.cosine)}; "
        f"в bfloat16 {words.fate(half)}, {numbers.decimal(half.cosine)}"
    )
    figure = theme.figure(finding, x="слой: блок и матрица", y="косинус с поправкой", height=480)
    for loss in result.ways:
        places = [f"{layer.block}·{layer.kind.removesuffix('_proj')}" for layer in loss.layers]
        figure.add_scatter(
            x=places,
            y=[layer.cosine for layer in loss.layers],
            name=loss.title,
            mode="lines+markers",
            line={"color": COLOURS[loss.way], "dash": DASHES.get(loss.way, "solid")},
            marker={"size": 5},
            customdata=[words.layer(layer.cosine, layer.kept, layer.error) for layer in loss.layers],
            hovertemplate="%{x}: %{customdata}<extra>" + loss.title + "</extra>",
        )
    figure.update_yaxes(range=[min(-0.05, *(layer.cosine for layer in low.layers)) - 0.02, 1.05])
    figure.update_xaxes(tickangle=-90, type="category", tickfont={"size": 10})
    said = "; ".join(f"{loss.title}: {numbers.decimal(loss.cosine)}" for loss in result.ways)
    return Chart(figure, f"{finding}. Косинус по всем слоям вместе: {said}.")


def answers(result: Result) -> Chart:
    """Exact match of the tuned model, of each merged one and of the base, with Wilson's intervals."""
    rows: list[tuple[str, str, Measured]] = []
    if result.tuned:
        rows.append(("адаптер рядом с весами", palette.BLACK, result.tuned))
    rows += [(loss.title, COLOURS[loss.way], loss.answers) for loss in result.ways if loss.answers]
    if result.base:
        rows.append(("база без адаптера", palette.ROLES["base"], result.base))
    finding = words.answers_finding(result)
    figure = theme.figure(finding, x="верно, %", height=110 + 40 * len(rows))
    shares = [100 * one.right / one.of for _, _, one in rows]
    figure.add_bar(
        x=shares,
        y=[title for title, _, _ in rows],
        orientation="h",
        marker={"color": [palette.GREY if colour == palette.BLACK else colour for _, colour, _ in rows]},
        error_x=theme.whiskers([(100 * one.low, 100 * one.high) for _, _, one in rows], shares),
        customdata=[words.score(one) for _, _, one in rows],
        hovertemplate="%{y}: %{customdata}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_xaxes(range=[0, 104])
    return Chart(figure, f"{finding}. {'; '.join(f'{title}: {words.score(one)}' for title, _, one in rows)}.")


def summed(result: Summed) -> Drawing:
    """A blend of two adapters: its answers, and the measured way between them."""
    if result.problem:
        return Drawing(warnings=(result.problem,))
    charts = (both(result), path(result)) if result.path else (both(result),)
    return Drawing(
        charts=charts,
        numbers=(
            Number("Ранг суммы", numbers.integer(result.rank)),
            Number("До точной суммы", f"{numbers.significant(100 * result.error, 2)}{numbers.NBSP}%"),
            Number("Косинус поправок", numbers.decimal(result.overlap, 3), "Между ΔW₁ и ΔW₂ по всем слоям вместе."),
        ),
        tables=(words.said(result), *words.points(result)),
        notes=(
            "Столбцы «сумма» посчитаны сейчас на первых отложенных запросах каждой задачи, «сам» — измерено заранее "
            "на двухстах. Отрезки — интервалы Уилсона. Отличие — норма разности суммы PEFT и w₁ΔW₁ + w₂ΔW₂, "
            "делённая на норму второй.",
        ),
    )


def both(result: Summed) -> Chart:
    """Each task by its own adapter and by the sum."""
    first, second = result.sides
    finding = (
        f"{numbers.decimal(result.first_weight)} «{first.title}» + {numbers.decimal(result.second_weight)} "
        f"«{second.title}»: верно {words.of(first)} и {words.of(second)}"
    )
    figure = theme.figure(finding, x="", y="точных ответов, %", height=340)
    for name, colour, pick in (("сам адаптер", palette.GREY, "alone"), ("сумма", palette.BLUE, "blend")):
        scores = [getattr(side, pick) for side in result.sides]
        shares = [100 * score.right / score.of for score in scores]
        figure.add_bar(
            x=[side.title for side in result.sides],
            y=shares,
            name=name,
            marker_color=colour,
            error_y=theme.whiskers([(100 * score.low, 100 * score.high) for score in scores], shares),
            customdata=[f"{score.right} из {score.of}" for score in scores],
            hovertemplate="%{x}: %{customdata}<extra>" + name + "</extra>",
        )
    figure.update_yaxes(range=[0, 104])
    return Chart(figure, f"{finding}. Сами адаптеры: {words.alone(first)} и {words.alone(second)}.")


def path(result: Summed) -> Chart:
    """From the second adapter to the first: exact match of both tasks at every step."""
    first, second = result.sides
    best = max(result.path, key=lambda spot: min(spot.first, spot.second))
    worse = min(best.first, best.second)
    finding = "По дороге от одного адаптера к другому "
    finding += (
        f"худшая из двух задач не поднимается выше {numbers.percent(worse / result.path_of, 0)}"
        if worse
        else "обе задачи сразу не решаются ни в одной точке"
    )
    x = f"доля «{first.title}», остальное — «{second.title}»"
    figure = theme.figure(finding, x=x, y="точных ответов, %", height=400)
    looks = ((first, palette.BLUE, "solid", "first"), (second, palette.ORANGE, "dash", "second"))
    for side, colour, dash, pick in looks:
        counts = [getattr(spot, pick) for spot in result.path]
        figure.add_scatter(
            x=[spot.weight for spot in result.path],
            y=[100 * count / result.path_of for count in counts],
            name=side.title,
            mode="lines+markers",
            line={"color": colour, "dash": dash},
            customdata=[f"{count} из {result.path_of}" for count in counts],
            hovertemplate="доля %{x}: %{customdata}<extra>" + side.title + "</extra>",
        )
    if abs(result.first_weight + result.second_weight - 1) < 1e-9:
        figure.add_vline(x=result.first_weight, line={"color": palette.GREY, "dash": "dot"})
    figure.update_yaxes(range=[0, 104])
    return Chart(figure, f"{finding}. Способ: {blending.WAYS[result.way]}.")  # type: ignore[index]


def switched(result: Switched) -> Drawing:
    """Times of switching and of a forward pass."""
    by_name = {one.name: one for one in (*result.switches, *result.passes)}
    return Drawing(
        charts=(costs(result),),
        numbers=(
            Number("Назвать другой", words.milliseconds(by_name["set"].seconds)),
            Number("Слить и вынуть", words.milliseconds(by_name["merge"].seconds)),
            Number("Слияние окупается", _pays(result.pays_after)),
            Number("Адаптер и база", f"{numbers.size(result.adapter_bytes)} и {numbers.size(result.base_bytes)}"),
        ),
        tables=(
            Table(
                "Времена, мс",
                ("Что", "Медиана", "Меньше всего", "Больше всего"),
                tuple((one.title, 1000 * one.seconds, 1000 * one.low, 1000 * one.high) for one in by_name.values()),
            ),
        ),
        notes=(
            "Измерено только что на этой машине и на этой маленькой модели: важен порядок, а не сами числа. "
            "Окупается — за сколько проходов выигрыш слитой модели покроет слияние и обратный ход, "
            "по наименьшим временам.",
        ),
    )


def costs(result: Switched) -> Chart:
    """Switching beside a forward pass, on one logarithmic axis."""
    rows: list[tuple[Cost, str]] = [(one, palette.ORANGE) for one in result.switches]
    rows += [(one, palette.BLUE) for one in result.passes]
    load, named = result.switches[2].seconds, result.switches[0].seconds
    finding = f"Назвать другой адаптер — {words.milliseconds(named)}, положить его заново — {words.milliseconds(load)}"
    figure = theme.figure(finding, x="мс, лог. шкала", height=330)
    figure.add_bar(
        x=[1000 * one.seconds for one, _ in rows],
        y=[one.title for one, _ in rows],
        orientation="h",
        marker={"color": [colour for _, colour in rows]},
        customdata=[
            f"{words.milliseconds(one.seconds)}, от {words.milliseconds(one.low)} до {words.milliseconds(one.high)}"
            for one, _ in rows
        ],
        hovertemplate="%{y}: %{customdata}<extra></extra>",
    )
    figure.update_xaxes(type="log", dtick=1)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return Chart(
        figure, f"{finding}. {'; '.join(f'{one.title}: {words.milliseconds(one.seconds)}' for one, _ in rows)}."
    )


def _pays(passes: float) -> str:
    if passes == float("inf"):
        return "не здесь"
    count = max(1, round(passes))
    return f"за {numbers.integer(count)}{numbers.NBSP}{numbers.word(count, 'проход', 'прохода', 'проходов')}"
