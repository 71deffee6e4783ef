"""Bytes of a model at each step of QLoRA's preparation, by what they are, and every tensor with what changed.

Leaves out computing (``demos.layers``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from charts import theme
from charts.chart import Chart
from charts.drawing import Cell, Drawing, Number, Table
from common import numbers, palette
from demos.layers.layer_map import Result, Stage
from demos.layers.tensors import ROLES, Role, Tensor

COLOURS: Mapping[Role, str] = MappingProxyType(
    {
        "weight": palette.ROLES["quantized"],
        "constants": palette.YELLOW,
        "embedding": palette.ROLES["base"],
        "norm": palette.GREEN,
        "lora": palette.ROLES["lora"],
        "buffer": palette.SKY,
    }
)
COLUMNS = ("Тензор", "Форма", "dtype", "Байт", "Обучается", "Что изменилось", "Что это")


def layer_map(result: Result) -> Drawing:
    """Totals by stage, what was cast, every tensor."""
    return Drawing(
        charts=(totals(result),),
        numbers=tuple(_numbers(result)),
        tables=(_steps(result), _everything(result)),
        notes=tuple(_notes(result)),
    )


def totals(result: Result) -> Chart:
    """A stacked bar for each stage, in millions of bytes."""
    finding = _finding(result)
    figure = theme.figure(finding, x="память весов, МБ (10⁶ байт)", height=240 + 48 * len(result.stages))
    for role, title in ROLES.items():
        sizes = [role_bytes(stage, role) for stage in result.stages]
        if not any(sizes):
            continue
        figure.add_bar(
            x=[size / 1e6 for size in sizes],
            y=[stage.title for stage in result.stages],
            name=title,
            orientation="h",
            marker={"color": COLOURS[role]},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[
                f"{stage.title}, {title}: {numbers.integer(size)} Б"
                for stage, size in zip(result.stages, sizes, strict=True)
            ],
        )
    figure.update_layout(barmode="stack", legend_traceorder="normal")
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    said = "; ".join(f"{stage.title} — {numbers.integer(stage.total)} байт" for stage in result.stages)
    return Chart(figure, f"{finding}. {said}.")


def stage_table(stage: Stage, *, only_changed: bool, part: str = "") -> Table:
    """The tensors of one stage, those that changed or all, whose names hold ``part``."""
    shown = stage.changed if only_changed else stage.tensors
    rows = tuple(_row(tensor) for tensor in shown if part.lower() in tensor.name.lower())
    return Table(f"Модель {stage.title}", COLUMNS, rows, folded=False)


def role_bytes(stage: Stage, role: Role) -> int:
    """Bytes of one kind of tensors."""
    return sum(tensor.bytes for tensor in stage.tensors if tensor.role == role)


def words(tensor: Tensor) -> str:
    """What changed, for people; empty where nothing did."""
    match tensor.change:
        case "new":
            return "новый"
        case "cast":
            return f"{tensor.was} → {tensor.dtype}, {_difference(tensor.bytes - tensor.was_bytes)}"
        case "requires_grad":
            return "теперь обучается" if tensor.requires_grad else "заморожен"
        case _:
            return ""


def _finding(result: Result) -> str:
    first, last = result.stages[0], result.stages[-1]
    prepared = next((stage for stage in result.stages if stage.id == "prepared"), None)
    if prepared is None:
        return f"Без квантования адаптер добавил {numbers.size(last.total - first.total)} к {numbers.size(first.total)}"
    quantized = result.stages[1]
    grown = prepared.total - quantized.total
    saved = numbers.decimal(first.total / quantized.total, 1)
    if not grown:
        return f"Квантование сжало веса в {saved} раза; подготовка не стоила ничего: всё уже было в float32"
    return f"Квантование сжало веса в {saved} раза, подготовка вернула {numbers.size(grown)}: эмбеддинги стали float32"


def _numbers(result: Result) -> Iterator[Number]:
    first, last = result.stages[0], result.stages[-1]
    yield Number("После загрузки", numbers.size(first.total, 2))
    if result.quantization != "none":
        yield Number("После квантования", numbers.size(result.stages[1].total, 2), "С константами квантования.")
        yield Number("Бит на вес", numbers.decimal(result.bits, 3), "Линейные слои, константы и таблицы внутри.")
    yield Number("Перед обучением", numbers.size(last.total, 2), "Без градиентов и моментов: они появятся на шаге 1.")
    if result.quantization == "none":
        yield Number("Обучается", numbers.integer(last.trainable))


def _notes(result: Result) -> Iterator[str]:
    if result.quantization != "none":
        constants = role_bytes(result.stages[1], "constants")
        yield (
            f"get_memory_footprint() сразу после квантования называет {numbers.integer(result.footprint)} байт: "
            f"константы квантования, {numbers.integer(constants)} байт, он не считает."
        )
        loose = sum(tensor.requires_grad for tensor in result.stages[1].tensors)
        yield (
            f"Сразу после загрузки обучаемыми помечены {numbers.plural(loose, 'тензор', 'тензора', 'тензоров')}: "
            "эмбеддинги и нормы. Замораживает их prepare_model_for_kbit_training."
        )
        yield (
            "trl приводит LoRA на квантованной базе к bfloat16, каким бы ни был dtype. На видеокарте без bfloat16 (T4) "
            "после создания тренера верните обучаемым весам float32."
        )
    yield "Эмбеддинги и голова здесь — один тензор (tied): он посчитан один раз."
    if result.large_bits is not None:
        yield (
            f"Слои маленькие, и таблицы уровней в них заметны: {numbers.decimal(result.bits, 3)} бита на вес. У слоя "
            f"4096 × 4096 вышло бы {numbers.decimal(result.large_bits, 3)}."
        )


def _steps(result: Result) -> Table:
    head = ("Модель", "Байт", "Разница", "Тензоров", "Изменилось", "Обучается чисел")
    rows: list[tuple[Cell, ...]] = []
    before: Stage | None = None
    for stage in result.stages:
        rows.append(
            (
                stage.title,
                stage.total,
                None if before is None else _difference(stage.total - before.total),
                len(stage.tensors),
                None if before is None else len(stage.changed),
                stage.trainable,
            )
        )
        before = stage
    return Table("Шаг за шагом", head, tuple(rows), folded=False)


def _everything(result: Result) -> Table:
    rows = tuple((stage.title, *_row(tensor)) for stage in result.stages for tensor in stage.tensors)
    return Table("Все тензоры на всех шагах", ("Шаг", *COLUMNS), rows)


def _row(tensor: Tensor) -> tuple[Cell, ...]:
    shape = " × ".join(map(str, tensor.shape)) or "число"
    return (
        tensor.name,
        shape,
        tensor.dtype,
        tensor.bytes,
        tensor.requires_grad,
        words(tensor),
        ROLES[tensor.role],
    )


def _difference(count: int) -> str:
    sign = "+" if count > 0 else ""
    return f"{sign}{numbers.integer(count)} Б"
