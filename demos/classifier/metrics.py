"""What is counted from answers: the confusion matrix, precision, recall, F1 of each class, macro-F1 and its interval.

A class that nobody has and nobody was given has F1 0; macro-F1 is the plain mean over all classes. Leaves out
thresholds (``threshold``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 1000
MIDDLE = (2.5, 97.5)  # percentiles: 95 % of the resamples lie between


@dataclass(frozen=True, slots=True)
class Class:
    """One class: of how many it is the truth, how often it was said, how often both."""

    name: str
    support: int
    said: int
    hits: int

    @property
    def precision(self) -> float | None:
        """Share of what was called so that is so; None when nothing was."""
        return self.hits / self.said if self.said else None

    @property
    def recall(self) -> float | None:
        """Share of what is so that was called so; None when nothing is."""
        return self.hits / self.support if self.support else None

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 0 when the class neither is there nor was said."""
        total = self.support + self.said
        return 2 * self.hits / total if total else 0.0


def matrix(truth: np.ndarray, said: np.ndarray, count: int) -> np.ndarray:
    """Counts, (truth, answer); the last column counts those without an answer, said to be -1."""
    import numpy as np

    found = np.zeros((count, count + 1), int)
    np.add.at(found, (truth, np.where(said < 0, count, said)), 1)
    return found


def classes(found: np.ndarray, names: tuple[str, ...]) -> tuple[Class, ...]:
    """The classes of a matrix."""
    support, said = found.sum(1), found.sum(0)
    return tuple(
        Class(name, int(support[place]), int(said[place]), int(found[place, place])) for place, name in enumerate(names)
    )


def macro(found: tuple[Class, ...]) -> float:
    """The mean of the classes' F1."""
    return sum(one.f1 for one in found) / len(found)


def macro_interval(truth: np.ndarray, said: np.ndarray, count: int, seed: int = 0) -> tuple[float, float]:
    """Macro-F1 between the 2.5th and the 97.5th percentile of resampled exams.

    The bootstrap of Efron, 1979: requests are drawn with replacement.
    """
    import numpy as np

    drawn = np.random.default_rng(seed).integers(len(truth), size=(RESAMPLES, len(truth)))  # (resamples, requests)
    cells = truth * (count + 1) + np.where(said < 0, count, said)
    cells = cells[drawn] + (np.arange(RESAMPLES) * count * (count + 1))[:, None]
    tables = np.bincount(cells.ravel(), minlength=RESAMPLES * count * (count + 1))
    tables = tables.reshape(RESAMPLES, count, count + 1)
    hits = tables[:, range(count), range(count)]  # (resamples, classes)
    total = tables.sum(2) + tables.sum(1)[:, :count]
    low, high = np.percentile((2 * hits / np.maximum(total, 1)).mean(1), MIDDLE)
    return float(low), float(high)
