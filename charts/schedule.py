"""The learning rate over the steps, the chosen schedule among the others, and what one step takes.

Leaves out computing (``demos.finetuning.schedule``).
"""

from __future__ import annotations

from charts import sweep_words, theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.finetuning.schedule import Result

TINY = 1e-12


def drawn(result: Result) -> Drawing:
    """The curve, the numbers of a step and of an epoch, the rates as a table."""
    return Drawing(
        charts=(curve(result),),
        numbers=_numbers(result),
        tables=(
            Table(
                "Скорость по шагам",
                ("шаг", *(curve.title for curve in result.curves)),
                tuple(
                    (row[0][0], *(rate for _, rate in row))
                    for row in zip(*(curve.points for curve in result.curves), strict=True)
                ),
                note="У длинного обучения показаны не все шаги: концы и изломы — все.",
            ),
        ),
        notes=_notes(result),
        warnings=_warnings(result),
    )


def curve(result: Result) -> Chart:
    """The chosen schedule bold, the others faint; the warm-up shaded."""
    finding = _finding(result)
    figure = theme.figure(finding, x="шаг оптимизатора", y="скорость обучения", height=360)
    for other in (each for each in result.curves if each.name != result.name):
        figure.add_scatter(
            x=[step for step, _ in other.points],
            y=[rate for _, rate in other.points],
            name=other.title,
            mode="lines",
            line={"color": palette.GREY, "width": 1},
            opacity=0.55,
            hoverinfo="name",
            showlegend=False,
        )
    shown = result.chosen
    figure.add_scatter(
        x=[step for step, _ in shown.points],
        y=[rate for _, rate in shown.points],
        name=shown.title,
        mode="lines+markers" if result.steps < 30 else "lines",
        line={"color": palette.ACCENT, "width": 3},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"шаг {numbers.integer(step)}: {_rate(rate)}" for step, rate in shown.points],
        showlegend=False,
    )
    if result.warmup_steps:
        figure.add_vrect(
            x0=1,
            x1=min(result.steps, result.warmup_steps + 1),
            fillcolor=palette.ORANGE,
            opacity=0.15,
            line_width=0,
            layer="below",
        )
    figure.update_yaxes(rangemode="tozero", tickformat="~g")
    figure.update_xaxes(tickformat=",d")
    words = f"Пик {_rate(result.peak)}, на последнем шаге {_rate(result.last)}, в среднем {_rate(result.mean)}"
    others = "Серым — другие расписания с теми же шагами"
    return Chart(figure, f"{finding}. {words}. {others}.")


def _finding(result: Result) -> str:
    warm = (
        f"{numbers.plural(result.warmup_steps, 'шаг', 'шага', 'шагов')} разогрева, потом "
        if result.warmup_steps
        else "Без разогрева: "
    )
    after = {
        "linear": "прямая до нуля",
        "cosine": "половина косинуса до нуля",
        "constant": "одна скорость до конца",
        "constant_with_warmup": "одна скорость до конца",
        "inverse_sqrt": f"спад как 1/√шага, к концу остаётся {numbers.percent(_left(result), 0)}",
        "warmup_stable_decay": (
            f"полка и спад за {numbers.plural(result.decay_steps, 'шаг', 'шага', 'шагов')}"
            if result.decay_steps
            else "полка без спада"
        ),
    }[result.name]
    return f"{warm}{after}"


def _left(result: Result) -> float:
    return result.last / result.peak if result.peak > TINY else 0.0


def _numbers(result: Result) -> tuple[Number, ...]:
    product = f"{result.batch} × {result.accumulation} × {result.devices}"
    return (
        Number(
            "Примеров в шаге",
            numbers.integer(result.effective),
            f"Примеров на один шаг оптимизатора: на устройстве × накопление × видеокарты = {product}.",
        ),
        Number(
            "Шагов в эпохе",
            numbers.integer(result.steps_per_epoch),
            "Эпоха — все обучающие примеры по разу. Последний шаг эпохи может быть неполным.",
        ),
        Number("Эпох", numbers.decimal(result.epochs, 2)),
        Number(
            "Проходов",
            numbers.integer(result.passes),
            "Вперёд и назад, на каждой видеокарте: шаги × накопление. Они и занимают время.",
        ),
    )


def _notes(result: Result) -> tuple[str, ...]:
    seen = numbers.plural(result.seen, "пример", "примера", "примеров")
    notes = [
        f"За обучение модель увидит {seen}, считая повторы; разных — "
        f"{numbers.integer(min(result.examples, result.seen))}. Память на активации зависит от "
        f"{numbers.plural(result.batch, 'примера', 'примеров', 'примеров')} на устройстве, а не от примеров в шаге: "
        "накопление складывает градиенты, не держа активаций."
    ]
    if result.warmup_steps:
        notes.append(
            "Первый шаг разогрева идёт со скоростью 0: веса на нём не меняются. Так считает get_scheduler из "
            "transformers."
        )
    return tuple(notes)


def _warnings(result: Result) -> tuple[str, ...]:
    said = []
    if result.warmup_steps >= result.steps:
        said.append("Разогрев занимает всё обучение: пика скорость не достигнет.")
    if result.seen < result.examples:
        part = numbers.percent(result.seen / result.examples, 0)
        said.append(f"Обучение кончится раньше, чем данные: модель увидит {part} примеров.")
    return tuple(said)


def _rate(value: float) -> str:
    return sweep_words.rate(value) if value >= 1e-4 else numbers.significant(value)
