"""A small search: BM25 over short texts, the words compared as they are written.

Robertson, Zaragoza, «The Probabilistic Relevance Framework: BM25 and Beyond», 2009, formula 3.15, with the inverse
document frequency that never turns negative. Leaves out word forms: «кота» does not find «кот», as the page says.
"""

from __future__ import annotations

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
        self._counts = [Counter(words(text)) for text in self.texts]
        self._lengths = [sum(counted.values()) for counted in self._counts]
        self._mean = sum(self._lengths) / len(self._lengths) if self.texts else 0.0
        self._holders = Counter(word for counted in self._counts for word in counted)

    def search(self, query: str, most: int) -> tuple[Found, ...]:
        """The ``most`` texts that fit best, best first; of equals the earlier one. Texts without a word of it too."""
        asked = words(query)
        scores = [sum(self._score(word, place) for word in asked) for place in range(len(self.texts))]
        order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
        return tuple(Found(place, scores[place]) for place in order[:most])

    def _score(self, word: str, place: int) -> float:
        often = self._counts[place][word]
        if not often:
            return 0.0
        holders = self._holders[word]
        rare = math.log(1 + (len(self.texts) - holders + 0.5) / (holders + 0.5))
        long = 1 - B + B * self._lengths[place] / self._mean
        return rare * often * (K1 + 1) / (often + K1 * long)


def words(text: str) -> list[str]:
    """The words of a text in lower case, without marks."""
    return _WORD.findall(text.lower())
