"""Tables of sixteen levels between −1 and 1, built here from their definitions; no torch, no library.

NF4 is rebuilt from quantiles of the normal distribution as bitsandbytes' ``create_normal_map`` does (QLoRA,
arXiv 2305.14314, appendix E), FP4 from its bits. Leaves out how a block is scaled (``schemes``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

OFFSET = 0.9677083
"""The largest probability that becomes a level: 1 − ½(1/32 + 1/30), as bitsandbytes rounds it."""
LEVELS = 16
_NORMAL = NormalDist()


def probabilities(offset: float = OFFSET) -> tuple[float, ...]:
    """The probability of each NF4 level, ascending: seven below ½, ½ itself for the exact zero, eight above."""
    below = [1 - p for p in _steps(offset, 0.5, LEVELS // 2)[:-1]]
    above = _steps(offset, 0.5, LEVELS // 2 + 1)[:-1]
    return (*below, 0.5, *reversed(above))


def nf4(offset: float = OFFSET) -> tuple[float, ...]:
    """The sixteen NF4 levels, ascending, the largest exactly 1."""
    quantiles = [0.0 if p == 0.5 else _NORMAL.inv_cdf(p) for p in probabilities(offset)]
    return _scaled(quantiles)


def bin_means() -> tuple[float, ...]:
    """Means of N(0, 1) inside sixteen equally probable bins: a common retelling of NF4, without a zero."""
    edges = [_NORMAL.inv_cdf(i / LEVELS) for i in range(1, LEVELS)]
    heights = [0.0, *(_NORMAL.pdf(edge) for edge in edges), 0.0]
    return _scaled([(low - high) * LEVELS for low, high in pairwise(heights)])


def uniform() -> tuple[float, ...]:
    """Sixteen levels at equal distances from −1 to 1: no zero among them."""
    return tuple(-1 + 2 * i / (LEVELS - 1) for i in range(LEVELS))


def symmetric(largest: int = 7) -> tuple[float, ...]:
    """Whole numbers from −largest to largest, divided by it: INT4 without a zero-point has fifteen levels."""
    return tuple(code / largest for code in range(-largest, largest + 1))


def fp4() -> tuple[float, ...]:
    """The FP4 levels of bitsandbytes in the order of their codes: one sign bit, then three that name a size."""
    sizes = (0.0, 0.0625, 8.0, 12.0, 4.0, 6.0, 2.0, 3.0)
    return tuple(sign * size / max(sizes) for sign in (1, -1) for size in sizes)


def _steps(first: float, last: float, count: int) -> list[float]:
    return [first + (last - first) * i / (count - 1) for i in range(count)]


def _scaled(levels: Sequence[float]) -> tuple[float, ...]:
    largest = max(levels)
    return tuple(level / largest for level in levels)
