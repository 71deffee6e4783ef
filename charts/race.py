"""Every method: its price across, on a logarithmic axis, its quality up; the methods nobody beats in both are joined.

Leaves out the numbers (``demos.finetuning.race``) and the bars (``charts.sweeps``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from charts import origin, sweeps, theme
from charts import sweep_words as words
from charts.chart import Chart
from charts.drawing import Cell as Value
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.finetuning.race import Result, Runner

AXIS: Mapping[str, str] = {
    "trainable": "обучаемых параметров",
    "file": "файл, байт",
    "memory": "пиковая память процесса, байт",
    "seconds": "время обучения, секунд",
}
SAID: Mapping[str, Callable[[float], str]] = {
    "trainable": lambda price: f"обучает {numbers.plural(round(price), 'параметр', 'параметра', 'параметров')}",
    "file": lambda price: f"файл {numbers.size(price)}",
    "memory": lambda price: f"память {numbers.size(price)}",
    "seconds": lambda price: f"обучение {numbers.duration(price)}",
}
TICKS: Mapping[str, Sequence[tuple[float, str]]] = {
    "trainable": [
        (10.0**power, name)
        for power, name in enumerate(("1", "10", "100", "1 тыс.", "10 тыс.", "100 тыс.", "1 млн", "10 млн"))
    ],
    "file": [(10.0**power, numbers.size(10**power, 0)) for power in range(9)],
    "memory": [
        (megabytes * 1e6, numbers.size(megabytes * 1e6, 0))
        for megabytes in (400, 500, 600, 700, 800, 1000, 1200, 1500, 2000)
    ],
    "seconds": [(second, f"{second}") for second in (5, 10, 15, 20, 30, 40, 60, 90, 120, 180, 300)],
}
NOTE = (
    "Отрезок — интервал Уилсона, зерно одно. Каждый метод — на лучшей из записанных скоростей. Линия соединяет тех, "
    "кого никто не обогнал сразу и ценой, и качеством. Память — всего процесса вместе с библиотеками; время — на одном "
    "потоке процессора, на видеокарте порядок может быть другим."
)


def drawn(result: Result) -> Drawing:
    """The race, the same as bars, what everything cost."""
    notice = (result.race.notice,) if result.race.notice else ()
    if not result.runners:
        return Drawing(warnings=notice)
    return Drawing(
        charts=(plane(result), sweeps.methods(result.race)),
        numbers=_numbers(result),
        tables=(costs(result),),
        notes=(NOTE, *origin.said(result.race.origin)),
        warnings=notice,
    )


def plane(result: Result) -> Chart:
    """Price against quality; who cannot be told from the best is filled."""
    finding = _finding(result)
    exact = result.race.metric == "exact"
    figure = theme.figure(
        finding, x=f"{AXIS[result.price]}, логарифмическая шкала", y=sweeps.AXIS[result.race.metric], height=470
    )
    scale = 100 if exact else 1
    front = sorted((one for one in result.runners if one.front), key=lambda one: one.price)
    figure.add_scatter(
        x=[one.price for one in front],
        y=[scale * _mean(one) for one in front],
        mode="lines",
        line={"color": palette.GREY, "width": 2, "dash": "dot", "shape": "hv"},
        hoverinfo="skip",
        showlegend=False,
    )
    for one in result.runners:
        _runner(figure, one, result, scale)
    ticks = TICKS[result.price]
    figure.update_xaxes(type="log", tickvals=[value for value, _ in ticks], ticktext=[text for _, text in ticks])
    figure.update_yaxes(range=[-3, 108] if exact else None, rangemode="tozero")
    return Chart(figure, f"{finding}. {'; '.join(said(one, result) for one in result.runners)}.")


def costs(result: Result) -> Table:
    """What every method took. Bytes and seconds."""
    head = (
        "метод",
        "результат",
        "обучается",
        "доля",
        "моменты Adam, Б",
        "память процесса, Б",
        "обучение, с",
        "файл, Б",
        "скорость",
    )
    rows: list[tuple[Value, ...]] = []
    for one in result.runners:
        cost, spot = one.series.cost, one.series.spots[0]
        if cost:
            rows.append(
                (
                    one.series.title,
                    words.said(spot, result.race.metric),
                    cost.trainable,
                    cost.trainable / cost.total,
                    cost.optimizer,
                    cost.memory.mean,
                    cost.seconds.mean,
                    cost.file,
                    spot.x,
                )
            )
    return Table("Чего это стоило", head, tuple(rows), folded=False)


def _finding(result: Result) -> str:
    """The cheapest among those that chance cannot tell from the best."""
    best = result.runners[0]
    level = [one for one in result.runners if one.level] or [best]
    cheapest = min(level, key=lambda one: one.price)
    if result.race.metric == "loss":
        loss = numbers.decimal(_mean(best), 3)
        return f"Ниже всего потери у метода {best.series.title}: {loss}, {SAID[result.price](best.price)}"
    if cheapest is best:
        return f"{best.series.title} — и лучший, и дешевле всех равных ему: {SAID[result.price](best.price)}"
    return (
        f"Дешевле всех равных лучшему — {cheapest.series.title}: {numbers.percent(_mean(cheapest), 0)}, "
        f"{SAID[result.price](cheapest.price)}"
    )


def _numbers(result: Result) -> tuple[Number, ...]:
    best = result.runners[0]
    level = [one for one in result.runners if one.level] or [best]
    cheapest = min(level, key=lambda one: one.price)
    return (
        Number("Лучший результат", best.series.title, words.said(best.series.spots[0], result.race.metric)),
        Number("Не отличить от лучшего", numbers.plural(len(level) - 1, "метод", "метода", "методов")),
        Number("Дешевле всех из них", cheapest.series.title, SAID[result.price](cheapest.price)),
        Number(
            "Разница в цене",
            _times(best.price, cheapest.price),
            "Во сколько раз лучший дороже самого дешёвого из равных.",
        ),
    )


def _times(dear: float, cheap: float) -> str:
    return f"×{numbers.significant(dear / cheap, 2)}" if cheap else "—"


def _runner(figure: Any, one: Runner, result: Result, scale: float) -> None:
    spot, mean = one.series.spots[0], scale * _mean(one)
    low, high = words.bounds(spot)
    colour = sweeps.COLOURS.get(one.series.name, palette.SKY)
    figure.add_scatter(
        x=[one.price],
        y=[mean],
        mode="markers+text",
        text=[one.series.title],
        textposition="top center" if one.front else "bottom center",
        textfont={"size": 12},
        marker={
            "size": 13,
            "color": colour,
            "symbol": "circle" if one.level else "circle-open",
            "line": {"width": 2, "color": colour},
        },
        error_y=sweeps.errors([(scale * low, scale * high)], [mean]),
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[said(one, result)],
        showlegend=False,
    )


def _mean(one: Runner) -> float:
    value = one.series.spots[0].value
    return value.mean if value else 0.0


def said(one: Runner, result: Result) -> str:
    """A method, its result and its price."""
    spot = one.series.spots[0]
    at = f"{one.series.title} при скорости {words.rate(spot.x)}: {words.said(spot, result.race.metric)}"
    return f"{at}; {SAID[result.price](one.price)}"
