"""How a demo declares its fields, and how plain values (a URL, a lesson's preset, a fact) become them.

Leaves out what a field means for a particular demo: limits that depend on two fields are checked by the demo itself.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from common import numbers

LONGEST_TEXT = 2000
"""Characters of one value: more than any honest list of layer names needs. A field for texts says its own limit."""


MOST_CHOICES = 6
"""A complaint lists so many allowed values and no more."""


class ParamsError(ValueError):
    """A value that a demo cannot use; the message is one Russian sentence for the person who typed it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a demo as a form may show it."""

    name: str
    title: str
    type: Any  # int, float, bool, str or tuple[str, ...]
    default: Any
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    note: str
    longest: int = LONGEST_TEXT  # characters
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)  # what a learner reads instead of a choice


class Checked:
    """Base of every Params: values outside a field's limits are refused on construction, however it is built."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for field in describe(type(self)):
            _check(field, getattr(self, field.name))


P = TypeVar("P", bound=Checked)


def parameter(
    default: Any,
    title: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    note: str = "",
    longest: int = LONGEST_TEXT,
    words: Mapping[Any, str] | None = None,
) -> Any:
    """A field of a Params: its default, its Russian name, inclusive limits or the closed list of values.

    ``longest`` bounds a text, in characters. ``words`` is the closed list with what each value is called.
    """
    metadata = {
        "title": title,
        "low": low,
        "high": high,
        "choices": choices or tuple(words or ()),
        "note": note,
        "longest": longest,
        "words": words or {},
    }
    return dataclasses.field(default=default, metadata=metadata)


def describe(params: type[Checked]) -> tuple[Field, ...]:
    """The fields of a Params class in order."""
    whole: Any = params  # mypy takes the instances' __hash__ for the class's own
    return _described(whole)


@cache
def _described(params: Any) -> tuple[Field, ...]:
    hints = get_type_hints(params)
    return tuple(
        Field(name=item.name, type=hints[item.name], default=item.default, **item.metadata)
        for item in dataclasses.fields(params)
    )


def read(params: type[P], arguments: Mapping[str, object]) -> P:
    """Params from plain values: numbers may be text («16», «0,5»), lists may be comma-separated text.

    Raises:
        ParamsError: an unknown field, a value of the wrong kind or outside its limits.
    """
    known = {field.name: field for field in describe(params)}
    for name in arguments:
        if name not in known:
            raise ParamsError(f"Нет поля «{_short(name)}»{nearest(name, known)}.")
    return params(**{name: _convert(known[name], value) for name, value in arguments.items()})


def nearest(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """`` (ближайшее — «rank»)`` or nothing, for the end of a complaint."""
    close = difflib.get_close_matches(name[:80], list(known), n=1)
    return f" (ближайшее — «{close[0]}»)" if close else ""


def _convert(field: Field, value: object) -> Any:
    _short_enough(field, value)
    if get_origin(field.type) is tuple:
        return _names(field, value)
    if field.type is bool:
        return _flag(field, value)
    if field.type in (int, float):
        return _number(field, value)
    if not isinstance(value, str):
        raise _wrong(field, value)
    return value.strip()


def _names(field: Field, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise _wrong(field, value)
    return tuple(item.strip() for item in value if item.strip())


def _flag(field: Field, value: object) -> bool:
    if isinstance(value, bool):
        return value
    known = {"1": True, "true": True, "да": True, "0": False, "false": False, "нет": False}
    try:
        return known[str(value).strip().lower()]
    except KeyError:
        raise _wrong(field, value) from None


def _number(field: Field, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _wrong(field, value)
    try:
        number = numbers.parse(value) if isinstance(value, str) else value
    except ValueError:
        raise _wrong(field, value) from None
    if field.type is float:
        return float(number)
    if not float(number).is_integer():
        raise _wrong(field, value)
    return int(number)


def _check(field: Field, value: Any) -> None:
    _short_enough(field, value)
    if field.choices and value not in field.choices:
        raise _wrong(field, value, nearest(str(value), field.choices))
    if field.type not in (int, float):
        return
    kinds = int if field.type is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or value != value:  # noqa: PLR0124 - not a number
        raise _wrong(field, value)
    if (field.low is not None and value < field.low) or (field.high is not None and value > field.high):
        raise _wrong(field, value)


def _short_enough(field: Field, value: object) -> None:
    if isinstance(value, str) and len(value) > field.longest:
        raise ParamsError(f"{field.title}: слишком длинное значение — больше {numbers.integer(field.longest)} знаков.")


def _wrong(field: Field, value: object, hint: str = "") -> ParamsError:
    return ParamsError(f"{field.title}: {_wanted(field)}, а получено «{_short(value)}»{hint}.")


def _wanted(field: Field) -> str:
    if field.choices:
        few = field.choices[:MOST_CHOICES]
        return f"нужно одно из значений {', '.join(few)}{' и другие' if len(few) < len(field.choices) else ''}"
    if isinstance(field.type, types.GenericAlias) and get_args(field.type):
        return "нужен список имён через запятую"
    if field.type is bool:
        return "нужно «да» или «нет»"
    if field.type is str:
        return "нужен текст"
    kind = "целое число" if field.type is int else "число"
    low = "" if field.low is None else f" от {numbers.show(field.low, 'decimal', _digits(field.low))}"
    high = "" if field.high is None else f" до {numbers.show(field.high, 'decimal', _digits(field.high))}"
    return f"нужно {kind}{low}{high}"


def _digits(value: float) -> int:
    return 0 if float(value).is_integer() else 2


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 40 else f"{text[:39]}…"
