"""Objects that stay inside: a table with numbers, and what may leave by value.

Plain data and tensors leave as copies; anything else leaves as a ``Ref``. A subclass of a plain type (an ``int`` that
equals everything, a tensor that lies) does neither: it is refused with a sentence. Leaves out the bytes
(``graders.wire``, which could not express it either).
"""

from __future__ import annotations

from typing import Any

from graders.wire import NotPlain, Ref, plain_type_name

_EXACT = (type(None), bool, int, float, str, bytes)
_CONTAINERS = (list, tuple, dict)
_DEEPEST, _MOST = 20, 100_000


class Objects:
    """The table of one grading."""

    def __init__(self) -> None:
        self._kept: list[object] = []
        self._parts = 0

    def leave(self, value: object) -> object:
        """``value`` in a form that the wire knows.

        Raises:
            NotPlain: it is a subclass of a plain type, holds itself or has too many parts.
        """
        self._parts = 0
        return self._leave(value, 0)

    def enter(self, value: Any) -> Any:
        """What the judge sent, with every ``Ref`` replaced by its object.

        Raises:
            IndexError: there is no such object.
        """
        if type(value) is Ref:
            return self._kept[value.number]
        if type(value) in (list, tuple):
            return type(value)(self.enter(item) for item in value)
        if type(value) is dict:
            return {key: self.enter(item) for key, item in value.items()}
        return value

    def _leave(self, value: Any, depth: int) -> object:
        self._parts += 1
        if depth > _DEEPEST or self._parts > _MOST:
            raise NotPlain("значение слишком велико или вложено само в себя")
        kind = type(value)
        if kind in _EXACT:
            return value
        if kind in (list, tuple):
            return kind(self._leave(item, depth + 1) for item in value)
        if kind is dict:
            return {self._key(key): self._leave(item, depth + 1) for key, item in value.items()}
        return self._other(value, kind)

    def _key(self, key: Any) -> object:
        if type(key) in _EXACT:
            return key
        raise NotPlain(f"ключ словаря типа {plain_type_name(key)}")

    def _other(self, value: Any, kind: type) -> object:
        import numpy as np
        import torch

        if kind in (torch.Tensor, torch.nn.Parameter):
            return value
        if kind is torch.Size:
            return tuple(int(size) for size in value)
        if kind in (np.float64, np.float32, np.int64, np.int32, np.bool_):
            return value.item()
        if kind is np.ndarray:
            raise NotPlain("массив numpy; нужен тензор torch")
        pretends = (int, float, str, bytes, *_CONTAINERS, torch.Tensor, np.ndarray, np.generic)
        if any(base in pretends for base in type.__dict__["__mro__"].__get__(kind)):
            raise NotPlain(f"значение типа {plain_type_name(value)}, который лишь притворяется обычным")
        self._kept.append(value)
        return Ref(len(self._kept) - 1, plain_type_name(value))
