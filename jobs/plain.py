"""Dataclasses to plain JSON data and back, by their annotations: how a demo's result crosses from process to process.

Knows dataclasses, enums, tuples, lists, sets, mappings, unions, literals and the plain types. Leaves out arrays and
tensors: a result holds what a chart or a sentence needs.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

SCALARS = (bool, int, float, str, type(None))


def encode(value: object) -> Any:
    """``value`` as JSON data.

    Raises:
        TypeError: it holds something that is not plain.
    """
    if isinstance(value, Enum):
        return encode(value.value)
    if type(value) in SCALARS:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: encode(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple | AbstractSet):
        return [encode(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"not plain data: {type(value).__module__}.{type(value).__qualname__}")


def decode(kind: Any, data: Any) -> Any:
    """The value of type ``kind`` that ``encode`` turned into ``data``.

    Raises:
        TypeError: the data does not fit the type.
    """
    if kind is Any or kind is object:
        return data
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is None:
        return _decode_class(kind, data)
    if origin in {typing.Union, types.UnionType}:
        return _decode_union(arguments, data)
    if origin is typing.Literal:
        return _expect(data in arguments, kind, data)
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        _expect(isinstance(data, list) and len(data) == len(arguments), kind, data)
        return tuple(decode(item, part) for item, part in zip(arguments, data, strict=True))
    if issubclass(origin, Mapping):
        _expect(isinstance(data, dict), kind, data)
        keys = {key: int(key) if arguments[0] is int else decode(arguments[0], key) for key in data}
        return {keys[key]: decode(arguments[1], item) for key, item in data.items()}
    _expect(isinstance(data, list), kind, data)
    items = [decode(arguments[0], part) for part in data]
    if issubclass(origin, AbstractSet):
        return frozenset(items)
    return items if issubclass(origin, list) else tuple(items)


def _decode_class(kind: Any, data: Any) -> Any:
    if kind is None or kind is type(None):
        return _expect(data is None, kind, data)
    hints = _hints(kind)
    if hints is not None:
        _expect(isinstance(data, dict) and data.keys() <= hints.keys(), kind, data)
        return kind(**{name: decode(hints[name], item) for name, item in data.items()})
    if kind is float:
        return float(_expect(isinstance(data, int | float) and not isinstance(data, bool), kind, data))
    if kind is Path or issubclass(kind, Enum):
        return kind(data)
    return _expect(type(data) is kind, kind, data)


def _decode_union(options: Sequence[Any], data: Any) -> Any:
    for option in options:
        try:
            return decode(option, data)
        except (TypeError, ValueError):
            continue
    raise TypeError(f"{data!r:.80} fits none of {options}")


@cache
def _hints(kind: Any) -> dict[str, Any] | None:
    return typing.get_type_hints(kind) if dataclasses.is_dataclass(kind) else None


def _key(key: object) -> str:
    plain = encode(key)
    if isinstance(plain, str):
        return plain
    if type(plain) is int:
        return str(plain)
    raise TypeError(f"not a plain key: {key!r:.80}")


def _expect(fits: bool, kind: Any, data: Any) -> Any:
    if not fits:
        raise TypeError(f"{data!r:.80} is not {kind}")
    return data
