"""A small search: BM25 over short texts, the words compared as they are written.

Robertson, Zaragoza, «The Probabilistic Relevance Framework: BM25 and Beyond», 2009, formula 3.15, with the inverse
document frequency that never turns negative. Leaves out word forms: «кота» does not find «кот», as the page says.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

K1, B = 1.5, 0.75
"""How soon repeating a word stops helping, and how much a long text is held back."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Found:
    """One text of the collection: its place there and how well it fits."""

    place: int
    score: float


class Index:
    """A collection that can be searched."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Count the words of every text once."""
        self.texts = tuple(texts)
        counts = [Counter(words(text)) for text in self.texts]
        self._lengths = [counted.total() for counted in counts]
        self._mean = sum(self._lengths) / len(self._lengths) if self.texts else 0.0
        self._holders: dict[str, dict[int, int]] = {}  # word → text → how often
        for place, counted in enumerate(counts):
            for word, often in counted.items():
                self._holders.setdefault(word, {})[place] = often

    def search(self, query: str, most: int) -> tuple[Found, ...]:
        """The ``most`` texts that fit best, best first; of equals the earlier one. Texts without a word of it too."""
        scores = [0.0] * len(self.texts)
        for word in words(query):
            for place, often in self._holders.get(word, {}).items():
                scores[place] += self._score(word, place, often)
        best = heapq.nsmallest(most, range(len(scores)), key=lambda place: (-scores[place], place))
        return tuple(Found(place, scores[place]) for place in best)

    def _score(self, word: str, place: int, often: int) -> float:
        holders = len(self._holders[word])
        rare = math.log(1 + (len(self.texts) - holders + 0.5) / (holders + 0.5))
        long = 1 - B + B * self._lengths[place] / self._mean
        return rare * often * (K1 + 1) / (often + K1 * long)


def words(text: str) -> list[str]:
    """The words of a text in lower case, without marks."""
    return _WORD.findall(text.lower())
