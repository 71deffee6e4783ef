"""In what way a wrong answer differs from the right one: the sentence that tells a learner where to look.

Each guess is tested on the numbers themselves, so it is never only plausible. Leaves out finding that they differ, and
the errors that a check knows by itself (``graders.host.checking``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import permutations
from typing import TYPE_CHECKING

from common import numbers
from graders.host.faults import Mistake
from graders.host.shown import shape, show

if TYPE_CHECKING:
    import torch

Alike = Callable[["torch.Tensor", "torch.Tensor"], bool]
Factors = Mapping[float, tuple[str, str]]
"""Known wrong factors: what got is of want -> (misconception, what the learner has probably done)."""

_FACTORS = (2, 3, 4, 5, 8, 10, 16, 32, 64, 100)
_MOST_AXES = 4  # of tensors whose axes are tried in every order


def wide(value: torch.Tensor) -> torch.Tensor:
    """The same numbers in the widest dtype of their kind."""
    import torch

    return value.to(torch.complex128 if value.dtype.is_complex else torch.float64)


def of_shape(got: torch.Tensor, want: torch.Tensor, what: str, alike: Alike) -> Mistake:
    """What to say about a tensor of another shape."""
    left, right = wide(got), wide(want)
    sentence = _swapped(left, right, alike) or _other_axes(left, right, alike) or _one_too_few(left, right, alike)
    return Mistake("", f"{sentence or 'Форма не та'}: {what}", expected=shape(want.shape), got=shape(got.shape))


def of_numbers(got: torch.Tensor, want: torch.Tensor, what: str, alike: Alike, factors: Factors) -> Mistake:
    """What to say about a tensor of the right shape whose numbers are not close."""
    left, right = wide(got), wide(want)
    if not bool(left.isfinite().all()):
        return Mistake("", f"Есть NaN или бесконечность: {what}", expected=show(want), got=show(got))
    sentence = _swapped(left, right, alike)
    if not sentence:
        misconception, times = _multiplied(left, right, alike, factors)
        if times:
            words = f"{what[:1].upper()}{what[1:]}: {times}"
            return Mistake(misconception, words, expected=show(want), got=show(got))
        sentence = _added(left, right, alike) or _moved(left, right, alike)
    if sentence:
        return Mistake("", f"{sentence}: {what}", expected=show(want), got=show(got))
    return _worst_place(got, want, what)


def of_number(got: float, want: float) -> str:
    """How a number differs, to be put behind a sentence; empty where nothing stands out."""
    if got == -want:
        return ", знак противоположный нужному"
    for factor in _FACTORS:
        if want and math.isclose(got, want * factor, rel_tol=1e-9):
            return f", в {_fold(factor)} больше нужного"
        if got and math.isclose(got * factor, want, rel_tol=1e-9):
            return f", в {_fold(factor)} меньше нужного"
    if float(want).is_integer() and abs(got - want) == 1:
        return f", на единицу {'больше' if got > want else 'меньше'} нужного"
    return ""


def of_indices(got: list[int], want: list[int]) -> str:
    """How a list of whole numbers differs, as the beginning of a sentence."""
    if len(got) != len(want):
        return _length(got, want)
    steps = {left - right for left, right in zip(got, want, strict=True)}
    if steps in ({1}, {-1}):
        return f"Каждое число на единицу {'больше' if steps == {1} else 'меньше'} нужного (счёт идёт с нуля?)"
    if sorted(got) == sorted(want):
        return "Числа верные, но порядок другой"
    return "Числа не те"


def _length(got: list[int], want: list[int]) -> str:
    if got == want[:-1] or got == want[1:]:
        return f"Не хватает {'последнего' if got == want[:-1] else 'первого'} числа"
    if want in (got[:-1], got[1:]):
        return f"Лишнее число в {'конце' if want == got[:-1] else 'начале'}"
    return "Чисел меньше, чем нужно" if len(got) < len(want) else "Чисел больше, чем нужно"


def _swapped(left: torch.Tensor, right: torch.Tensor, alike: Alike) -> str:
    if left.ndim != right.ndim or not 2 <= left.ndim <= _MOST_AXES:
        return ""
    for order in permutations(range(left.ndim)):
        turned = left.permute(order)
        if turned.shape == right.shape and alike(turned, right):
            return f"Числа верные, но {'строки и столбцы' if left.ndim == 2 else 'оси'} переставлены"
    return ""


def _other_axes(left: torch.Tensor, right: torch.Tensor, alike: Alike) -> str:
    if left.numel() != right.numel() or left.ndim == right.ndim or not alike(left.reshape(right.shape), right):
        return ""
    if left.squeeze().shape != right.squeeze().shape:
        return "Числа верные, но разложены по осям иначе"
    return f"Числа верные, но {'есть лишняя ось' if left.ndim > right.ndim else 'не хватает оси'} размера 1"


def _one_too_few(left: torch.Tensor, right: torch.Tensor, alike: Alike) -> str:
    if left.ndim != right.ndim:
        return ""
    axes = [axis for axis in range(left.ndim) if left.shape[axis] != right.shape[axis]]
    if len(axes) != 1 or abs(left.shape[axes[0]] - right.shape[axes[0]]) != 1:
        return ""
    axis, short = axes[0], left.shape[axes[0]] < right.shape[axes[0]]
    small, large = (left, right) if short else (right, left)
    size = small.shape[axis]
    where = f"по оси {axis}" if left.ndim > 1 else ""
    for start, place in ((0, "последнего" if short else "в конце"), (1, "первого" if short else "в начале")):
        if size and alike(large.narrow(axis, start, size), small):
            return " ".join(
                f"{'Не хватает' if short else 'Лишнее число'} {place} {'числа' if short else ''} {where}".split()
            )
    return f"Размер {where} на единицу {'меньше' if short else 'больше'} нужного".replace("  ", " ")


def _multiplied(left: torch.Tensor, right: torch.Tensor, alike: Alike, factors: Factors) -> tuple[str, str]:
    """Misconception and words for a constant factor. A single number has one always: only a plain one counts."""
    norm = (right * right.conj()).sum().real
    factor = float((left * right.conj()).sum().real / norm) if float(norm) > 0 else 0.0
    if not factor or not alike(left, right * factor):
        return "", ""
    for known, (misconception, guess) in factors.items():
        if math.isclose(factor, known, rel_tol=1e-3):
            return misconception, f"{_times(factor)}: {guess}"
    plain = any(math.isclose(abs(factor) ** sign, each, rel_tol=1e-3) for each in (1, *_FACTORS) for sign in (1, -1))
    return "", _times(factor) if left.numel() > 1 or plain else ""


def _times(factor: float) -> str:
    sign, size = "с другим знаком и " if factor < 0 else "", abs(factor)
    if math.isclose(size, 1, rel_tol=1e-3):
        return "знак противоположный нужному"
    return f"{sign}в {_fold(size if size > 1 else 1 / size)} {'больше' if size > 1 else 'меньше'} нужного"


def _fold(value: float) -> str:
    """``2 раза``, ``5 раз``, ``1,5 раза``."""
    whole = round(value)
    if math.isclose(value, whole, rel_tol=1e-3):
        return numbers.plural(whole, "раз", "раза", "раз")
    return f"{value:.3g} раза".replace(".", ",")


def _added(left: torch.Tensor, right: torch.Tensor, alike: Alike) -> str:
    step = (left - right).mean()
    if left.dtype.is_complex or not alike(left, right + step):
        return ""
    size = abs(float(step))
    amount = "единицу" if math.isclose(size, 1, rel_tol=1e-3) else show(size)
    return f"{'Каждое число' if left.numel() > 1 else 'Число'} на {amount} {'больше' if step > 0 else 'меньше'} нужного"


def _moved(left: torch.Tensor, right: torch.Tensor, alike: Alike) -> str:
    """Numbers that stand one place too far, or backwards; what fell out at an end may have become anything."""
    for axis, size in enumerate(left.shape):
        if size < 3 or alike(right.narrow(axis, 1, size - 1), right.narrow(axis, 0, size - 1)):
            continue  # equal numbers everywhere: a step aside would change nothing
        if alike(left.flip(axis), right):
            return "Числа верные, но идут в обратном порядке"
        for one, other in ((left, right), (right, left)):
            if alike(one.narrow(axis, 1, size - 1), other.narrow(axis, 0, size - 1)):
                return f"Числа верные, но сдвинуты на одно место {'вперёд' if one is left else 'назад'}"
    return ""


def _worst_place(got: torch.Tensor, want: torch.Tensor, what: str) -> Mistake:
    import torch

    if got.numel() <= 12:
        return Mistake("", f"Числа не те: {what}", expected=show(want), got=show(got))
    gap = (wide(got) - wide(want)).abs()
    place = tuple(int(i) for i in torch.unravel_index(gap.argmax(), gap.shape))
    expected, seen = (f"{show(value[place].item())} в месте {list(place)}" for value in (wide(want), wide(got)))
    return Mistake("", f"Числа не те: {what}", expected=expected, got=seen)
