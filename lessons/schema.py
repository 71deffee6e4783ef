"""From TOML data to frozen dataclasses, by their type hints alone: no schema is written twice.

Unknown keys, missing keys and wrong types become faults with line and key; one bad value does not hide the next.
Leaves out what only makes sense across values (``quiz``, ``standards``).
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from lessons.faults import closest, nearest
from lessons.positions import Place
from lessons.reading import Document

T = TypeVar("T")
_BAD: Any = object()
"""Stands for a value that was refused; a fault has been reported."""

_NAMES = {
    str: "строка",
    bool: "true или false",
    int: "целое число",
    float: "число",
    list: "массив [ … ]",
    dict: "таблица",
}


def build(kind: type[T], data: object, document: Document, place: Place = ()) -> T | None:
    """``data`` (a table of ``document`` at ``place``) as the dataclass ``kind``, or None after at least one fault."""
    value = _table(kind, data, document, place)
    return None if value is _BAD else value


def build_list(kind: type[T], key: str, document: Document, data: Mapping[str, Any]) -> list[tuple[int, T]]:
    """The sound tables of the array ``key``, each with its index; the others are faults."""
    rows = data.get(key, [])
    if not isinstance(rows, list):
        document.at((key,), f"нужен {_NAMES[list]}, а здесь {_name(rows)}")
        return []
    built = [(index, build(kind, row, document, (key, index))) for index, row in enumerate(rows)]
    return [(index, value) for index, value in built if value is not None]


def only(document: Document, *keys: str) -> None:
    """Refuse top-level keys other than ``keys``."""
    _refuse_unknown(document.data, keys, document, ())


def _table(kind: Any, data: object, document: Document, place: Place) -> Any:
    if not isinstance(data, Mapping):
        return _wrong(document, place, dict, data)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    mistyped = _refuse_unknown(data, fields, document, place)
    values: dict[str, Any] = {}
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if name in data:
            values[name] = _value(_hints(kind)[name], data[name], document, (*place, name), required=required)
        elif required:
            values[name] = _BAD
            if name not in mistyped:
                document.fault(document.line(place), _key(place, name), "нет обязательного ключа")
    sound = not mistyped and not any(value is _BAD for value in values.values())
    return kind(**values) if sound else _BAD


def _refuse_unknown(data: Mapping[str, Any], known: Iterable[str], document: Document, place: Place) -> frozenset[str]:
    """Report unknown keys; the known ones that were probably meant, so that they are not called missing as well."""
    unknown = [key for key in data if key not in known]
    for key in unknown:
        document.at((*place, key), f"неизвестный ключ{nearest(key, known)}")
    return frozenset(closest(key, known) for key in unknown)


def _value(hint: Any, value: object, document: Document, place: Place, *, required: bool = False) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin is Literal:
        return _choice(args, value, document, place)
    if origin in {Union, types.UnionType}:
        return _either(args, value, document, place)
    if origin is tuple:
        return _several(args[0], value, document, place)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return value if isinstance(value, dict) else _wrong(document, place, dict, value)
    if dataclasses.is_dataclass(hint):
        return _table(hint, value, document, place)
    return _scalar(hint, value, document, place, required=required)


def _scalar(hint: Any, value: object, document: Document, place: Place, *, required: bool) -> Any:
    if hint is Path:
        return _file(value, document, place)
    if not _is(hint, value):
        return _wrong(document, place, hint, value)
    if required and isinstance(value, str) and not value.strip():
        document.at(place, "пустое значение")
        return _BAD
    return float(value) if hint is float and isinstance(value, float) else value


def _is(hint: Any, value: object) -> bool:
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def _choice(allowed: tuple[Any, ...], value: object, document: Document, place: Place) -> Any:
    if value in allowed:
        return value
    document.at(place, f"неизвестное значение «{value}»{nearest(str(value), map(str, allowed))}")
    return _BAD


def _either(hints: tuple[Any, ...], value: object, document: Document, place: Place) -> Any:
    plain = [hint for hint in hints if hint is not types.NoneType]
    if len(plain) == 1:
        return _value(plain[0], value, document, place)
    if any(_is(hint, value) for hint in plain):
        return value
    document.at(place, f"нужно: {' или '.join(_NAMES[hint] for hint in plain)}, а здесь {_name(value)}")
    return _BAD


def _several(hint: Any, value: object, document: Document, place: Place) -> Any:
    if not isinstance(value, list):
        return _wrong(document, place, list, value)
    items = tuple(_value(hint, item, document, (*place, i), required=True) for i, item in enumerate(value))
    return _BAD if any(item is _BAD for item in items) else items


def _file(value: object, document: Document, place: Place) -> Any:
    if not isinstance(value, str):
        return _wrong(document, place, str, value)
    folder = document.file.parent
    file = (folder / value).resolve()
    if file.is_relative_to(folder.resolve()) and file.is_file():
        return file
    document.at(place, f"нет файла «{value}» в папке урока")
    return _BAD


def _wrong(document: Document, place: Place, wanted: Any, value: object) -> Any:
    document.at(place, f"здесь {_name(value)}, а нужно: {_NAMES[wanted]}")
    return _BAD


def _name(value: object) -> str:
    return _NAMES.get(type(value), type(value).__name__)


def _key(place: Place, name: str) -> str:
    return ".".join([*(key for key in place if isinstance(key, str)), name])


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)
