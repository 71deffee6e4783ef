"""One adapter out of several, weighted: what PEFT's ``add_weighted_adapter`` offers, with its refusals in words.

Leaves out which weights are good: only trying tells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.library import Shelf
from demos.finetuning.quantized import quiet

Way = Literal["linear", "cat", "svd", "ties", "dare_linear"]
WAYS: Mapping[Way, str] = {
    "cat": "точная сумма (cat)",
    "svd": "сумма, сжатая до ранга (svd)",
    "linear": "по матрицам A и B (linear)",
    "ties": "без спорных знаков (ties)",
    "dare_linear": "случайное прореживание (dare)",
}
"""PEFT's combination types: what each does, for a learner."""
SAME_RANK = frozenset(("linear", "ties", "dare_linear"))
DENSE: Mapping[str, float] = {"ties": 0.5, "dare_linear": 0.7}
"""Share of entries that these two keep."""
MOST_WEIGHT = 2.0


def blend(shelf: Shelf, weights: Mapping[str, float], way: Way, *, density: float = 0.0, seed: int = 0) -> str:
    """Add the weighted sum of adapters to ``shelf`` and give its name. An adapter with weight 0 is left out.

    Raises:
        AdapterError: no weight, a weight that is no number from 0 to 2, unequal ranks where they must be equal, DoRA.
    """
    import torch

    check(weights)
    if not shelf.plain:
        raise AdapterError(
            "Смешивать можно LoRA без DoRA: у DoRA кроме A и B есть длины столбцов, и они не складываются."
        )
    used = {name: weight for name, weight in weights.items() if weight > 0}
    ranks = [_rank(shelf, name) for name in used]
    if way in SAME_RANK and len(set(ranks)) > 1:
        raise AdapterError(
            f"Ранги разные ({', '.join(map(str, ranks))}), а способ «{way}» складывает A с A и B с B: "
            "выберите cat или svd или адаптеры одного ранга."
        )
    name = f"blend{len(shelf.model.peft_config)}"
    extra = {"density": density or DENSE[way]} if way in DENSE else {}
    torch.manual_seed(seed)  # dare draws which entries stay
    with quiet():
        shelf.model.add_weighted_adapter(list(used), list(used.values()), name, combination_type=way, **extra)
    return name


def check(weights: Mapping[str, float] | Sequence[float]) -> None:
    """Refuse weights that make no sum.

    Raises:
        AdapterError: see ``blend``.
    """
    values = list(weights.values()) if isinstance(weights, Mapping) else list(weights)
    if not all(math.isfinite(weight) and 0 <= weight <= MOST_WEIGHT for weight in values):
        raise AdapterError("Доли в смеси — числа от 0 до 2.")
    if not any(values):
        raise AdapterError("Все доли равны нулю: такая смесь — просто база. Прибавьте хотя бы одну.")


def _rank(shelf: Shelf, name: str) -> int:
    said = shelf.model.peft_config[name]
    return int(max([said.r, *said.rank_pattern.values()]))
