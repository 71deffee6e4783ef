"""Figures of recorded runs with a question of their own: the map, forgetting, data, the race of methods.

A point opens as one's own run. Leaves out the drawing (``charts``) and figures without a question
(``finetuning_sweeps``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from charts import data_size, forgetting, hyperparameters, race
from charts import sweep_words as words
from charts.retention import share_of
from common import numbers
from demos.finetuning import measured
from demos.finetuning.data_size import Result as Sizes
from demos.finetuning.forgetting import Kept
from demos.finetuning.forgetting import Result as Forgotten
from demos.finetuning.hyperparameters import Cell
from demos.finetuning.hyperparameters import Result as Grid
from demos.finetuning.race import Result as Race
from demos.finetuning.race import Runner
from demos.params import Field
from ui.demos import form
from ui.demos.frame import Look, Prediction
from ui.demos.repeat import Place, repeat

GROUP = "Записанные запуски"
UNKNOWN = "Эта точка ещё не записана: проверьте догадку своим запуском."
FAST, FASTER = 0.005, 0.015
"""The rates of the map's question."""
MIXED = 0.1
"""The share of old data that the question about forgetting adds."""


def _controls(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    return {item.name: form.choice(item, key, locked=item.name in locked) for item in fields.values()}


def _corner(result: Grid, rate: float) -> float | None:
    """The share of exact answers at rank 16 and the layer's α/r."""
    spots = [cell.spot for cell in result.shown if (cell.rank, cell.rate) == (result.ranks[-1], rate)]
    return spots[0].value.mean if spots and spots[0].value else None


def _faster(result: Grid) -> int:
    slow, fast = _corner(result, FAST), _corner(result, FASTER)
    if slow is None or fast is None:
        return -1
    return 0 if fast > slow - 0.05 else 1 if fast > 0.5 * slow else 2


def _tell_faster(result: Grid) -> str:
    slow, fast = _corner(result, FAST), _corner(result, FASTER)
    if slow is None or fast is None:
        return UNKNOWN
    return (
        f"При скорости {words.rate(FAST)} точных ответов {numbers.percent(slow, 0)}, при {words.rate(FASTER)} — "
        f"{numbers.percent(fast, 0)}."
    )


def _mixed(result: Forgotten) -> Kept | None:
    line = next(line for line in result.lines if line.name == "replay")
    return next((point for point in line.known if point.x == MIXED), None)


def _kept(result: Forgotten) -> int:
    point = _mixed(result)
    if point is None or not point.old or not point.before:
        return -1
    share = share_of(point.old) / share_of(point.before)
    return 0 if share < 0.5 else 1 if share < 0.8 else 2


def _tell_kept(result: Forgotten) -> str:
    line = next(line for line in result.lines if line.name == "replay")
    mixed, plain = _mixed(result), next((point for point in line.known if point.x == 0), None)
    if mixed is None or plain is None:
        return UNKNOWN
    return (
        f"Без старых данных: {forgetting.told(plain)}. С {numbers.percent(MIXED, 0)} старых: {forgetting.told(mixed)}."
    )


def _few(result: Sizes) -> int:
    value = result.sizes[0].value
    return -1 if value is None else 0 if value.mean < 0.05 else 1 if value.mean < 0.25 else 2


def _tell_few(result: Sizes) -> str:
    first, last = result.sizes[0], result.sizes[-1]
    if first.value is None or last.value is None:
        return UNKNOWN
    return (
        f"{data_size.size(first)}: точных ответов {words.spread(first.value, 'exact')}. "
        f"{data_size.size(last)}: {words.spread(last.value, 'exact')}."
    )


def _runner(result: Race, name: str) -> Runner | None:
    return next((one for one in result.runners if one.series.name == name), None)


def _full(result: Race) -> int:
    full, lora = (_runner(result, name) for name in ("full", "lora"))
    if full is None or lora is None:
        return -1
    one, other = full.series.spots[0].interval, lora.series.spots[0].interval
    if one is None or other is None:
        return -1
    return 0 if one.low > other.high else 2 if other.low > one.high else 1


def _tell_full(result: Race) -> str:
    full, lora = (_runner(result, name) for name in ("full", "lora"))
    if full is None or lora is None:
        return UNKNOWN
    return f"{race.said(full, result)}. {race.said(lora, result)}."


def _map_below(_params: object, result: Grid, key: str) -> None:
    """The layer's cells first: they are on the screen."""
    cells: list[Cell] = sorted(result.cells, key=lambda cell: cell.scale != result.scale)
    repeat(
        [Place(hyperparameters.label(cell), words.said(cell.spot, result.metric), cell.spot.spec) for cell in cells],
        key,
    )


def _forgetting_below(_params: object, result: Forgotten, key: str) -> None:
    lines = sorted(result.lines, key=lambda line: line.name != result.factor)
    repeat(
        [
            Place(forgetting.label(line, point), forgetting.told(point), point.spec)
            for line in lines
            for point in line.points
        ],
        key,
    )


def _data_below(_params: object, result: Sizes, key: str) -> None:
    spots = [(data_size.size(spot), spot) for spot in result.sizes]
    spots += [(data_size.label(bar), bar.spot) for bar in result.bars]
    repeat([Place(label, words.said(spot, result.metric), spot.spec) for label, spot in spots], key)


def _race_below(_params: object, result: Race, key: str) -> None:
    series = [*(one.series for one in result.runners), *result.others]
    places = [(each.title, spot) for each in series for spot in each.spots]
    repeat(
        [
            Place(f"{title}, скорость {words.rate(spot.x)}", words.said(spot, result.race.metric), spot.spec)
            for title, spot in places
        ],
        key,
    )


LOOKS: Mapping[str, Look] = {
    "finetuning.map": Look(
        title="Карта гиперпараметров: скорость, ранг, альфа",
        group=GROUP,
        summary="Тридцать шесть настоящих обучений: где LoRA учится лучше всего и как α/r сдвигает лучшую скорость.",
        draw=hyperparameters.drawn,
        ask=Prediction(
            "LoRA с r = 16 и α/r = 2 учится отвечать в JSON. Скорость 0,005 подняли втрое, до 0,015. Что станет с "
            "точными ответами?",
            ("почти то же", "станет хуже, но больше половины останется", "больше половины пропадёт"),
            _faster,
            _tell_faster,
        ),
        controls=_controls,
        stamp=measured.stamp,
        below=_map_below,
    ),
    "finetuning.forgetting": Look(
        title="Забывание: чем платят за новое умение",
        group=GROUP,
        summary="Сколько старых умений остаётся, если менять шаги, скорость, ранг, долю старых данных и сам метод.",
        draw=forgetting.drawn,
        ask=Prediction(
            "Модель учат отвечать в JSON, и в данные подмешивают 10 % примеров на старые умения. Какая часть старых "
            "умений уцелеет?",
            ("меньше половины", "от половины до 80 %", "больше 80 %"),
            _kept,
            _tell_kept,
        ),
        controls=_controls,
        stamp=measured.stamp,
        below=_forgetting_below,
    ),
    "finetuning.data_size": Look(
        title="Сколько данных нужно и каких",
        group=GROUP,
        summary="От десяти примеров до трёх тысяч, и что делают противоречия, сломанный формат и перекос классов.",
        draw=data_size.drawn,
        ask=Prediction(
            "Десять примеров, больше ста повторов: модель заучила их наизусть. На какую часть новых вопросов она "
            "ответит точно?",
            ("меньше 5 %", "от 5 до 25 %", "больше 25 %"),
            _few,
            _tell_few,
        ),
        controls=_controls,
        stamp=measured.stamp,
        below=_data_below,
    ),
    "finetuning.methods": Look(
        title="Гонка методов: цена и качество",
        group=GROUP,
        summary="Все способы дообучения на одной задаче: параметры, память, время и файл против точных ответов.",
        draw=race.drawn,
        ask=Prediction(
            "Полное дообучение меняет все 2,3 млн параметров, LoRA — в девять раз меньше. Кто ответит точнее?",
            ("полное дообучение", "их не отличить", "LoRA"),
            _full,
            _tell_full,
        ),
        controls=_controls,
        stamp=measured.stamp,
        below=_race_below,
    ),
}
