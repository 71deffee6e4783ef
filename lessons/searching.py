"""Finding by words: which texts have most of what was typed or pasted, rare words first. For errors and terms.

A whole traceback may be pasted: words that stand in many texts weigh little. Forms of a word are one (the Russian
stemmer of Snowball). Leaves out synonyms and typing errors.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import snowballstemmer

T = TypeVar("T")

LONGEST = 20_000
"""Characters of a pasted text that are read."""
_WORD = re.compile(r"[^\W_]+(?:_[^\W_]+)*")


def find(sought: str, texts: Sequence[tuple[T, str]], *, at_least: float = 0.34) -> list[T]:
    """Those of ``texts`` that share enough of the words sought, best first; all of them for an empty search.

    ``at_least`` is the share of the best one's weight that the others need.
    """
    wanted = _words(sought[:LONGEST])
    if not wanted:
        return [item for item, _ in texts]
    bags = [_words(text) for _, text in texts]
    rarity = Counter(word for bag in bags for word in bag)
    weights = [sum(_weight(word, rarity, len(bags)) for word in bag & wanted) for bag in bags]
    best = max(weights, default=0.0)
    order = sorted(range(len(texts)), key=lambda place: (-weights[place], place))
    return [texts[place][0] for place in order if weights[place] > 0 and weights[place] >= at_least * best]


def _weight(word: str, rarity: Counter[str], count: int) -> float:
    return math.log(1 + count / rarity[word]) * (1.5 if "_" in word else 1.0)


def _words(text: str) -> frozenset[str]:
    """Words in lower case by their stems; names of code whole and by their parts."""
    found = (word.casefold().replace("ё", "е") for word in _WORD.findall(text))
    return frozenset(part for word in found for part in _parts(word) if len(part) > 1 and not part.isdigit())


def _parts(word: str) -> list[str]:
    stems = [piece if piece.isascii() else str(_stemmer().stemWord(piece)) for piece in word.split("_")]
    return [word, *stems] if "_" in word else stems


@cache
def _stemmer() -> Any:
    return snowballstemmer.stemmer("russian")
