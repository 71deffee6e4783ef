"""Figures of recorded runs: learning rates, three curves, ranks, alphas, methods; a point opens as one's own run.

Reads files only, so it happens right here (``demos.finetuning.sweeps``). Leaves out the drawing (``charts.sweeps``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from charts import sweep_words, sweeps
from charts.chart import Chart
from common import numbers
from demos import registry
from demos.finetuning.sweeps import Cost, Result, Series
from demos.params import ParamsError
from ui import links
from ui.demos import form
from ui.widgets.safe import cell

REPEAT = "Повторить эту точку"
METRICS = {"exact": "точные ответы", "loss": "потери на проверке"}


@dataclass(frozen=True, slots=True)
class _Look:
    chart: Callable[[Result], Chart]
    point: Callable[[float], str]  # what a point is called beside its line
    note: str
    costs: bool = False


def _rate(x: float) -> str:
    return f"скорость {sweep_words.rate(x)}"


_LOOKS: Mapping[str, _Look] = {
    "finetuning.rates": _Look(
        sweeps.rates,
        _rate,
        "Отрезок — интервал Уилсона, зерно одно. На чужой скорости метод проигрывает не потому, что он хуже.",
    ),
    "finetuning.curves": _Look(
        sweeps.curves, lambda _: "лучшая скорость", "Полоса — от худшего зерна до лучшего.", costs=True
    ),
    "finetuning.ranks": _Look(
        sweeps.ranks,
        lambda x: f"r = {x:.0f}",
        "Отрезок — от худшего зерна до лучшего, кружки — сами зёрна. Скорость обучения и α/r у всех рангов одни. "
        "Дальше ранги не идут: адаптер перестал бы быть маленьким, больше 15 % своего слоя.",
    ),
    "finetuning.alphas": _Look(
        sweeps.alphas,
        lambda x: f"α/r = {sweep_words.scale(x)}",
        "Отрезок — от худшего зерна до лучшего, кружки — сами зёрна. Скорость обучения у всех точек одна.",
    ),
    "finetuning.methods": _Look(
        sweeps.methods,
        _rate,
        "Отрезок — интервал Уилсона, зерно одно. Каждый метод — на лучшей из записанных скоростей.",
        costs=True,
    ),
}


def views() -> dict[str, Callable[[Mapping[str, str], frozenset[str], str], None]]:
    """A view for each of the figures, by the demo's name."""
    return {name: _view(name) for name in _LOOKS}


def _view(name: str) -> Callable[[Mapping[str, str], frozenset[str], str], None]:
    @st.fragment
    def view(preset: Mapping[str, str], locked: frozenset[str], key: str) -> None:
        """The figure, what it cost, and a way to repeat a point."""
        try:
            values = form.start(name, preset, key)
            if name != "finetuning.curves":  # its chart is one of losses
                values |= _controls(name, locked, key)
            result: Result = registry.call(name, values)
        except ParamsError as problem:
            st.warning(str(problem), icon=":material/edit:")
        else:
            _show(name, result, key)

    return view


def _controls(name: str, locked: frozenset[str], key: str) -> dict[str, str]:
    (metric,) = registry.describe_fields(name)
    chosen = st.segmented_control(
        metric.title,
        metric.choices,
        key=form.widget(key, metric.name),
        format_func=lambda value: METRICS[value],
        required=True,
        disabled=metric.name in locked,
    )
    return {metric.name: str(chosen)}


def _show(name: str, result: Result, key: str) -> None:
    look = _LOOKS[name]
    if result.notice:
        st.info(result.notice, icon=":material/hourglass_empty:")
    if result.missing < result.wanted:
        chart = look.chart(result)
        st.plotly_chart(chart.figure, key=f"chart-{key}", alt=chart.alt, config={"displayModeBar": False})
        st.caption(look.note)
        if look.costs:
            _costs(result)
    _repeat(look, result, key)


def _costs(result: Result) -> None:
    rows = [
        (series, series.cost, sweep_words.value(series.spots[0], result)) for series in result.series if series.cost
    ]
    head = "| Метод | Результат | Обучается | Состояние Adam | Память процесса | Обучение | Файл |\n"
    head += "|---|---|--:|--:|--:|--:|--:|\n"
    if rows:
        st.markdown(head + "\n".join(_row(*row) for row in rows))


def _row(series: Series, cost: Cost, value: str) -> str:
    cells = (
        series.title,
        value,
        f"{numbers.integer(cost.trainable)} ({numbers.percent(cost.trainable / cost.total, 1)})",
        numbers.size(cost.optimizer),
        numbers.size(cost.memory.mean),
        numbers.duration(cost.seconds.mean),
        numbers.size(cost.file),
    )
    return f"| {' | '.join(cell(text) for text in cells)} |"


def _repeat(look: _Look, result: Result, key: str) -> None:
    """Choose a point, go to the page that starts its recipe."""
    spots = [(series, spot) for series in result.series for spot in series.spots]
    chosen = st.selectbox(
        "Точка",
        range(len(spots)),
        key=f"{key}-point",
        format_func=lambda place: f"{spots[place][0].title}, {look.point(spots[place][1].x)}",
    )
    series, spot = spots[chosen or 0]
    st.caption(f"{series.title}, {look.point(spot.x)}: {sweep_words.value(spot, result)}.")
    links.go(REPEAT, links.NEW_RUN, links.recipe(spot.spec), icon=":material/replay:")
