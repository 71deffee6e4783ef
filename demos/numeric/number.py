"""One number in every format: its bits, exactly what they stand for, the step there, what is lost on the way.

The number is typed («0,1», «1/3», «2^-24», «inf»), or set bit by bit in one of the formats. Leaves out drawing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

from common.numbers import MINUS, NBSP
from demos.numeric import formats
from demos.numeric.formats import FORMATS, Exact, Format, Kind
from demos.params import Checked, ParamsError, parameter

LONGEST = 200
FARTHEST = 300
"""Powers of ten: far beyond every format, near enough to compute with."""
_FAR = Fraction(10) ** (2 * FARTHEST)
DIGITS = 40
"""Of a number whose decimal fraction never ends."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """A number, or the bits of one: bits win."""

    number: str = parameter("0,1", "Число", note="0,1 · 1/3 · 2^-24 · 6,1e-5 · inf · nan", longest=LONGEST)
    format: str = parameter("bfloat16", "Формат", words={name: one.title for name, one in FORMATS.items()})
    bits: str = parameter("", "Биты", note="нули и единицы от знака до младшего бита; пусто — взять число", longest=64)
    absmax: float = parameter(1.0, "absmax блока", low=1e-6, high=1e6, note="наибольший модуль блока: для INT8 и NF4")


@dataclass(frozen=True, slots=True)
class Row:
    """The number in one format. Floats are for drawing; ``exact`` is the whole decimal fraction."""

    name: str
    title: str
    bits: str
    exponent: int  # bits
    mantissa: int
    kind: Kind
    exact: str
    value: float  # may be infinite or not a number
    error: float | None  # |value − number|; None where one of them is not finite
    relative: float | None
    below: float | None
    above: float | None
    step: float | None  # to the next number away from zero (or, at the end of the range, towards it)
    overflow: bool
    underflow: bool
    smallest: float  # positive
    smallest_normal: float | None
    largest: float
    epsilon: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """The number as it was meant, and as every format holds it."""

    number: str
    value: float
    format: str
    edited: bool  # set by bits
    absmax: float
    rows: tuple[Row, ...]

    @property
    def chosen(self) -> Row:
        """The row of the format that was asked for."""
        return next(row for row in self.rows if row.name == self.format)


def number(params: Params) -> Result:
    """Read the number or the bits, write it in every format.

    Raises:
        ParamsError: no number, bits of another length, something absurdly large.
    """
    absmax = Fraction(repr(params.absmax))
    code = _code(params) if params.bits else None
    meant = parse(params.number) if code is None else formats.decode(params.format, code, absmax)
    rows = tuple(
        _row(name, meant, absmax, code if code is not None and name == params.format else None) for name in FORMATS
    )
    return Result(exact(meant), _float(meant), params.format, code is not None, params.absmax, rows)


def parse(text: str) -> Exact:
    """A number as people type it, exactly.

    Raises:
        ParamsError: it is none, or farther than 10^±300.
    """
    plain = "".join(text.split()).replace(NBSP, "").replace(MINUS, "-").replace(",", ".").lower()
    if plain.lstrip("+-") in ("inf", "∞", "nan", "бесконечность"):
        size = math.nan if plain.endswith("nan") else math.inf
        return math.copysign(size, -1) if plain.startswith("-") else size
    found = (
        _power(plain)
        if re.fullmatch(r"[+-]?2(\^|\*\*)-?\d{1,4}", plain)
        else _quotient(plain)
        if re.fullmatch(r"[+-]?\d{1,60}/\d{1,60}", plain)
        else _decimal(plain)
    )
    if found is None:
        raise ParamsError(f"Число: нужно что-нибудь вроде 0,1, 1/3, 2^-24 или inf, а получено «{text[:40]}».")
    if found and abs(math.log10(abs(found.numerator)) - math.log10(found.denominator)) > FARTHEST:
        raise ParamsError(f"Число: дальше 10^{FARTHEST} и ближе 10^−{FARTHEST} ни один формат не дотянется.")
    return -0.0 if not found and plain.startswith("-") else found


def exact(value: Exact) -> str:
    """The whole decimal fraction with a comma; one that never ends is cut at 40 digits and says so."""
    if isinstance(value, float):
        return f"{MINUS}0" if value == 0 else "не число" if math.isnan(value) else "∞" if value > 0 else f"{MINUS}∞"
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest == 1 and places <= 2 * FARTHEST:
        digits = f"{abs(value.numerator) * 10**places // value.denominator:0{places + 1}d}"
        text = f"{digits[:-places]},{digits[-places:]}" if places else digits
    else:
        about = Context(prec=DIGITS).divide(Decimal(abs(value.numerator)), Decimal(value.denominator))
        text = f"{about}".replace(".", ",") + "…"
    return f"{MINUS}{text}" if value < 0 else text


def _code(params: Params) -> int:
    bits, wanted = "".join(params.bits.split()), FORMATS[params.format].bits
    if len(bits) != wanted or set(bits) - {"0", "1"}:
        raise ParamsError(
            f"Биты: для {FORMATS[params.format].title} нужно {wanted} нулей и единиц, а получено «{bits[:40]}»."
        )
    return int(bits, 2)


def _row(name: str, meant: Exact, absmax: Fraction, code: int | None) -> Row:
    one = FORMATS[name]
    code = formats.encode(name, meant, absmax) if code is None else code
    held = formats.decode(name, code, absmax)
    below, above = formats.neighbours(name, code, absmax)
    both = all(isinstance(each, Fraction) or each == 0 for each in (meant, held))
    error = abs(Fraction(held) - Fraction(meant)) if both else None
    top = one.largest if one.floating else absmax
    return Row(
        name=name,
        title=one.title,
        bits=f"{code:0{one.bits}b}",
        exponent=one.exponent,
        mantissa=one.mantissa,
        kind=formats.classify(name, code),
        exact=exact(held),
        value=_float(held),
        error=None if error is None else _float(error),
        relative=_float(error / abs(Fraction(meant))) if error is not None and meant else None,
        below=None if below is None else _float(below),
        above=None if above is None else _float(above),
        step=_step(held, below, above),
        overflow=_overflows(one, meant, held, top),
        underflow=bool(isinstance(meant, Fraction) and meant and held == 0),
        smallest=_float(one.smallest if one.floating else formats.smallest_level(name, absmax)),
        smallest_normal=float(one.smallest_normal) if one.floating else None,
        largest=_float(top),
        epsilon=float(one.epsilon) if one.floating else None,
    )


def _step(held: Exact, below: Fraction | None, above: Fraction | None) -> float | None:
    """To the neighbour away from zero; at the end of the range, to the one inside."""
    if isinstance(held, float) and held != 0:
        return None
    outward, inward = (below, above) if held < 0 else (above, below)
    near = inward if outward is None else outward
    return None if near is None else float(abs(near - Fraction(held)))


def _overflows(one: Format, meant: Exact, held: Exact, top: Fraction) -> bool:
    """A finite number that became infinite or, where there is no infinity, was cut to the largest one."""
    if not isinstance(meant, Fraction):
        return False
    if one.infinities and one.floating:
        return isinstance(held, float) and math.isinf(held)
    half = (top - Fraction(formats.decode(one.name, one.last - 1))) / 2 if one.floating else Fraction(0)
    return abs(meant) > top + half


def _float(value: Exact) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _power(plain: str) -> Fraction:
    exponent = int(re.split(r"\^|\*\*", plain)[1])
    size = Fraction(2) ** exponent if abs(exponent) <= 2 * FARTHEST else _FAR
    return -size if plain.startswith("-") else size


def _quotient(plain: str) -> Fraction | None:
    above, below = plain.split("/")
    return Fraction(int(above), int(below)) if int(below) else None


def _decimal(plain: str) -> Fraction | None:
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,5})?", plain):
        return None
    value = Decimal(plain)
    far = bool(value) and abs(value.adjusted()) > FARTHEST
    return _FAR if far else Fraction(value)
