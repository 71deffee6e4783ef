"""How near a request is to the examples of each place it could go to: cosines and shares, in numpy alone.

Leaves out where the vectors come from (``routing``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

Way = Literal["nearest", "centroid"]
WAYS: Mapping[Way, str] = {"nearest": "три ближайших примера", "centroid": "центр примеров"}
NEAREST = 3
SHARPNESS = 20.0
"""Cosines are multiplied by this before the softmax."""


class Places:
    """Examples of every place as unit vectors around their common mean."""

    def __init__(self, examples: Mapping[str, np.ndarray]) -> None:
        """``examples``: for each place its vectors, (examples, width)."""
        import numpy as np

        self.names = tuple(examples)
        self._middle = np.concatenate(list(examples.values())).mean(0)  # (width,): what all requests have in common
        self._rows = [_unit(rows - self._middle) for rows in examples.values()]

    def cosines(self, states: np.ndarray, way: Way = "nearest") -> np.ndarray:
        """How near each of ``states``, (requests, width), is to each place: (requests, places)."""
        import numpy as np

        asked = _unit(states - self._middle)
        if way == "centroid":
            centres = np.stack([_unit(rows.mean(0)) for rows in self._rows])  # (places, width)
            return np.asarray(asked @ centres.T)
        near = [np.sort(asked @ rows.T, axis=1)[:, -NEAREST:].mean(1) for rows in self._rows]
        return np.stack(near, axis=1)


def shares(cosines: np.ndarray, sharpness: float = SHARPNESS) -> np.ndarray:
    """The softmax of cosines times ``sharpness``, over the last axis."""
    import numpy as np

    grown = np.exp(sharpness * (cosines - cosines.max(-1, keepdims=True)))
    found: np.ndarray = grown / grown.sum(-1, keepdims=True)
    return found


def _unit(vectors: np.ndarray) -> np.ndarray:
    import numpy as np

    found: np.ndarray = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return found
