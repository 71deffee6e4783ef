"""How sure a count of right answers makes us: Wilson's interval and McNemar's exact test.

Standard library only: pages call it too. Leaves out anything that needs a distribution other than the binomial.
"""

from __future__ import annotations

from math import comb, sqrt
from statistics import NormalDist

from demos.finetuning.events import Score

CONFIDENCE = 0.95


def wilson(right: int, of: int) -> Score:
    """``right`` of ``of`` with Wilson's 95 % interval, which stays honest at 0 and at 100 %; (0, 1) for no answers.

    >>> score = wilson(0, 200)
    >>> round(score.high, 4)
    0.0188
    """
    if of == 0:
        return Score(0, 0, 0.0, 1.0)
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share, weight = right / of, 1 + z * z / of
    middle = (share + z * z / (2 * of)) / weight
    half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / weight
    low, high = middle - half, middle + half
    return Score(right, of, low if right else 0.0, high if right < of else 1.0)


def mcnemar(gained: int, lost: int) -> float:
    """Two-sided exact p-value that as many answers turn right as turn wrong; 1 when none changed.

    >>> mcnemar(9, 1)
    0.021484375
    """
    changed = gained + lost
    tail = sum(comb(changed, count) for count in range(min(gained, lost) + 1))
    return min(1.0, float(2 * tail / 2**changed))
