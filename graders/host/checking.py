"""What an exercise's test file uses: ``check``, ``Mistake`` and comparisons that say in what way an answer is wrong.

Every comparison first makes sure of the kind of the answer: it came from hostile code. Leaves out pytest itself (plain
functions named ``test_…`` with the fixtures ``solution``, ``given``, ``draw``, ``files``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from graders.host import differences, shown
from graders.host.faults import Mistake, SubmissionError
from graders.host.formats import json_object, safetensors
from graders.host.remote import Handle
from graders.host.shown import show

if TYPE_CHECKING:
    import torch

__all__ = ["Handle", "Mistake", "SubmissionError", "check"]
__all__ += ["close", "equal_shape", "indices", "json_object", "number", "safetensors", "show"]

Test = TypeVar("Test", bound=Callable[..., Any])


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
    factors: differences.Factors | None = None,
) -> None:
    """Require the tensor ``got`` to equal ``want`` up to rounding; a number counts as a tensor without axes.

    ``what`` names the value in the nominative. ``wrong``: known wrong results as (tensor, misconception, sentence).
    ``factors``: known wrong factors, ``{r / alpha: ("ALPHA_IGNORED", "похоже, забыт множитель α/r")}``.

    Raises:
        Mistake: says how they differ: kind, shape, order of axes, dtype, not a number, factor, sign, one too few, one
            place aside, the worst place.
    """
    import torch

    value, alike = _tensor(got, want, what), partial(torch.allclose, rtol=rtol, atol=atol)
    if value.shape != want.shape:
        raise differences.of_shape(value, want, what, alike)
    if _family(value) != _family(want):
        raise Mistake("", f"Тип чисел не тот: {what}", expected=shown.kind(want), got=shown.kind(value))
    left, right = differences.wide(value), differences.wide(want)
    if alike(left, right):
        return
    for known, misconception, sentence in wrong:
        if known.shape == value.shape and alike(left, differences.wide(known).to(left.dtype)):
            raise Mistake(misconception, sentence, expected=show(want), got=show(value))
    raise differences.of_numbers(value, want, what, alike, factors or {})


def equal_shape(got: Any, want: Any, *, what: str = "ответ") -> None:
    """Require ``got`` to be a tensor of the shape ``want`` (a shape or a tensor).

    Raises:
        Mistake: it is something else, or of another shape.
    """
    shape = tuple(want.shape) if hasattr(want, "shape") else tuple(want)
    if not shown.is_tensor(got):
        raise _no_tensor(got, shape, what)
    if tuple(got.shape) != shape:
        raise Mistake("", f"Форма не та: {what}", expected=shown.shape(shape), got=shown.shape(got.shape))


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
    if shown.is_tensor(got) and got.numel() == 1:
        got = got.item()
    if type(got) not in (int, float):
        raise Mistake("", f"Нужно число, а это {shown.named(got)}: {what}", expected=show(want), got=show(got))
    if _near(got, want, rtol):
        return
    for value, (misconception, sentence) in (wrong or {}).items():
        if _near(got, value, rtol):
            raise Mistake(misconception, sentence, expected=show(want), got=show(got))
    raise Mistake("", f"Число не то: {what}{differences.of_number(got, want)}", expected=show(want), got=show(got))


def indices(got: Any, want: Sequence[int], *, what: str = "ответ") -> None:
    """Require ``got`` to be the whole numbers ``want`` in that order: a list, a tuple or a tensor with one axis.

    Raises:
        Mistake: says whether the count, the order or every number by one is wrong.
    """
    if shown.is_tensor(got) and got.ndim == 1 and _family(got) == "whole":
        got = got.tolist()
    if type(got) not in (list, tuple) or any(type(item) is not int for item in got):
        raise Mistake("", f"Нужен список целых чисел, а это {shown.named(got)}: {what}", got=show(got))
    if list(got) != list(want):
        sentence = differences.of_indices(list(got), list(want))
        raise Mistake("", f"{sentence}: {what}", expected=show(list(want)), got=show(list(got)))


def _tensor(got: Any, want: torch.Tensor, what: str) -> torch.Tensor:
    import torch

    if type(got) is torch.Tensor:
        return got
    if type(got) in (int, float) and want.ndim == 0:
        return torch.tensor(got, dtype=want.dtype)
    raise _no_tensor(got, want.shape, what)


def _no_tensor(got: Any, shape: Sequence[int], what: str) -> Mistake:
    sentence = f"Нужен тензор, а это {shown.named(got)}: {what}"
    return Mistake("", sentence, expected=shown.shape(shape), got=show(got))


def _family(value: torch.Tensor) -> str:
    if value.dtype.is_complex:
        return "complex"
    return "real" if value.dtype.is_floating_point else "whole"


def _near(got: float, want: float, rtol: float) -> bool:
    return got == want if rtol == 0 and type(got) is int else math.isclose(got, want, rel_tol=max(rtol, 1e-9))
