"""Numbers as a Russian reader expects them: one place for lessons, charts, verdicts and exports.

Non-breaking spaces group digits and stand before units, the decimal separator is a comma, ГБ is 10⁹ bytes and
ГиБ is 2³⁰ bytes. Leaves out currencies and dates.

>>> integer(41_943_040).replace(NBSP, " ")
'41 943 040'
>>> size(13_631_488).replace(NBSP, " ")
'13,6 МБ'
"""

from __future__ import annotations

import math

NBSP = "\u00a0"
MINUS = "\u2212"

_DECIMAL = ((10**12, "ТБ"), (10**9, "ГБ"), (10**6, "МБ"), (10**3, "КБ"))
_BINARY = ((2**40, "ТиБ"), (2**30, "ГиБ"), (2**20, "МиБ"), (2**10, "КиБ"))
_UNITLESS = {"", "integer", "decimal"}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def integer(value: float) -> str:
    """A whole number in groups of three digits: ``41 943 040``."""
    return _signed(f"{round(value):,}".replace(",", NBSP))


def decimal(value: float, digits: int = 2) -> str:
    """A number with ``digits`` digits after the comma: ``0,047``."""
    if not math.isfinite(value):
        return "∞" if value > 0 else f"{MINUS}∞" if value < 0 else "не число"
    return _signed(f"{value:,.{digits}f}".replace(",", NBSP).replace(".", ","))


def significant(value: float, digits: int = 4) -> str:
    """A measured number with so many digits that say something: ``0,09204``, ``1 235``, ``1,5·10⁻⁸``."""
    if value == 0 or not math.isfinite(value):
        return decimal(value, 0)
    power = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    if -5 < power < 15:
        text = decimal(value, max(0, digits - 1 - power))
        return text.rstrip("0").rstrip(",") if "," in text else text
    return f"{significant(value / 10.0**power, digits)}·10{raised(power)}"


def raised(power: int) -> str:
    """A power as a superscript: ``⁻⁸``."""
    return str(power).translate(_RAISED)


def percent(share: float, digits: int = 2) -> str:
    """A share of one as percent: ``percent(0.00047, 3)`` is ``0,047 %``."""
    return f"{decimal(share * 100, digits)}{NBSP}%"


def size(count: float, digits: int = 1, *, binary: bool = False) -> str:
    """Bytes in the largest unit that keeps the number at or above one: ``13,6 МБ`` (10⁶) or ``13,0 МиБ`` (2²⁰)."""
    for factor, unit in _BINARY if binary else _DECIMAL:
        if abs(count) >= factor:
            return f"{decimal(count / factor, digits)}{NBSP}{unit}"
    return f"{integer(count)}{NBSP}Б"


def duration(seconds: float) -> str:
    """A span of time for people: ``0,4 с``, ``12 с``, ``3 мин 5 с``."""
    if seconds < 10:
        return f"{decimal(seconds, 1)}{NBSP}с"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}{NBSP}мин {rest}{NBSP}с" if minutes else f"{rest}{NBSP}с"


def show(value: float, form: str = "integer", digits: int | None = None) -> str:
    """The one way from a number to text.

    ``form`` is ``integer``, ``decimal``, ``percent`` (value is a share of one), ``bytes``, ``bytes-binary``,
    ``seconds`` or a unit to write after the number. ``digits`` counts digits after the comma.
    """
    if form == "percent":
        return percent(value, 2 if digits is None else digits)
    if form in {"bytes", "bytes-binary"}:
        return size(value, 1 if digits is None else digits, binary=form == "bytes-binary")
    if form == "seconds":
        return duration(value)
    whole = digits == 0 or (digits is None and float(value).is_integer() and form != "decimal")
    text = integer(value) if form == "integer" or whole else decimal(value, 2 if digits is None else digits)
    return text if form in _UNITLESS else f"{text}{NBSP}{form}"


def plural(count: int, one: str, few: str, many: str) -> str:
    """The number with the right form of the word: ``plural(5, "попытка", "попытки", "попыток")`` is ``5 попыток``."""
    return f"{integer(count)}{NBSP}{word(count, one, few, many)}"


def word(count: int, one: str, few: str, many: str) -> str:
    """The form of a Russian word that goes with ``count``, without the number."""
    tens, ones = abs(count) % 100, abs(count) % 10
    if 11 <= tens <= 14:
        return many
    return one if ones == 1 else few if 2 <= ones <= 4 else many


def parse(text: str) -> float:
    """A number as a person types it: spaces, comma or point, percent sign dropped.

    Raises:
        ValueError: the text is not a number.
    """
    cleaned = "".join(text.split()).replace(NBSP, "").replace(",", ".").replace(MINUS, "-").removesuffix("%")
    value = float(cleaned)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _signed(text: str) -> str:
    return text.replace("-", MINUS, 1)
