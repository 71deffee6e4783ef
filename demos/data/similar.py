"""Texts that are almost the same: pairs whose letter trigrams agree by at least a share (Jaccard), found exactly.

Case, punctuation and «ё» do not count; other digits are another question, however alike the rest. Pairs are found by
the prefix filter (Chaudhuri et al., «A Primitive Operator for Similarity Joins», 2006): sets that agree by so much have
one of their rarest items in common. Leaves out likeness of meaning: «кот» and «кошка» are different words here.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

SHARE = 0.75
"""Of all trigrams of two texts: a mistyped word in a sentence leaves about so many in common."""
LEAST = 12
"""Shorter texts differ by a word when they differ by a letter."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Places of two texts, the earlier first, and the share of trigrams that they have in common."""

    one: int
    other: int
    share: float


def pairs(texts: Sequence[str], share: float = SHARE) -> list[Pair]:
    """All pairs of different texts that agree by ``share`` or more, in the order of the later text."""
    cleaned = [clean(text) for text in texts]
    sets = [trigrams(text) if len(text) >= LEAST else frozenset() for text in cleaned]
    rarity = Counter(item for each in sets for item in each)
    waiting: dict[str, list[int]] = defaultdict(list)
    found = []
    for place, items in enumerate(sets):
        rare_first = sorted(items, key=lambda item: (rarity[item], item))
        prefix = rare_first[: len(items) - math.ceil(share * len(items)) + 1]
        for earlier in sorted({other for item in prefix for other in waiting[item]}):
            agreed = len(items & sets[earlier]) / len(items | sets[earlier])
            if agreed >= share and texts[place] != texts[earlier] and _digits(cleaned, place, earlier):
                found.append(Pair(earlier, place, agreed))
        for item in prefix:
            waiting[item].append(place)
    return found


def clean(text: str) -> str:
    """Letters and digits in lower case, one space between words."""
    return " ".join(re.findall(r"\w+", text.casefold().replace("ё", "е")))


def trigrams(text: str) -> frozenset[str]:
    """Every three letters in a row."""
    return frozenset(text[start : start + 3] for start in range(len(text) - 2))


def _digits(cleaned: Sequence[str], one: int, other: int) -> bool:
    return re.findall(r"\d+", cleaned[one]) == re.findall(r"\d+", cleaned[other])
