"""The same small number added again and again: in a narrow format, with a wide accumulator, and with two old cures.

Naive: every partial sum is rounded to the format. Wide: the terms are of the format, the sum is kept in float32 and
rounded once at the end; this is what matrix units and master weights do. Kahan (1965): a second number of the format
keeps what the last addition lost. Stochastic: rounded up or down with the probabilities that make the mean right.
Every addition is exact in float64 before it is rounded: 53 bits are more than twice 24 and two. Leaves out pairwise
summation and products.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from types import MappingProxyType

from demos.numeric import formats
from demos.numeric.formats import FLOATING, FORMATS
from demos.params import Checked, parameter

DRAWN = 200
"""Points of a curve."""
WIDE = "float32"
WAYS: Mapping[str, str] = MappingProxyType(
    {
        "naive": "сумма в формате",
        "wide": "накопитель FP32",
        "kahan": "поправка Кэхэна",
        "stochastic": "случайное округление",
    }
)


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What is added to what. A weight and its updates, or a sum of many small terms from zero."""

    format: str = parameter("bfloat16", "Формат", words={name: FORMATS[name].title for name in FLOATING})
    start: float = parameter(1.0, "Начало", low=-1e6, high=1e6, note="вес до обновлений; 0 — просто сумма")
    term: float = parameter(1e-4, "Слагаемое", low=-1e4, high=1e4, note="одно обновление: скорость × градиент")
    count: int = parameter(1000, "Сколько раз", low=1, high=10_000)
    seed: int = parameter(0, "Зерно", low=0, high=2**31, note="случайного округления")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to add: the partial sums at ``Result.steps``."""

    name: str
    title: str
    curve: tuple[float, ...]
    last: float
    error: float  # |last − true|


@dataclass(frozen=True, slots=True)
class Result:
    """Every way beside the true sum. ``term`` and ``start`` are as the format holds them."""

    format: str
    title: str
    count: int
    asked_start: float
    asked_term: float
    start: float
    term: float
    steps: tuple[int, ...]
    true: float  # start + count·term as typed, in exact arithmetic
    truth: tuple[float, ...]
    ways: tuple[Way, ...]
    step: float | None  # of the format, outwards from the start
    lost: bool  # the very first addition changes nothing
    stuck_at: int | None  # the addition after which the naive sum never moved again, though others followed
    limit: float | None  # |sum| from which this term is lost; None: the term itself is zero here


def sums(params: Params) -> Result:
    """Add ``count`` times in every way."""
    start, term = (formats.rounded(params.format, value) for value in (params.start, params.term))
    steps = tuple(sorted({round(place * params.count / DRAWN) for place in range(DRAWN + 1)}))
    exact_start, exact_term = Fraction(repr(params.start)), Fraction(repr(params.term))
    truth = tuple(float(exact_start + exact_term * step) for step in steps)
    made = {name: _add(name, params, start, term) for name in WAYS}
    ways = tuple(_way(name, made[name], steps, truth[-1]) for name in WAYS)
    return Result(
        format=params.format,
        title=FORMATS[params.format].title,
        count=params.count,
        asked_start=params.start,
        asked_term=params.term,
        start=start,
        term=term,
        steps=steps,
        true=truth[-1],
        truth=truth,
        ways=ways,
        step=_step(params.format, start),
        lost=bool(params.term) and formats.rounded(params.format, start + term) == start,
        stuck_at=_stuck(params, made["naive"]),
        limit=_limit(params.format, term),
    )


def _add(name: str, params: Params, start: float, term: float) -> list[float]:
    """All partial sums, the start first."""
    adders: Mapping[str, Callable[[], list[float]]] = {
        "naive": lambda: _naive(params.format, start, term, params.count),
        "wide": lambda: _wide(params, term),
        "kahan": lambda: _kahan(params.format, start, term, params.count),
        "stochastic": lambda: _stochastic(params, start, term),
    }
    return adders[name]()


def _naive(name: str, start: float, term: float, count: int) -> list[float]:
    total, made = start, [start]
    for _ in range(count):
        total = formats.rounded(name, total + term)
        made.append(total)
    return made


def _wide(params: Params, term: float) -> list[float]:
    """A float32 accumulator from the start as typed; what is read from it is rounded to the format."""
    inside = _naive(WIDE, formats.rounded(WIDE, params.start), term, params.count)
    return [formats.rounded(params.format, value) for value in inside]


def _kahan(name: str, start: float, term: float, count: int) -> list[float]:
    total, lost, made = start, 0.0, [start]
    for _ in range(count):
        wanted = formats.rounded(name, term - lost)
        fresh = formats.rounded(name, total + wanted)
        lost = formats.rounded(name, formats.rounded(name, fresh - total) - wanted)
        total = fresh
        made.append(total)
    return made


def _stochastic(params: Params, start: float, term: float) -> list[float]:
    random, total, made = Random(params.seed), start, [start]  # noqa: S311 - rounding, no secret
    for _ in range(params.count):
        total = formats.rounded(params.format, total + term, random.random())
        made.append(total)
    return made


def _way(name: str, sums_made: Sequence[float], steps: tuple[int, ...], true: float) -> Way:
    last = sums_made[-1]
    return Way(name, WAYS[name], tuple(sums_made[step] for step in steps), last, abs(last - true))


def _stuck(params: Params, made: Sequence[float]) -> int | None:
    """The addition after which the sum never moved again, when others followed."""
    moved = next((place for place in range(params.count, 0, -1) if made[place] != made[place - 1]), 0)
    return moved if params.term and moved < params.count and math.isfinite(made[-1]) else None


def _step(name: str, value: float) -> float | None:
    """From a number of the format to the next one away from zero."""
    if not math.isfinite(value):
        return None
    here = Fraction(abs(value))
    _, above = formats.neighbours(name, formats.encode(name, here))
    return None if above is None else float(above - here)


def _limit(name: str, term: float) -> float | None:
    """The smallest power of two where half a step is as large as the term: added there, it is rounded away."""
    if not term or not math.isfinite(term):
        return None
    return math.ldexp(1.0, math.ceil(math.log2(abs(term))) + FORMATS[name].mantissa + 1)
