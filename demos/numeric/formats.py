"""Number formats of deep learning to the bit: FP32, FP16, BF16, FP8 (E4M3, E5M2), INT8 and NF4. Exact, no library.

A number is a ``Fraction``; a float stands only for −0, infinities and NaN. Rounding is to nearest, ties to even, in one
step: torch goes from float64 to BF16 through float32 and may round twice. E4M3 is OCP's «FN»: no infinities, one NaN
(arXiv 2209.05433); what does not fit becomes the largest number, as in torch 2.13 and NVIDIA's ``cvt.satfinite``.
INT8 and NF4 are levels times ``absmax``. Leaves out arithmetic (``sums``).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Literal

Exact = Fraction | float
"""A rational, or a float that is −0, ±∞ or NaN."""
Kind = Literal["zero", "subnormal", "normal", "infinity", "nan", "level"]
INT8_TOP = 127
NF4 = (
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453),
    *(-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0),
    *(0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
    *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
)
"""QLoRA, appendix E, as bitsandbytes has it: quantiles of the normal distribution rebuilt differ from it by 1e-7."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format. Those with levels have no exponent; ``infinities`` tells IEEE from «FN», which saturates."""

    name: str
    title: str
    exponent: int  # bits
    mantissa: int  # bits
    sign: int = 1
    infinities: bool = True

    @property
    def bits(self) -> int:
        """All of them."""
        return self.sign + self.exponent + self.mantissa

    @property
    def floating(self) -> bool:
        """Whether it has an exponent: its step grows with the number."""
        return self.exponent > 0

    @property
    def lowest(self) -> int:
        """Exponent of the smallest normal number, and of all subnormal ones."""
        return 2 - (1 << (self.exponent - 1))

    @property
    def last(self) -> int:
        """The code that too large a number becomes, its sign aside: infinity, or the largest number of E4M3."""
        return self.first_special if self.infinities else self.first_special - 1

    @property
    def first_special(self) -> int:
        """The smallest code, its sign aside, that is no number: infinity, or E4M3's only NaN."""
        top = (1 << (self.exponent + self.mantissa)) - 1
        return top - (1 << self.mantissa) + 1 if self.infinities else top

    @property
    def largest(self) -> Fraction:
        """The largest finite number."""
        return _magnitude(self, self.first_special - 1)

    @property
    def smallest_normal(self) -> Fraction:
        """Below it precision is lost bit by bit."""
        return _power(self.lowest)

    @property
    def smallest(self) -> Fraction:
        """The smallest positive number."""
        return _power(self.lowest - self.mantissa)

    @property
    def epsilon(self) -> Fraction:
        """The step at one."""
        return _power(-self.mantissa)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        one.name: one
        for one in (
            Format("float32", "FP32", 8, 23),
            Format("float16", "FP16", 5, 10),
            Format("bfloat16", "BF16", 8, 7),
            Format("float8_e4m3fn", "FP8 E4M3", 4, 3, infinities=False),
            Format("float8_e5m2", "FP8 E5M2", 5, 2),
            Format("int8", "INT8", 0, 7),
            Format("nf4", "NF4", 0, 4, sign=0),
        )
    }
)
"""By torch's own names."""
FLOATING = tuple(name for name, one in FORMATS.items() if one.floating)


def encode(name: str, number: Exact, absmax: Fraction = Fraction(1)) -> int:
    """The code that ``number`` becomes: its bits as a whole number without a sign."""
    one = FORMATS[name]
    if one.floating:
        return _encode_float(one, number)
    level = _level(number, absmax)
    if name == "int8":
        return max(-INT8_TOP, min(INT8_TOP, round(level * INT8_TOP))) & 0xFF
    codes = nf4_levels()
    return min(range(len(codes)), key=lambda code: abs(codes[code] - level))


def decode(name: str, code: int, absmax: Fraction = Fraction(1)) -> Exact:
    """The number that a code stands for."""
    one = FORMATS[name]
    if one.floating:
        negative, magnitude = bool(code >> (one.bits - 1)), code & ((1 << (one.bits - 1)) - 1)
        if magnitude >= one.first_special:
            infinite = one.infinities and magnitude == one.first_special
            return (-math.inf if negative else math.inf) if infinite else math.nan
        if not magnitude:
            return -0.0 if negative else Fraction(0)
        return -_magnitude(one, magnitude) if negative else _magnitude(one, magnitude)
    if name == "int8":
        return Fraction(code - 256 if code > INT8_TOP else code, INT8_TOP) * absmax
    return nf4_levels()[code] * absmax


def classify(name: str, code: int) -> Kind:
    """What kind of number a code is."""
    one = FORMATS[name]
    if not one.floating:
        return "level"
    magnitude = code & ((1 << (one.bits - 1)) - 1)
    if magnitude >= one.first_special:
        return "infinity" if one.infinities and magnitude == one.first_special else "nan"
    if magnitude == 0:
        return "zero"
    return "normal" if magnitude >> one.mantissa else "subnormal"


def neighbours(name: str, code: int, absmax: Fraction = Fraction(1)) -> tuple[Fraction | None, Fraction | None]:
    """The finite numbers next to a finite one, below and above; None where there is none."""
    here = decode(name, code, absmax)
    if isinstance(here, float) and here != 0:
        return None, None
    one, value = FORMATS[name], Fraction(here)
    if not one.floating:
        all_levels = levels(name, absmax)
        below, above = (
            [level for level in all_levels if level < value],
            [level for level in all_levels if level > value],
        )
        return (below[-1] if below else None), (above[0] if above else None)
    magnitude = code & ((1 << (one.bits - 1)) - 1)
    outward = _magnitude(one, magnitude + 1) if magnitude + 1 < one.first_special else None
    inward = _magnitude(one, magnitude - 1) if magnitude else -one.smallest
    if code >> (one.bits - 1) and magnitude:
        return (None if outward is None else -outward), -inward
    return inward, outward


def rounded(name: str, value: float, chance: float = 0.5) -> float:
    """The same rounding for floats, quickly: what a sum in this format does at every step. Value: any float64.

    With another ``chance``, drawn from 0 to 1, it is stochastic: up where the part above a step exceeds the chance.
    """
    lowest, mantissa, largest, infinities = _grid(name)
    if not value or not math.isfinite(value):
        return math.copysign(largest, value) if math.isinf(value) and not infinities else value
    exponent = max(math.frexp(value)[1] - 1, lowest) - mantissa
    steps = math.ldexp(value, -exponent)
    whole = round(steps) if chance == 0.5 else math.floor(steps) + (steps - math.floor(steps) > chance)
    if abs(value) < 2 * largest and abs(near := math.ldexp(whole, exponent)) <= largest:
        return near or math.copysign(0.0, value)
    return math.copysign(math.inf if infinities else largest, value)


@cache
def nf4_levels() -> tuple[Fraction, ...]:
    """The table of NF4, each level as float32 holds it."""
    return tuple(Fraction(struct.unpack("f", struct.pack("f", level))[0]) for level in NF4)


def smallest_level(name: str, absmax: Fraction) -> Fraction:
    """The smallest positive level."""
    return min(level for level in levels(name, absmax) if level > 0)


@cache
def _grid(name: str) -> tuple[int, int, float, bool]:
    one = FORMATS[name]
    return one.lowest, one.mantissa, float(one.largest), one.infinities


def levels(name: str, absmax: Fraction) -> list[Fraction]:
    """Every level of a format without an exponent, ascending."""
    if name == "int8":
        return [Fraction(code, INT8_TOP) * absmax for code in range(-INT8_TOP - 1, INT8_TOP + 1)]
    return [level * absmax for level in nf4_levels()]


def _level(number: Exact, absmax: Fraction) -> Fraction:
    """A number as a share of absmax; levels have no infinity and no NaN: these become the end and zero."""
    if isinstance(number, Fraction):
        return number / absmax
    return Fraction(0) if number != number or number == 0 else Fraction(2 if number > 0 else -2)  # noqa: PLR0124


def _encode_float(one: Format, number: Exact) -> int:
    sign = 1 << (one.bits - 1)
    if isinstance(number, float):
        if math.isnan(number):
            return one.first_special | (1 << (one.mantissa - 1) if one.infinities else 0)
        magnitude = 0 if number == 0 else one.last
        return magnitude | (sign if math.copysign(1, number) < 0 else 0)
    if number == 0:
        return 0
    size = abs(number)
    exponent = max(_exponent(size), one.lowest)
    steps = round(size / _power(exponent - one.mantissa))  # ties to even
    magnitude = min(((exponent - one.lowest) << one.mantissa) + steps, one.last)
    return magnitude | (sign if number < 0 else 0)


def _exponent(size: Fraction) -> int:
    """⌊log₂ size⌋ of a positive number."""
    guess = size.numerator.bit_length() - size.denominator.bit_length()
    return guess if _power(guess) <= size else guess - 1


def _magnitude(one: Format, magnitude: int) -> Fraction:
    exponent, mantissa = magnitude >> one.mantissa, magnitude & ((1 << one.mantissa) - 1)
    if exponent:
        return (mantissa + (1 << one.mantissa)) * _power(exponent - 1 + one.lowest - one.mantissa)
    return mantissa * one.smallest


def _power(exponent: int) -> Fraction:
    return Fraction(2) ** exponent
