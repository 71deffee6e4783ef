"""Reads the files that learners' code left: safetensors and JSON, each bounded before anything is built from it.

A safetensors file is read here, without the library: its header is small, plain and checked to the last byte, and the
tensors are copies of the bytes behind it. The library takes all that is taken here, not the other way round.
Every refusal is a ``Mistake`` with a sentence for the learner. Leaves out where the bytes come from
(``graders.host.files``).
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, NoReturn

from graders.host.faults import Mistake

if TYPE_CHECKING:
    import torch

LARGEST_HEADER, MOST_TENSORS, MOST_AXES = 1 << 20, 4_096, 8
LARGEST_JSON, DEEPEST_JSON, MOST_MARKS = 1 << 20, 32, 200_000
_MARK = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{},:]', re.DOTALL)
"""A string, closed or not (so that no byte is looked at twice), or a mark of structure."""

_KINDS = {
    "BOOL": ("bool", 1),
    "U8": ("uint8", 1),
    "I8": ("int8", 1),
    "U16": ("uint16", 2),
    "I16": ("int16", 2),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "U32": ("uint32", 4),
    "I32": ("int32", 4),
    "F32": ("float32", 4),
    "U64": ("uint64", 8),
    "I64": ("int64", 8),
    "F64": ("float64", 8),
    "F8_E4M3": ("float8_e4m3fn", 1),
    "F8_E5M2": ("float8_e5m2", 1),
    "C64": ("complex64", 8),
}


def safetensors(data: bytes, *, what: str = "файл адаптера") -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file by name. ``what`` names the file in the nominative.

    Raises:
        Mistake: the file is not in order; the sentence says in what way.
    """
    start = 8 + int.from_bytes(data[:8], "little") if len(data) >= 8 else 0
    if not 8 < start <= len(data) or start - 8 > LARGEST_HEADER or data[8:9] != b"{":
        raise Mistake("", f"Это не safetensors: {what} начинается не так. Сохраните его через safetensors.torch")
    header = json_object(data[8:start], what=f"{what}, заголовок,")
    if not _is_metadata(header.pop("__metadata__", {})):
        raise Mistake("", f"Запись __metadata__ не в порядке: {what}", expected="строки по именам")
    if len(header) > MOST_TENSORS:
        raise Mistake("", f"Слишком много тензоров: {what}", expected=f"до {MOST_TENSORS}", got=str(len(header)))
    places = {name: _place(entry, name, what) for name, entry in header.items()}
    _require_gapless([place[2:] for place in places.values()], len(data) - start, what)
    return {name: _built(data[start:], *place) for name, place in places.items()}


def json_object(data: bytes, *, what: str = "файл настроек") -> dict[str, Any]:
    """The JSON object in ``data``: bounded in size, depth and number of parts, no key twice, no NaN.

    Raises:
        Mistake: it is something else.
    """
    if len(data) > LARGEST_JSON:
        raise Mistake("", f"Слишком большой JSON: {what}", expected=f"до {LARGEST_JSON >> 10} КиБ")
    _require_shallow(data, what)
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Mistake("", f"JSON не читается: {what}", expected="JSON в UTF-8", got=str(error)[:200]) from error
    if type(found) is not dict:
        raise Mistake("", f"Нужен объект JSON {{…}}: {what}", expected="{…}", got=type(found).__name__)
    return found


def _require_shallow(data: bytes, what: str) -> None:
    """Count before parsing: a parser that recurses shall not be asked to."""
    depth = 0
    for number, found in enumerate(_MARK.finditer(data)):
        depth += (found[0] in (b"{", b"[")) - (found[0] in (b"}", b"]"))
        if depth > DEEPEST_JSON or number > MOST_MARKS:
            raise Mistake("", f"JSON вложен слишком глубоко или в нём слишком много частей: {what}")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("ключ записан дважды")
    return found


def _refuse(found: str) -> NoReturn:
    raise ValueError(f"{found} в JSON нет")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text[:20])


def _is_metadata(found: Any) -> bool:
    return type(found) is dict and all(type(value) is str for value in found.values())


def _place(entry: Any, name: str, what: str) -> tuple[str, tuple[int, ...], int, int]:
    """dtype, shape, begin and end of one tensor."""
    unknown = Mistake("", f"Описание тензора «{name[:80]}» не в порядке: {what}", got=str(entry)[:200])
    if type(entry) is not dict or set(entry) != {"dtype", "shape", "data_offsets"} or not name.isprintable():
        raise unknown
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if type(kind) is not str or kind not in _KINDS or not _are_sizes(shape) or not _are_sizes(offsets):
        raise unknown
    if len(shape) > MOST_AXES or len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * _KINDS[kind][1]:
        raise unknown
    return _KINDS[kind][0], tuple(shape), offsets[0], offsets[1]


def _are_sizes(numbers: Any) -> bool:
    return type(numbers) is list and all(type(number) is int and 0 <= number < 2**40 for number in numbers)


def _require_gapless(spans: list[tuple[int, int]], size: int, what: str) -> None:
    """Tensors lie one after another and fill the file: no two share bytes, no byte is nobody's."""
    reached = 0
    for begin, end in sorted(spans):
        if begin != reached:
            raise Mistake("", f"Тензоры в файле перекрываются или между ними пусто: {what}")
        reached = end
    if reached != size:
        raise Mistake("", f"Файл оборван или длиннее, чем в нём тензоров: {what}", expected=str(reached), got=str(size))


def _built(body: bytes, dtype: str, shape: tuple[int, ...], begin: int, end: int) -> torch.Tensor:
    import torch

    raw = bytearray(body[begin:end])
    if not raw:
        return torch.empty(shape, dtype=getattr(torch, dtype))
    if dtype == "bool":  # a byte other than 0 and 1 would make a bool that is neither
        return torch.frombuffer(raw, dtype=torch.uint8).ne(0).reshape(shape)
    return torch.frombuffer(raw, dtype=getattr(torch, dtype)).reshape(shape)
