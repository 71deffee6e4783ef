"""Numbers bit by bit, with bits that are switched by a tap, and sums that go wrong.

A number is typed or set by its bits; whichever was touched last decides. Leaves out drawing (``charts.numeric``,
``charts.sums``) and computing (``demos.numeric``).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import streamlit as st

from charts import numeric, sums
from common import numbers
from common.numbers import MINUS
from demos.numeric import formats, number, snippets
from demos.numeric.formats import FORMATS
from demos.numeric.number import Result
from demos.numeric.sums import Result as Sums
from demos.params import Field, ParamsError
from ui import session
from ui.demos import form
from ui.demos.frame import Look, Prediction

GROUP = "Числа и память"
TERMS = (1e-6, 1e-5, 1e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.1, 1.0)
COUNTS = (10, 100, 300, 1000, 3000, 10_000)
_PARTS = {"sign": "Знак", "exponent": "Порядок", "mantissa": "Мантисса", "level": "Номер уровня"}


def _number(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    fixed = bool(locked & {"number", "bits"})
    _spell(key)
    values: dict[str, Any] = {
        "number": st.text_input(
            fields["number"].title,
            key=form.widget(key, "number"),
            help=fields["number"].note,
            disabled=fixed,
            on_change=_forget_bits,
            args=(key,),
        ),
        "format": st.pills(
            fields["format"].title,
            list(FORMATS),
            key=form.widget(key, "format"),
            format_func=lambda name: FORMATS[name].title,
            required=True,
            disabled="format" in locked,
            on_change=_forget_bits,
            args=(key,),
        ),
    }
    if not FORMATS[values["format"]].floating:
        values["absmax"] = form.field(fields["absmax"], key, locked="absmax" in locked)
    values["bits"] = session.recall(form.widget(key, "bits"), "")
    _switches(values, key, locked=fixed)
    return values


def _switches(values: Mapping[str, Any], key: str, *, locked: bool) -> None:
    """A switch for each bit, named by its weight; lit ones are ones."""
    try:
        bits = values["bits"] or _bits(values)
    except (ParamsError, ValueError):
        return  # the frame says what is wrong with the number
    for part, places in _groups(values["format"]).items():
        name = _switch(key, part, values["format"])
        session.remember(name, [place for place in places if bits[place : place + 1] == "1"])
        st.pills(
            _PARTS[part] + (": горит — единица, погашен — ноль" if part in ("sign", "level") else ""),
            places,
            selection_mode="multi",
            key=name,
            format_func=partial(_weight, values["format"]),
            disabled=locked,
            on_change=_set_bits,
            args=(key, values["format"]),
        )


def _bits(values: Mapping[str, Any]) -> str:
    absmax = _scale(str(values.get("absmax", 1.0)))
    code = formats.encode(values["format"], number.parse(values["number"]), absmax)
    return f"{code:0{FORMATS[values['format']].bits}b}"


def _scale(text: str) -> Fraction:
    scale = Fraction(text.strip().replace(",", "."))
    if not scale > 0:
        raise ValueError(text)
    return scale


def _groups(name: str) -> dict[str, list[int]]:
    """Places of the bits by what they are."""
    one = FORMATS[name]
    if not one.sign:
        return {"level": list(range(one.bits))}
    first = 1 + one.exponent
    groups = {"sign": [0], "exponent": list(range(1, first)), "mantissa": list(range(first, one.bits))}
    return {part: places for part, places in groups.items() if places}


def _weight(name: str, place: int) -> str:
    """What a bit is worth: powers of two of the exponent, halves and quarters of the mantissa."""
    one = FORMATS[name]
    if one.sign and place == 0:
        return f"{MINUS}128" if name == "int8" else MINUS
    if one.floating and place > one.exponent:
        return f"2{numbers.raised(one.exponent - place)}"
    last = one.exponent if one.floating else one.bits - 1
    return str(2 ** (last - place))


def _switch(key: str, part: str, name: str) -> str:
    return f"{key}-{name}-{part}"


def _set_bits(key: str, name: str) -> None:
    """Take the bits as they are switched now."""
    none = list[int]()
    lit = {place for part in _groups(name) for place in session.recall(_switch(key, part, name), none) or none}
    bits = "".join("1" if place in lit else "0" for place in range(FORMATS[name].bits))
    session.remember(form.widget(key, "bits"), bits)


def _spell(key: str) -> None:
    """Where bits decide, the field of the number says which one they are; bits that do not fit stay as they are."""
    bits, name = (session.recall(form.widget(key, field), "") for field in ("bits", "format"))
    try:
        code = int(bits, 2) if len(bits) == FORMATS[name].bits else int("")
        value = number.exact(formats.decode(name, code, _scale(str(session.recall(form.widget(key, "absmax"), 1.0)))))
    except (ValueError, KeyError):
        return
    spelled = {"не число": "nan", "∞": "inf", f"{MINUS}∞": "-inf"}.get(value, value).removesuffix("…")
    session.remember(form.widget(key, "number"), spelled[: number.LONGEST])


def _forget_bits(key: str) -> None:
    session.remember(form.widget(key, "bits"), "")


def _sums(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values: dict[str, Any] = {"format": form.choice(fields["format"], key, locked="format" in locked)}
    with st.grid(2, min_column_width=180):
        values["term"] = form.slider(fields["term"], key, TERMS, locked="term" in locked)
        values["count"] = form.slider(fields["count"], key, COUNTS, locked="count" in locked)
    with st.expander("Ещё настройки", icon=":material/tune:", key=f"{key}-more"), st.grid(2, min_column_width=180):
        for name in ("start", "seed"):
            values[name] = form.field(fields[name], key, locked=name in locked)
    return values


def _exactly(result: Result) -> int:
    """How many formats hold the number exactly: none, some, all."""
    held = sum(row.error == 0 for row in result.rows)
    return 0 if not held else 2 if held == len(result.rows) else 1


def _tell_number(result: Result) -> str:
    held = [row.title for row in result.rows if row.error == 0]
    return (
        f"Точно 0,1 держит {', '.join(held)}."
        if held
        else f"Одна десятая — бесконечная двоичная дробь: даже в FP32 лежит {result.rows[0].exact}."
    )


def _grew(result: Sums) -> int:
    last = result.ways[0].last
    return 0 if last == result.start else 1 if last < 0.99 * result.true else 2


def _tell_sums(result: Sums) -> str:
    return (
        f"Получилось {sums.value(result.ways[0].last)}. Шаг BF16 у единицы — {sums.value(result.step or 0)}: прибавка "
        "меньше половины шага округляется обратно, и так тысячу раз подряд."
    )


LOOKS: Mapping[str, Look] = {
    "bits.number": Look(
        title="Биты: число во всех форматах",
        group=GROUP,
        summary="Переключайте биты FP32, FP16, BF16, FP8, INT8 и NF4 и смотрите, что они значат и что теряется.",
        draw=numeric.number,
        ask=Prediction(
            question="Число 0,1 записывают в FP32, FP16, BF16, FP8, INT8 и NF4. Где оно лежит точно?",
            options=("Нигде", "Только в некоторых", "Везде"),
            right=_exactly,
            tell=_tell_number,
        ),
        controls=_number,
        code=snippets.bits,
    ),
    "bits.sums": Look(
        title="Суммы, которые теряются",
        group=GROUP,
        summary="Малые обновления веса в узком формате исчезают; накопитель FP32 их спасает.",
        draw=sums.sums,
        ask=Prediction(
            question="Вес в BF16 равен 1. Тысячу раз подряд к нему прибавили 0,0001. Каким он стал?",
            options=("Остался 1", "Вырос, но меньше чем до 1,1", "Стал около 1,1"),
            right=_grew,
            tell=_tell_sums,
        ),
        controls=_sums,
        code=snippets.sums,
    ),
}
