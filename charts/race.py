"""Every method: its price across, on a logarithmic axis, its quality up; the methods nobody beats in both are joined.

Leaves out the numbers (``demos.finetuning.race``) and the bars (``charts.sweeps``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from charts import origin, sweeps, theme
from charts import sweep_words as words
from charts.chart import Chart
from charts.drawing import Cell as Value
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.finetuning.race import Result, Runner
from demos.finetuning.spec import VIRTUAL

SHORT = {"full": "Полное", "bottleneck": "Вставки", "prompt": "Prompt", "prefix": "Prefix"}
AXIS: Mapping[str, str] = {
    "trainable": "обучаемых параметров",
    "file": "файл, байт",
    "memory": "пиковая память процесса, байт",
    "seconds": "секунд процессора на шаг",
}
SAID: Mapping[str, Callable[[float], str]] = {
    "trainable": lambda price: f"обучает {numbers.plural(round(price), 'параметр', 'параметра', 'параметров')}",
    "file": lambda price: f"файл {numbers.size(price)}",
    "memory": lambda price: f"память {numbers.size(price)}",
    "seconds": lambda price: f"шаг {numbers.significant(price, 2)} с процессора",
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
    "seconds": [(second, numbers.significant(second, 2)) for second in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)],
}
NOTE = (
    "Отрезок — интервал Уилсона, зерно одно. Каждый метод — на лучшей из записанных скоростей. Линия соединяет тех, "
    "кого никто не обогнал сразу и ценой, и качеством. Память — пик всего процесса вместе с библиотеками: разница в "
    "несколько процентов ничего не значит. Время шага — на одном потоке процессора, по 16 примеров, с точностью около "
    "пятой части; на видеокарте порядок может быть другим."
)
UNMEASURED = "Время шага на этой базе не измерено. Запустите scripts/measure_steps.py."
WEAK = (
    "Виртуальные токены (prompt, prefix, P-tuning) здесь отстают: база мала, а шагов всего 160. На больших моделях они "
    "догоняют: у T5 с 11 млрд параметров prompt tuning равен полному дообучению (Lester и др., 2021)."
)
NEAR_PRICE, NEAR_QUALITY = 1.6, 0.06
"""Methods nearer than that share a label, or their names would lie on each other."""


def drawn(result: Result) -> Drawing:
    """The race, the same as bars, what everything cost."""
    notice = (result.race.notice,) if result.race.notice else ()
    if result.price == "seconds" and result.steps is None:
        return Drawing(warnings=(UNMEASURED, *notice))
    if not result.runners:
        return Drawing(warnings=notice)
    return Drawing(
        charts=(plane(result), sweeps.methods(result.race)),
        numbers=_numbers(result),
        tables=(costs(result),),
        notes=_notes(result),
        warnings=notice,
    )


def plane(result: Result) -> Chart:
    """Price against quality; who cannot be told from the best is filled."""
    finding = _finding(result)
    exact = result.race.metric == "exact"
    figure = theme.figure(
        finding, x=f"{AXIS[result.price]} (лог. шкала)", y=sweeps.AXIS[result.race.metric], height=470
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
    for group in _groups(result.runners, result):
        _label(figure, group, scale)
    ticks = TICKS[result.price]
    figure.update_xaxes(type="log", tickvals=[value for value, _ in ticks], ticktext=[text for _, text in ticks])
    figure.update_yaxes(range=[-14, 112] if exact else None, rangemode="tozero")
    return Chart(figure, f"{finding}. {'; '.join(said(one, result) for one in result.runners)}.")


def costs(result: Result) -> Table:
    """What every method took."""
    exact = result.race.metric == "exact"
    head = (
        "метод",
        "доля точных" if exact else "потери",
        *(("от", "до") if exact else ()),
        "скорость",
        "обучается",
        "доля, %",
        "моменты Adam, КБ",
        "файл, КБ",
        "память, МБ",
        "шаг, с",
    )
    return Table("Чего это стоило", head, tuple(_costs(one, result) for one in result.runners))


def _costs(one: Runner, result: Result) -> tuple[Value, ...]:
    cost, spot = one.series.cost, one.series.spots[0]
    if cost is None:
        return ()
    interval = (spot.interval.low, spot.interval.high) if spot.interval else ()
    return (
        one.series.title,
        _mean(one),
        *interval,
        spot.x,
        cost.trainable,
        100 * cost.trainable / cost.total,
        cost.optimizer / 1000,
        cost.file / 1000,
        cost.memory.mean / 1e6,
        result.steps.seconds.get(one.series.name) if result.steps else None,
    )


def _notes(result: Result) -> tuple[str, ...]:
    weak = [one for one in result.runners if one.series.name in VIRTUAL and _mean(one) < 0.5]
    timed = origin.said(result.steps.origin if result.steps else None) if result.price == "seconds" else ()
    hint = (WEAK,) if weak and result.race.metric == "exact" else ()
    return (*hint, NOTE, *origin.said(result.race.origin), *timed)


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
        Number("Лучший", _name(best), words.said(best.series.spots[0], result.race.metric)),
        Number("Ему равны", numbers.plural(len(level) - 1, "метод", "метода", "методов"), "Интервалы перекрываются."),
        Number("Дешевле всех из них", _name(cheapest), SAID[result.price](cheapest.price)),
        Number("Лучший дороже", _times(best.price, cheapest.price), "Во сколько раз, чем самый дешёвый из равных."),
    )


def _name(one: Runner) -> str:
    """A name that fits above a point or into a number's place."""
    return SHORT.get(one.series.name, one.series.title)


def _times(dear: float, cheap: float) -> str:
    return f"×{numbers.significant(dear / cheap, 2)}" if cheap else "—"


def _runner(figure: Any, one: Runner, result: Result, scale: float) -> None:
    spot, mean = one.series.spots[0], scale * _mean(one)
    low, high = words.bounds(spot)
    colour = sweeps.COLOURS.get(one.series.name, palette.SKY)
    figure.add_scatter(
        x=[one.price],
        y=[mean],
        mode="markers",
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


def _groups(runners: Sequence[Runner], result: Result) -> list[list[Runner]]:
    """Methods whose points lie close together, each group from the best down."""
    groups: list[list[Runner]] = []
    near = NEAR_QUALITY if result.race.metric == "exact" else 0.1
    for one in runners:
        for group in groups:
            if any(
                max(one.price, other.price) <= NEAR_PRICE * min(one.price, other.price)
                and abs(_mean(one) - _mean(other)) < near
                for other in group
            ):
                group.append(one)
                break
        else:
            groups.append([one])
    return groups


def _label(figure: Any, group: Sequence[Runner], scale: float) -> None:
    """The names of a group under its lowest point, two a line; a lone one of the front stands above its point."""
    names = [_name(one) for one in group]
    lines = [", ".join(names[start : start + 2]) for start in range(0, len(names), 2)]
    low, high = words.bounds(min(group, key=_mean).series.spots[0])
    above = len(group) == 1 and group[0].front
    figure.add_annotation(
        x=math.log10(group[0].price),
        y=scale * (high if above else low),
        text="<br>".join(lines),
        showarrow=False,
        yanchor="bottom" if above else "top",
        font={"size": 12},
    )


def _mean(one: Runner) -> float:
    value = one.series.spots[0].value
    return value.mean if value else 0.0


def said(one: Runner, result: Result) -> str:
    """A method, its result and its price."""
    spot = one.series.spots[0]
    at = f"{one.series.title} при скорости {words.rate(spot.x)}: {words.said(spot, result.race.metric)}"
    return f"{at}; {SAID[result.price](one.price)}"
