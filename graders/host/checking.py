"""What an exercise's test file uses: ``check``, ``Mistake`` and comparisons that say in what way an answer is wrong.

Every comparison first makes sure of the kind of the answer: it came from hostile code. Leaves out pytest itself (plain
functions named ``test_…`` with the fixtures ``solution``, ``given``, ``draw``, ``files``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from common import numbers
from graders.host.faults import Mistake, SubmissionError
from graders.host.formats import json_object, safetensors
from graders.host.remote import Handle

if TYPE_CHECKING:
    import torch

__all__ = ["Handle", "Mistake", "SubmissionError", "check"]
__all__ += ["close", "equal_shape", "json_object", "number", "safetensors", "show"]

Test = TypeVar("Test", bound=Callable[..., Any])
_FACTORS = (2, 3, 4, 5, 8, 10, 16, 32, 64, 100)


def check(
    *,
    concept: str,
    points: float = 1,
    hint: str = "",  # noqa: ARG001 - read from the source
    misconception: str = "",  # noqa: ARG001 - read from the source
    fresh: bool = False,  # noqa: ARG001 - read from the source
) -> Callable[[Test], Test]:
    """Mark a test as a check. Its docstring's first line is the name that the learner sees.

    The arguments are read from the file's syntax tree (``graders.exercise``), so they have to be literals.
    ``misconception`` is reported when the check fails without naming one itself. ``fresh``: the check gets a sandbox in
    which nothing of the submission was called before.
    """
    if not concept or points <= 0:
        raise ValueError("a check needs a concept and points")

    def mark(test: Test) -> Test:
        return test

    return mark


def close(
    got: Any,
    want: torch.Tensor,
    *,
    what: str = "ответ",
    rtol: float = 1e-4,
    atol: float = 1e-5,
    wrong: Iterable[tuple[torch.Tensor, str, str]] = (),
) -> None:
    """Require the tensor ``got`` to equal ``want`` up to rounding; a number counts as a tensor without axes.

    ``what`` names the value in the nominative. ``wrong``: known wrong results as (tensor, misconception, sentence).

    Raises:
        Mistake: says how they differ: kind, shape, transposition, dtype, not a number, factor, sign, place.
    """
    import torch

    value, alike = _tensor(got, want, what), partial(torch.allclose, rtol=rtol, atol=atol)
    if value.shape != want.shape:
        raise _wrong_shape(value, want, what, alike)
    if value.dtype.is_floating_point != want.dtype.is_floating_point:
        raise Mistake("", f"Тип чисел не тот: {what}", expected=_kind(want), got=_kind(value))
    left, right = value.to(torch.float64), want.to(torch.float64)
    if alike(left, right):
        return
    for known, misconception, sentence in wrong:
        if known.shape == value.shape and alike(left, known.to(torch.float64)):
            raise Mistake(misconception, sentence, expected=show(want), got=show(value))
    raise _difference(value, want, what, alike)


def equal_shape(got: Any, want: Any, *, what: str = "ответ") -> None:
    """Require ``got`` to be a tensor of the shape ``want`` (a shape or a tensor).

    Raises:
        Mistake: it is something else, or of another shape.
    """
    shape = tuple(want.shape) if hasattr(want, "shape") else tuple(want)
    if not _is_tensor(got):
        raise Mistake("", f"Нужен тензор, а это {_named(got)}: {what}", expected=_shape(shape), got=show(got))
    if tuple(got.shape) != shape:
        raise Mistake("", f"Форма не та: {what}", expected=_shape(shape), got=_shape(got.shape))


def number(
    got: Any,
    want: float,
    *,
    what: str = "ответ",
    wrong: Mapping[float, tuple[str, str]] | None = None,
    rtol: float = 0.0,
) -> None:
    """Require ``got`` to be the number ``want``, up to the relative tolerance ``rtol``. ``wrong`` names known errors.

    Raises:
        Mistake: it is no number, or another one; a known wrong value brings its misconception and sentence.
    """
    if _is_tensor(got) and got.numel() == 1:
        got = got.item()
    if type(got) not in (int, float):
        raise Mistake("", f"Нужно число, а это {_named(got)}: {what}", expected=show(want), got=show(got))
    if _near(got, want, rtol):
        return
    for value, (misconception, sentence) in (wrong or {}).items():
        if _near(got, value, rtol):
            raise Mistake(misconception, sentence, expected=show(want), got=show(got))
    raise Mistake("", f"Число не то: {what}{_ratio(got, want)}", expected=show(want), got=show(got))


def show(value: Any) -> str:
    """A value as a learner reads it, short: numbers with a decimal comma, small tensors whole, others by shape."""
    if type(value) is int:
        return numbers.integer(value)
    if type(value) is float:
        return f"{value:.4g}".replace(".", ",")
    if _is_tensor(value):
        return _show_tensor(value)
    if type(value) in (list, tuple) and len(value) <= 12:
        return "[" + "; ".join(show(item) for item in value) + "]"
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _show_tensor(value: torch.Tensor) -> str:
    if value.numel() > 12:
        return f"{_shape(value.shape)}, {_kind(value)}"
    if value.ndim == 0:
        return show(value.item())
    return "[" + "; ".join(show(row) for row in value) + "]"


def _is_tensor(value: Any) -> bool:
    import torch

    return type(value) is torch.Tensor


def _tensor(got: Any, want: torch.Tensor, what: str) -> torch.Tensor:
    import torch

    if type(got) is torch.Tensor:
        return got
    if type(got) in (int, float) and want.ndim == 0:
        return torch.tensor(got, dtype=want.dtype)
    raise Mistake("", f"Нужен тензор, а это {_named(got)}: {what}", expected=_shape(want.shape), got=show(got))


def _named(value: Any) -> str:
    if value is None:
        return "None (забыт return?)"
    if isinstance(value, Handle) and value.ref.kind == "coroutine":
        return "корутина (лишнее async?)"
    if isinstance(value, Handle) and value.ref.kind == "generator":
        return "генератор (yield вместо return?)"
    names = {bool: "логическое значение", int: "целое число", float: "число", str: "строка", list: "список"}
    names |= {tuple: "кортеж", dict: "словарь", bytes: "байты"}
    if isinstance(value, Handle):
        return f"объект {value.ref.kind}"
    return names.get(type(value), "тензор" if _is_tensor(value) else type(value).__name__)


def _shape(shape: Sequence[int]) -> str:
    return "тензор " + (" × ".join(str(size) for size in shape) if len(shape) else "без осей")


def _kind(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _wrong_shape(value: torch.Tensor, want: torch.Tensor, what: str, alike: Callable[..., bool]) -> Mistake:
    import torch

    sentence = f"Форма не та: {what}"
    if value.ndim == 2 and value.T.shape == want.shape:
        equal = alike(value.T.to(torch.float64), want.to(torch.float64))
        sentence = f"Числа верные, но строки и столбцы переставлены: {what}" if equal else sentence
    return Mistake("", sentence, expected=_shape(want.shape), got=_shape(value.shape))


def _difference(got: torch.Tensor, want: torch.Tensor, what: str, alike: Callable[..., bool]) -> Mistake:
    """What to say about tensors of one shape that are not close."""
    import torch

    left, right, expected, seen = got.to(torch.float64), want.to(torch.float64), show(want), show(got)
    if torch.isnan(left).any() or torch.isinf(left).any():
        return Mistake("", f"Есть NaN или бесконечность: {what}", expected=expected, got=seen)
    if left.ndim == 2 and left.shape[0] == left.shape[1] and alike(left.T, right):
        return Mistake("", f"Числа верные, но строки и столбцы переставлены: {what}", expected=expected, got=seen)
    norm = right.square().sum()
    factor = float((left * right).sum() / norm) if float(norm) > 0 else 0.0
    if factor and alike(left, right * factor):
        return Mistake("", f"{what[:1].upper()}{what[1:]}: {_times(factor)}", expected=expected, got=seen)
    gap = (left - right).abs()
    place = [int(i) for i in torch.unravel_index(gap.argmax(), gap.shape)] if gap.ndim else []
    where = f" в месте {place}" if place else ""
    return Mistake(
        "",
        f"Числа не те: {what}",
        expected=f"{show(float(right[tuple(place)]))}{where}" if got.numel() > 12 else expected,
        got=f"{show(float(left[tuple(place)]))}{where}" if got.numel() > 12 else seen,
    )


def _times(factor: float) -> str:
    sign = "с другим знаком и " if factor < 0 else ""
    size = abs(factor)
    if math.isclose(size, 1, rel_tol=1e-3):
        return "знак противоположный нужному"
    return f"{sign}в {_fold(size if size > 1 else 1 / size)} {'больше' if size > 1 else 'меньше'} нужного"


def _fold(value: float) -> str:
    """``2 раза``, ``5 раз``, ``1,5 раза``."""
    whole = round(value)
    if math.isclose(value, whole, rel_tol=1e-3):
        return numbers.plural(whole, "раз", "раза", "раз")
    return f"{value:.3g} раза".replace(".", ",")


def _near(got: float, want: float, rtol: float) -> bool:
    return got == want if rtol == 0 and type(got) is int else math.isclose(got, want, rel_tol=max(rtol, 1e-9))


def _ratio(got: float, want: float) -> str:
    if not got or not want or got * want < 0:
        return ""
    for factor in _FACTORS:
        if math.isclose(got, want * factor, rel_tol=1e-9):
            return f", в {_fold(factor)} больше нужного"
        if math.isclose(got * factor, want, rel_tol=1e-9):
            return f", в {_fold(factor)} меньше нужного"
    return ""
