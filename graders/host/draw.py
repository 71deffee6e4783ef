"""Random inputs of a check, drawn on the trusted side with a seed of its own.

Leaves out expected values: a check computes them itself, here, after the answer has come, so nothing inside could know.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


class Draw:
    """A stream of random inputs; the same ``seed`` gives the same stream."""

    def __init__(self, seed: int) -> None:
        import torch as library

        self.seed = seed
        self._plain = random.Random(seed)  # noqa: S311 - inputs of checks, no secrets
        self._generator = library.Generator().manual_seed(seed)

    def tensor(self, *shape: int, scale: float = 1.0, dtype: Any = None) -> torch.Tensor:
        """Normally distributed numbers of ``shape``, float32 unless ``dtype`` says otherwise."""
        import torch as library

        drawn = library.randn(*shape, generator=self._generator) * scale
        return drawn if dtype is None else drawn.to(dtype)

    def integers(self, *shape: int, low: int, high: int) -> torch.Tensor:
        """Whole numbers from ``low`` to ``high``, both included, as int64."""
        import torch as library

        return library.randint(low, high + 1, shape, generator=self._generator)

    def integer(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return self._plain.randint(low, high)

    def number(self, low: float, high: float) -> float:
        """A number between ``low`` and ``high``."""
        return self._plain.uniform(low, high)

    def choice(self, items: Sequence[T]) -> T:
        """One of ``items``."""
        return self._plain.choice(items)

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """``items`` in another order."""
        return self._plain.sample(items, len(items))
