"""Words and tables of merging's charts. Leaves out the figures (``charts.merging``)."""

from __future__ import annotations

from charts.drawing import Cell, Number, Table
from common import numbers
from demos.merging.arithmetic import Result as Summed
from demos.merging.arithmetic import Side
from demos.merging.precision import Loss, Result
from demos.merging.stored import Measured

NO_LOSS, LOST = 0.98, 0.3
"""Cosines above and below which an update is called whole and lost."""


def figures(result: Result) -> tuple[Number, ...]:
    """What to see first."""
    by_name = {loss.way: loss for loss in result.ways}
    four = by_name["nf4"]
    return (
        Number("Поправка к весам", numbers.percent(result.update, 2), "‖ΔW‖ / ‖W‖ по всем слоям."),
        Number("Осталось в bfloat16", numbers.percent(by_name["bfloat16"].kept, 1), KEPT),
        Number("Осталось в NF4", numbers.percent(four.kept, 1), KEPT),
        Number(
            "Сменили код NF4", numbers.percent(four.changed, 1), "Доля весов, у которых слияние сменило номер уровня."
        ),
    )


KEPT = "Доля поправки, которая осталась в её собственном направлении, по всем слоям."


def fate(loss: Loss) -> str:
    """What became of the update, in a word."""
    if loss.cosine >= NO_LOSS:
        return "цела"
    return "потеряна" if loss.cosine < LOST else "искажена"


def answers_finding(result: Result) -> str:
    """What the answers say, intervals taken into account."""
    four = next(loss.answers for loss in result.ways if loss.way == "nf4")
    if result.tuned is None or four is None:
        return "Ответы измерены не для всех слияний"
    beside, merged = share(result.tuned), share(four)
    if four.high < result.tuned.low:
        return f"Прямо в NF4 верных ответов меньше: {merged} против {beside} рядом"
    if four.low > result.tuned.high:
        return f"Прямо в NF4 верных ответов больше: {merged} против {beside} рядом"
    return f"Прямо в NF4 верно {merged}, рядом {beside}: интервалы перекрываются"


def share(one: Measured) -> str:
    """Exact match as percent."""
    return numbers.percent(one.right / one.of, 0)


def score(one: Measured) -> str:
    """«94 из 100 (от 88 до 97 %)»."""
    return f"{one.right} из {one.of} (от {100 * one.low:.0f} до {100 * one.high:.0f}{numbers.NBSP}%)"


def layer(cosine: float, kept: float, error: float) -> str:
    """What hover says of a layer."""
    return (
        f"косинус {numbers.decimal(cosine, 4)}, осталось {numbers.percent(kept, 1)}, "
        f"ошибка весов {numbers.percent(error, 3)}"
    )


def notes(result: Result) -> tuple[str, ...]:
    """What the words mean and where the answers come from."""
    trained = (
        "Адаптер обучен рядом с весами NF4 (QLoRA): с ними и сравниваем. Точна только деквантованная база; исходная — "
        "другая база под тем же адаптером."
        if result.quantized
        else "Адаптер обучен рядом с исходной базой float32: с ней и сравниваем. У NF4 к потере поправки прибавляется "
        "ошибка квантования самой базы."
    )
    words = (
        "Косинус — между тем, что слияние изменило в весах, и поправкой (α/r)·BA: 1 — поправка легла целиком, 0 — "
        "изменилось что-то другое или ничего. «Осталось» — проекция на поправку: после квантования исходных весов она "
        "близка к 100 % и при слабой поправке (округление исходных весов случайно по отношению к ней), но тонет в шуме."
    )
    return (trained, words, *((f"Ответы измерены заранее: {result.made}.",) if result.made else ()))


def ways(result: Result) -> tuple[Table, ...]:
    """Every way in numbers: weights, then answers where they are measured."""
    columns = ("Куда слить", "Ошибка, %", "Наибольшая", "Косинус", "Осталось, %", "Изменилось, %")
    rows = tuple(
        (one.title, 100 * one.error, one.largest, one.cosine, 100 * one.kept, 100 * one.changed) for one in result.ways
    )
    weights = Table("Веса", columns, rows, "Изменилось — доля чисел, у NF4 — номеров уровней.", folded=False)
    told = tuple((loss.title, *_answers(loss.answers)) for loss in result.ways if loss.answers)
    if not told:
        return (weights,)
    said = ("Куда слить", "Верно", "Как рядом", "Логиты", "После unmerge")
    note = "Логиты — наибольшая разность с моделью, у которой адаптер рядом; после unmerge — с нею же до слияния."
    return (weights, Table("Ответы", said, told, note))


def _answers(one: Measured) -> tuple[Cell, ...]:
    return score(one), f"{one.same} из {one.of}", one.largest, one.drift


def layers(result: Result) -> Table:
    """Every layer of every way."""
    columns = ("Куда слить", "Блок", "Матрица", "Ошибка, %", "Наибольшая", "Косинус", "Осталось, %", "Изменилось, %")
    rows = tuple(
        (loss.title, one.block, one.kind, 100 * one.error, one.largest, one.cosine, 100 * one.kept, 100 * one.changed)
        for loss in result.ways
        for one in loss.layers
    )
    return Table("Микроскоп: по слоям", columns, rows)


def spoilt(result: Result) -> tuple[Table, ...]:
    """Answers that merging changed; nothing when there are none."""
    rows = tuple(
        (loss.title, one.prompt, one.tuned, one.merged, one.merged == one.right)
        for loss in result.ways
        if loss.answers
        for one in loss.answers.spoilt
    )
    if not rows:
        return ()
    columns = ("Куда слить", "Запрос", "Адаптер рядом", "После слияния", "После слияния верно")
    return (Table("Ответы, которые слияние изменило", columns, rows, "До двух на каждый способ."),)


def said(result: Summed) -> Table:
    """What the sum answers to one request of each task."""
    rows = tuple((side.title, side.prompt, side.said, side.right) for side in result.sides)
    return Table("Что отвечает сумма", ("Задача", "Запрос", "Ответ суммы", "Верный ответ"), rows, folded=False)


def points(result: Summed) -> tuple[Table, ...]:
    """The measured way between the two adapters."""
    if not result.path:
        return ()
    first, second = (side.title for side in result.sides)
    rows = tuple((spot.weight, 1 - spot.weight, spot.first, spot.second, result.path_of) for spot in result.path)
    columns = (f"Доля «{first}»", f"Доля «{second}»", f"Верно: {first}", f"Верно: {second}", "Запросов")
    return (Table("Дорога между адаптерами", columns, rows),)


def of(side: Side) -> str:
    """«9 из 12»."""
    return f"{side.blend.right} из {side.blend.of}"


def alone(side: Side) -> str:
    """The same of its own adapter."""
    return f"{side.title} {side.alone.right} из {side.alone.of}"


def milliseconds(seconds: float) -> str:
    """«0,16 мс»."""
    return f"{numbers.significant(1000 * seconds, 3)}{numbers.NBSP}мс"
