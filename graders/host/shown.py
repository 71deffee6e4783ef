"""Values in a learner's words: what they are, of which shape, short. Leaves out judging (``graders.host.checking``).

Every value came from hostile code, as one of the plain types of the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from common import numbers
from graders.host.remote import Handle

if TYPE_CHECKING:
    import torch

_NAMES: dict[type, str] = {
    bool: "логическое значение",
    int: "целое число",
    float: "число",
    str: "строка",
    list: "список",
    tuple: "кортеж",
    dict: "словарь",
    bytes: "байты",
}


def show(value: Any) -> str:
    """A value as a learner reads it, short: numbers with a decimal comma, small tensors whole, others by shape."""
    if type(value) is int:
        return numbers.integer(value)
    if type(value) is float:
        return f"{value:.4g}".replace(".", ",")
    if type(value) is complex:
        return f"{show(value.real)} {'−' if value.imag < 0 else '+'} {show(abs(value.imag))}i"
    if is_tensor(value):
        return _tensor(value)
    if type(value) in (list, tuple) and len(value) <= 12:
        return "[" + "; ".join(show(item) for item in value) + "]"
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _tensor(value: torch.Tensor) -> str:
    if value.numel() > 12:
        return f"{shape(value.shape)}, {kind(value)}"
    if value.ndim == 0:
        return show(value.item())
    return "[" + "; ".join(show(row) for row in value) + "]"


def is_tensor(value: Any) -> bool:
    """Whether it is exactly a tensor."""
    import torch

    return type(value) is torch.Tensor


def named(value: Any) -> str:
    """What a value is, with a guess where it comes from."""
    if value is None:
        return "None (забыт return?)"
    if isinstance(value, Handle) and value.ref.kind == "coroutine":
        return "корутина (лишнее async?)"
    if isinstance(value, Handle) and value.ref.kind == "generator":
        return "генератор (yield вместо return?)"
    if isinstance(value, Handle):
        return f"объект {value.ref.kind}"
    return _NAMES.get(type(value), "тензор" if is_tensor(value) else type(value).__name__)


def shape(sizes: Sequence[int]) -> str:
    """``тензор 2 × 3``."""
    return "тензор " + (" × ".join(str(size) for size in sizes) if len(sizes) else "без осей")


def kind(value: torch.Tensor) -> str:
    """The dtype's name."""
    return str(value.dtype).removeprefix("torch.")
