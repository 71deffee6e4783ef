"""One number bit by bit in every format, and how coarse each format is around it.

Leaves out computing (``demos.numeric``) and sums (``charts.sums``).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType

from charts import theme
from charts.chart import Chart
from charts.drawing import Cell, Drawing, Number, Table
from common import numbers, palette
from common.numbers import NBSP
from demos.numeric import formats
from demos.numeric.formats import FORMATS
from demos.numeric.number import Result, Row

COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "float32": palette.GREY,
        "float16": palette.SKY,
        "bfloat16": palette.BLUE,
        "float8_e4m3fn": palette.ORANGE,
        "float8_e5m2": palette.VERMILION,
        "int8": palette.GREEN,
        "nf4": palette.ROLES["quantized"],
    }
)
"""The colour of each format."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "solid", "dash")
PARTS: Mapping[str, str] = MappingProxyType({"sign": "знак", "exponent": "порядок", "mantissa": "мантисса"})
_CELLS = {
    "sign": ("#F3C6A5", palette.VERMILION),
    "exponent": ("#F8E2B5", palette.ORANGE),
    "mantissa": ("#B5D5EA", palette.BLUE),
    "level": ("#EFD6E3", palette.ROLES["quantized"]),
}
"""A part of a number → the colour of its zeros and of its ones."""
_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "zero": "ноль",
        "subnormal": "субнормальное",
        "normal": "обычное",
        "infinity": "бесконечность",
        "nan": "не число",
        "level": "уровень таблицы",
    }
)
OCTAVE = 4
"""Points of a curve between two powers of two."""


def number(result: Result) -> Drawing:
    """Bits, steps, the exact values and the limits of every format."""
    chosen = result.chosen
    return Drawing(
        charts=(bits(result), *((steps(result),) if 0 < abs(result.value) < math.inf else ())),
        numbers=(
            Number(f"В {chosen.title} лежит", _short(chosen.exact, 5), f"Точно: {_short(chosen.exact, 17)}."),
            Number("Ошибка", "—" if chosen.relative is None else _share(chosen.relative), "Относительная."),
            Number("Шаг здесь (ulp)", _size(chosen.step), "До соседнего числа этого формата."),
            Number(
                "Наибольшее", _size(chosen.largest), "Дальше — бесконечность; E4M3, INT8 и NF4 обрезают до наибольшего."
            ),
        ),
        tables=(_everywhere(result), _limits(result)),
        notes=(_note(result),),
        warnings=tuple(_warnings(result, chosen)),
    )


def bits(result: Result) -> Chart:
    """A row of cells for each format: sign, exponent, mantissa; ones are dark, zeros light."""
    finding = _bits_finding(result)
    figure = theme.figure(finding, x="бит, считая от знака", height=150 + 34 * len(result.rows))
    longest = max(len(row.bits) for row in result.rows)
    shades = [shade for pair in _CELLS.values() for shade in pair]
    figure.add_heatmap(
        z=[[_shade(row, place) for place in range(longest)] for row in result.rows],
        x=list(range(1, longest + 1)),
        y=[row.title for row in result.rows],
        text=[list(row.bits.ljust(longest)) for row in result.rows],
        texttemplate="%{text}",
        customdata=[[_bit_words(row, place) for place in range(longest)] for row in result.rows],
        hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=False,
        colorscale=[
            [min(1, edge / len(shades)), shade] for place, shade in enumerate(shades) for edge in (place, place + 1)
        ],
        zmin=-0.5,
        zmax=len(shades) - 0.5,
        showscale=False,
        xgap=1,
        ygap=5,
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    figure.update_xaxes(showgrid=False, zeroline=False, tickvals=[1, 8, 16, 24, 32], tickangle=0)
    said = "; ".join(f"{row.title}: {_grouped(row)} — {_short(row.exact)}" for row in result.rows)
    return Chart(figure, f"{finding}. Биты от знака к младшему, группы: знак, порядок, мантисса. {said}.")


def steps(result: Result) -> Chart:
    """The worst relative rounding error of each format over the size of a number; a line where ours is."""
    finding, here = _steps_finding(result), abs(result.value)
    figure = theme.figure(finding, x="модуль числа", y="ошибка округления, до %", height=380)
    low, high = _window(here)
    for (name, one), dash in zip(FORMATS.items(), DASHES, strict=True):
        places = list(_curve(name, low, high, result.absmax))
        figure.add_scatter(
            x=[place for place, _ in places],
            y=[100 * error for _, error in places],
            name=one.title,
            mode="lines",
            line={"color": COLOURS[name], "width": 4, "dash": "solid"}
            if name == result.format
            else {"color": COLOURS[name], "width": 1.8, "dash": dash},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[
                f"{one.title}: у {numbers.significant(place)} ошибка до {_share(error)}" for place, error in places
            ],
        )
    figure.add_vline(x=here, line={"color": palette.VERMILION, "width": 1.5})
    powers = range(3 * math.floor(math.log10(low) / 3), math.ceil(math.log10(high)) + 1, 3)
    figure.update_xaxes(type="log", tickvals=[10.0**p for p in powers], ticktext=[_ten(p) for p in powers])
    figure.update_yaxes(
        type="log",
        range=[-6.2, 2.2],
        tickvals=[1e-6, 1e-4, 1e-2, 1, 100],
        ticktext=["0,000001", "0,0001", "0,01", "1", "100"],
    )
    said = "; ".join(f"{row.title}: {_size(row.step)}" for row in result.rows)
    return Chart(figure, f"{finding}. Шаг у этого числа: {said}. Ближе к нулю ошибка каждого формата растёт до 100 %.")


def _curve(name: str, low: float, high: float, absmax: float) -> Iterator[tuple[float, float]]:
    """Sizes and the largest relative error of rounding there: half a step, or all of the number when it vanishes."""
    one = FORMATS[name]
    top = float(one.largest) if one.floating else absmax
    levels = (
        [] if one.floating else [float(level) * absmax for level in formats.levels(name, Fraction(1)) if level >= 0]
    )
    for place in range(math.floor(math.log2(low) * OCTAVE), math.ceil(math.log2(min(high, top)) * OCTAVE) + 1):
        size = min(2 ** (place / OCTAVE), top)
        if one.floating:
            step = 2.0 ** (max(math.floor(math.log2(size)), one.lowest) - one.mantissa)
        else:
            above = min(max(bisect_left(levels, size), 1), len(levels) - 1)
            step = levels[above] - levels[min(bisect_right(levels, size), above) - 1]
        yield size, min(1.0, step / 2 / size)


def _window(here: float) -> tuple[float, float]:
    return max(1e-45, min(1e-9, here / 100)), min(1e39, max(1e6, here * 100))


def _shade(row: Row, place: int) -> int | None:
    if place >= len(row.bits):
        return None
    return 2 * list(_CELLS).index(_part(row, place)) + int(row.bits[place])


def _part(row: Row, place: int) -> str:
    if row.name == "nf4":
        return "level"
    return "sign" if place == 0 else "exponent" if place <= row.exponent else "mantissa"


def _bit_words(row: Row, place: int) -> str:
    if place >= len(row.bits):
        return ""
    part = _part(row, place)
    named = "номер уровня" if part == "level" else "дополнительный код" if row.name == "int8" else PARTS[part]
    return f"{row.title}, бит {place + 1} — {named}: {row.bits[place]}"


def _grouped(row: Row) -> str:
    """Bits with a space between sign, exponent and mantissa."""
    if not row.exponent:
        return row.bits
    return f"{row.bits[0]} {row.bits[1 : 1 + row.exponent]} {row.bits[1 + row.exponent :]}"


def _bits_finding(result: Result) -> str:
    exactly = [row.title for row in result.rows if row.error == 0]
    name = f"Число {_short(result.number)}"
    if math.isnan(result.value):
        return "NaN — «не число»: у форматов с порядком это все единицы в порядке и не нули в мантиссе"
    if not math.isfinite(result.value):
        return f"{name}: так его записывает каждый формат"
    if not exactly:
        return f"{name} ни в одном формате не лежит точно: в {result.chosen.title} — {_short(result.chosen.exact)}"
    if len(exactly) == len(result.rows):
        return f"{name} лежит точно во всех форматах"
    return f"{name} лежит точно только в {', '.join(exactly)}"


def _steps_finding(result: Result) -> str:
    held = [row for row in result.rows if row.step and not row.overflow and not row.underflow and row.exponent]
    gone = [row.title for row in result.rows if row.underflow]
    over = [row.title for row in result.rows if row.overflow]
    if over:
        return f"Число {_short(result.number)} не помещается в {', '.join(over)}"
    if gone:
        return f"Число {_short(result.number)} исчезает в {', '.join(gone)}"
    fine, rough = min(held, key=lambda row: row.step or 0), max(held, key=lambda row: row.step or 0)
    times = numbers.integer((rough.step or 0) / (fine.step or 1))
    return f"Шаг {rough.title} здесь крупнее шага {fine.title} в {times} раз"


def _warnings(result: Result, chosen: Row) -> Iterator[str]:
    if chosen.overflow:
        became = _KINDS["infinity"] if chosen.kind == "infinity" else "обрезано до наибольшего"
        yield (
            f"Переполнение: наибольшее в {chosen.title} — {_size(chosen.largest)}, "
            f"число {_short(result.number)} стало другим: {became}."
        )
    if chosen.underflow:
        yield f"Исчезло: ближайшее к {_short(result.number)} в {chosen.title} — ноль. Так пропадают малые градиенты."


def _note(result: Result) -> str:
    return (
        "BF16 — первые 16 бит FP32: порядок тот же, мантисса короче. У чисел с порядком шаг растёт вместе с числом; "
        f"у INT8 и NF4 шаг задаёт таблица, умноженная на absmax блока (сейчас {numbers.significant(result.absmax)})."
    )


def _everywhere(result: Result) -> Table:
    head = ("Формат", "Биты", "Точное значение", "Ошибка", "Относительная ошибка", "Шаг", "Снизу", "Сверху", "Вид")
    rows: list[tuple[Cell, ...]] = [
        (
            row.title,
            _grouped(row),
            row.exact,
            row.error,
            row.relative,
            row.step,
            row.below,
            row.above,
            "переполнение" if row.overflow else "исчезло" if row.underflow else _KINDS[row.kind],
        )
        for row in result.rows
    ]
    return Table("Это число во всех форматах", head, tuple(rows))


def _limits(result: Result) -> Table:
    head = (
        "Формат",
        "Знак + порядок + мантисса",
        "Наименьшее",
        "Наименьшее обычное",
        "Наибольшее",
        "Шаг у единицы (eps)",
    )
    rows: list[tuple[Cell, ...]] = [
        (
            row.title,
            f"1 + {row.exponent} + {row.mantissa}" if row.exponent else f"{len(row.bits)} бит номера",
            row.smallest,
            row.smallest_normal,
            row.largest,
            row.epsilon,
        )
        for row in result.rows
    ]
    return Table("Пределы форматов", head, tuple(rows), note="INT8 и NF4 — для этого absmax.")


def _short(exact: str, digits: int = 7) -> str:
    """An exact decimal fraction as far as it is worth reading."""
    if len(exact) <= digits + 2 or not any(digit in exact for digit in "0123456789"):
        return exact
    value = float(exact.replace("…", "").replace(",", ".").replace(numbers.MINUS, "-"))
    return numbers.significant(value, digits)


def _size(value: float | None) -> str:
    return "—" if value is None else numbers.significant(value)


def _share(share: float) -> str:
    return f"{numbers.significant(100 * share, 3)}{NBSP}%"


def _ten(power: int) -> str:
    return numbers.significant(10.0**power) if -4 < power < 7 else f"10{numbers.raised(power)}"
