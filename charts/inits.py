"""Figures of LoRA's beginnings: the first gradients of A and B, the first losses. Leaves out computing."""

from __future__ import annotations

from typing import Any

from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.lora.inits import EXAMPLES, RATE, Result, Row

_COLOURS = dict(
    zip(
        ("kaiming", "gaussian", "orthogonal", "pissa", "olora", "random", "zero"),
        (palette.BLUE, palette.SKY, palette.GREEN, palette.VERMILION, palette.ORANGE, palette.PURPLE, palette.GREY),
        strict=True,
    )
)
_DASHES = {"gaussian": "dash", "olora": "dash", "random": "dot", "zero": "dashdot"}


def draw(result: Result) -> Drawing:
    """Beginnings of A and B: the first gradients, the losses, exact values."""
    still = [row for row in result.rows if not row.grad_a and not row.grad_b]
    return Drawing(
        charts=(gradients(result), losses(result)),
        numbers=(
            Number("Потери базы", numbers.decimal(result.base_loss, 4), "На этих же примерах, без адаптера."),
            Number("Множитель s = α/r", numbers.significant(result.scale)),
        ),
        tables=(_beginnings(result),),
        notes=(
            *(f"{row.title}: оба градиента равны нулю точно, такой адаптер не сдвинется никогда." for row in still),
            f"Адаптер на одном слое, {numbers.plural(EXAMPLES, 'пример', 'примера', 'примеров')} задачи JSON, "
            f"Adam со скоростью {numbers.significant(RATE)}. Кто победит к концу обучения, отсюда не видно.",
            *([result.skipped] if result.skipped else []),
        ),
    )


def gradients(result: Result) -> Chart:
    """Norms of the first gradients of A and of B."""
    frozen = sum(not row.grad_a for row in result.rows)
    finding = f"На первом шаге градиент A — ноль в {frozen} случаях из {len(result.rows)}: там, где B = 0"
    figure = theme.figure(finding, x="норма градиента, шаг 1", height=210 + 52 * len(result.rows))
    names = [row.title.partition(":")[0] for row in result.rows]
    for part, colour in (("A", palette.ROLES["A"]), ("B", palette.ROLES["B"])):
        values = [row.grad_a if part == "A" else row.grad_b for row in result.rows]
        figure.add_bar(
            x=values,
            y=names,
            name=f"∂L/∂{part}",
            orientation="h",
            marker={"color": colour},
            text=["" if value else "0" for value in values],
            textposition="outside",
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[
                f"{name}, ∂L/∂{part}: {numbers.significant(value)}" for name, value in zip(names, values, strict=True)
            ],
        )
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    words = "; ".join(
        f"{row.title} — A {numbers.significant(row.grad_a)}, B {numbers.significant(row.grad_b)}" for row in result.rows
    )
    return Chart(figure, f"{finding}. {words}.")


def losses(result: Result) -> Chart:
    """Losses on the same batch, step by step."""
    fastest = min(result.rows, key=lambda row: row.losses[-1])
    steps = len(fastest.losses) - 1
    after = numbers.plural(steps, "шаг", "шага", "шагов")
    name, last = fastest.title.partition(":")[0], numbers.decimal(fastest.losses[-1], 2)
    finding = f"За {after} ниже всех потери при начале «{name}»: {last}"
    figure = theme.figure(finding, x="шаг Adam", y="потери на этих же примерах, нат", height=430)
    for row in result.rows:
        _line(figure, row)
    figure.update_xaxes(dtick=1)
    words = "; ".join(f"{row.title} — {numbers.decimal(row.losses[-1], 4)}" for row in result.rows)
    return Chart(figure, f"{finding}. После последнего шага: {words}.")


def _line(figure: Any, row: Row) -> None:
    name = row.title.partition(":")[0]
    figure.add_scatter(
        x=list(range(len(row.losses))),
        y=list(row.losses),
        name=name,
        mode="lines+markers",
        line={"color": _COLOURS[row.init], "width": 2.5, "dash": _DASHES.get(row.init, "solid")},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"{name}, шаг {step}: {numbers.decimal(loss, 4)}" for step, loss in enumerate(row.losses)],
    )


def _beginnings(result: Result) -> Table:
    return Table(
        "Начала A и B",
        (
            "начало",
            "‖A‖",
            "‖B‖",
            "‖s·B·A‖",
            "взято из W",
            "сдвиг логитов",
            "‖∂L/∂A‖",
            "‖∂L/∂B‖",
            "потери до",
            "потери после",
        ),
        tuple(
            (
                row.title,
                row.norm_a,
                row.norm_b,
                row.norm_update,
                row.moved_base,
                row.shift,
                row.grad_a,
                row.grad_b,
                row.losses[0],
                row.losses[-1],
            )
            for row in result.rows
        ),
        "«Взято из W» — доля нормы W, которую начало забирает из замороженных весов. У PiSSA, OLoRA и orthogonal сдвиг "
        "логитов до первого шага — только округление float32.",
        folded=False,
    )
