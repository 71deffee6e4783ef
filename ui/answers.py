"""What a learner answered, judged against the question: pure, no widgets, no store.

A response is plain data that names options by their words, so that it can be read without the question:
``{"chosen": str}`` (single, predict, spot), ``{"chosen": [str]}`` (several), ``{"number": str}`` (as typed),
``{"order": [str]}``, ``{"pairs": {left: right}}``. Leaves out storing (``progress.learning``).
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from common import numbers
from lessons.model import Option, Question

T = TypeVar("T")
Response = Mapping[str, Any]

ROUNDING = 1e-9
"""Relative difference that is nobody's mistake: the way from text to a float and back."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a response is right, what to say about it, and which known misconception it shows."""

    right: bool
    remarks: tuple[str, ...] = ()
    misconception: str = ""


class NotANumber(ValueError):
    """What was typed where a number belongs; the message is a Russian sentence."""


def judge(question: Question, response: Response) -> Judged:
    """The response against the question.

    Raises:
        NotANumber: a number was asked for and the text is none.
    """
    if question.kind == "number":
        return _judge_number(question, str(response.get("number", "")))
    if question.kind == "order":
        return _judge_order(question, list(response.get("order", ())))
    if question.kind == "match":
        return _judge_match(question, dict(response.get("pairs", {})))
    if question.kind == "several":
        return _judge_several(question, set(response.get("chosen", ())))
    return _judge_choice(question, str(response.get("chosen", "")))


def shuffled(items: Sequence[T], *seed: str) -> list[T]:
    """The items in an order that is the same for the same seed, on every machine; never the given order if avoidable.

    >>> shuffled(["а", "б"], "вопрос")
    ['б', 'а']
    """
    mixed, original = list(items), list(items)
    dice = random.Random("/".join(seed))  # noqa: S311 (an order of options, not a secret)
    dice.shuffle(mixed)
    return mixed[1:] + mixed[:1] if len(mixed) > 1 and mixed == original else mixed


def _judge_choice(question: Question, chosen: str) -> Judged:
    option = next((option for option in question.options if option.text == chosen), Option(chosen))
    return Judged(option.right, _remarks([option]), "" if option.right else option.misconception)


def _judge_several(question: Question, chosen: set[str]) -> Judged:
    astray = [option for option in question.options if (option.text in chosen) != option.right]
    wrong = [option for option in astray if not option.right]
    missed = len(astray) - len(wrong)
    remarks = list(_remarks(wrong or [option for option in question.options if option.text in chosen]))
    if missed:
        remarks.append(f"Отмечено не всё: не хватает ещё {numbers.plural(missed, 'пункта', 'пунктов', 'пунктов')}.")
    return Judged(not astray, tuple(remarks), next((option.misconception for option in wrong), ""))


def _judge_number(question: Question, typed: str) -> Judged:
    try:
        value = numbers.parse(typed)
    except ValueError:
        raise NotANumber("Здесь нужно число: например, 41 943 040 или 0,05.") from None
    right = question.answer if question.answer is not None else math.nan
    if _near(value, right, question.tolerance):
        return Judged(True)
    for wrong in question.wrong_numbers:
        if _near(value, wrong.value, question.tolerance):
            return Judged(False, (wrong.why,), wrong.misconception)
    return Judged(False, _how_far(value, right))


def _judge_order(question: Question, order: list[str]) -> Judged:
    wanted = [option.text for option in question.options]
    if order == wanted:
        return Judged(True)
    first = next((i for i, (got, want) in enumerate(zip(order, wanted, strict=False)) if got != want), 0)
    option = next((option for option in question.options if option.text == order[first]), Option(""))
    where = f"Первое расхождение — на месте {first + 1}." if first else "Расходится уже первый шаг."
    return Judged(False, (where, *_remarks([option])), option.misconception)


def _judge_match(question: Question, pairs: Mapping[str, str]) -> Judged:
    wrong = [option for option in question.options if pairs.get(option.text) != option.pair]
    remarks = [f"{option.text} — {option.pair}. {option.why}" for option in wrong if option.why]
    return Judged(not wrong, tuple(remarks), next((option.misconception for option in wrong), ""))


def _remarks(options: Sequence[Option]) -> tuple[str, ...]:
    return tuple(option.why for option in options if option.why)


def _near(value: float, target: float, tolerance: float) -> bool:
    return math.isclose(value, target, rel_tol=max(tolerance, ROUNDING))


def _how_far(value: float, right: float) -> tuple[str, ...]:
    if not right or value / right <= 0 or not math.isfinite(value / right):
        return ()
    ratio = value / right
    if 0.5 < ratio < 2:
        return ("Близко, но не то число: проверьте, все ли слагаемые учтены.",)
    times, direction = (ratio, "больше") if ratio > 1 else (1 / ratio, "меньше")
    many = numbers.plural(round(times), "раз", "раза", "раз") if times >= 10 else f"{numbers.decimal(times, 1)} раза"
    return (f"Ваше число примерно в {many} {direction} нужного.",)
