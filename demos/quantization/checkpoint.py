"""The header of somebody's safetensors file read with mistrust: names, types, shapes and places of its tensors.

Eight bytes of length, a JSON header, plain numbers: nothing in such a file is run. Standard library only, so that
``told`` works in a bare process that can be killed. Unlike an adapter's file (``demos.finetuning.adapters.container``)
this one may hold any tensors of any model; only float ones can be looked at. Leaves out the numbers (``weights``).
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common import numbers
from demos.finetuning.adapters.container import AdapterError, plain_json, short
from demos.params import ParamsError

LARGEST_FILE = 36 * 2**20
"""Bytes: a layer of 4096 × 4096 in bfloat16 takes 32 MiB."""
LARGEST_HEADER = 2**20
MOST_TENSORS = 4000
LENGTH = 8  # bytes before the header that hold its length
FLOATS: Mapping[str, str] = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
"""Types that can be quantized, by torch's name."""
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_NAME = re.compile(r"[\w./:-]{1,200}", re.ASCII)


class CheckpointError(ParamsError):
    """A file that cannot be looked at; the message is one Russian sentence for whoever brought it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One float tensor; ``start`` and ``end`` count bytes from the beginning of the file."""

    name: str
    dtype: str  # as in the file: F32, F16, BF16, F64
    shape: tuple[int, ...]
    start: int
    end: int


def read(head: bytes, size: int) -> tuple[Entry, ...]:
    """The float tensors of a file of ``size`` bytes that begins with ``head`` (its header at least), in its order.

    Raises:
        CheckpointError: something else, too large, cut off, inconsistent, or without any float tensor.
    """
    _check_kind(head, size)
    length = int.from_bytes(head[:LENGTH], "little")
    if length > LARGEST_HEADER:
        raise CheckpointError("Заголовок файла больше 1 МиБ: у safetensors он занимает килобайты, файл повреждён.")
    begin = LENGTH + length
    if begin > size or begin > len(head):
        raise CheckpointError("Файл обрывается на заголовке: он скачан не целиком — скачайте его ещё раз.")
    try:
        header = plain_json(head[LENGTH:begin], "Заголовок safetensors")
    except AdapterError as problem:
        raise CheckpointError(str(problem)) from None
    header.pop("__metadata__", None)
    if len(header) > MOST_TENSORS:
        raise CheckpointError(f"В файле {len(header)} тензоров, а можно до {MOST_TENSORS}: возьмите один слой.")
    found = [_entry(name, said, begin, size) for name, said in header.items()]
    floats = tuple(one for one in found if one is not None)
    if not floats:
        raise CheckpointError(
            "В файле нет чисел float32, float16 или bfloat16: квантовать здесь нечего (возможно, он уже квантован)."
        )
    return floats


def told(upload: Mapping[str, Any]) -> dict[str, Any]:
    """Names and shapes of a file as plain data, or its ``fault``: for a process of its own that can be killed.

    ``upload`` has the file's ``size`` and its ``head`` in Base64.
    """
    try:
        found = read(base64.b64decode(upload["head"]), upload["size"])
    except CheckpointError as problem:
        return {"fault": str(problem)}
    return {"tensors": [[one.name, list(one.shape)] for one in found]}


def head(content: bytes | memoryview) -> bytes:
    """The beginning of a file that ``read`` needs and no more."""
    length = int.from_bytes(content[:LENGTH], "little")
    return bytes(content[: LENGTH + min(length, LARGEST_HEADER)])


def _check_kind(start: bytes, size: int) -> None:
    if not size:
        raise CheckpointError("Файл пуст: выберите файл .safetensors с весами.")
    if size > LARGEST_FILE:
        raise CheckpointError(
            f"Файл занимает {numbers.size(size)}, а здесь можно до {numbers.size(LARGEST_FILE, 0, binary=True)}: "
            "сохраните один слой отдельно — safetensors.torch.save_file({имя: тензор}, путь)."
        )
    if start[:2] == b"PK" or start[:1] == b"\x80":
        raise CheckpointError(
            "Это файл pickle (.bin, .pt), как бы он ни назывался: при открытии он мог бы выполнить чужой код. "
            "Сохраните веса в safetensors."
        )
    if size < LENGTH + 2 or start[LENGTH : LENGTH + 1] != b"{":
        raise CheckpointError("Это не файл safetensors: нужен файл с весами, который так и заканчивается.")


def _entry(name: str, said: Any, begin: int, size: int) -> Entry | None:
    """One tensor of the header; None for one that holds no floats or no numbers."""
    if not _NAME.fullmatch(name):
        raise CheckpointError(f"Имя тензора «{short(name)}» не похоже на имя слоя: файл повреждён или взят не тот.")
    try:
        dtype, shape, (start, end) = said["dtype"], tuple(said["shape"]), said["data_offsets"]
    except (TypeError, KeyError, ValueError):
        raise CheckpointError(f"Тензор {name}: в заголовке нет типа, формы или места.") from None
    if (
        type(dtype) is not str
        or len(shape) > 8
        or not all(type(n) is int and 0 <= n < 2**31 for n in (*shape, start, end))
    ):
        raise CheckpointError(f"Тензор {name}: невозможная форма в заголовке, файл повреждён.")
    if dtype not in FLOATS or not math.prod(shape):
        return None
    if end - start != math.prod(shape) * _BYTES[dtype]:
        raise CheckpointError(f"Тензор {name}: форма и число байтов не сходятся, файл повреждён.")
    if begin + end > size:
        raise CheckpointError("Файл обрывается посреди весов: он скачан не целиком — скачайте его ещё раз.")
    return Entry(name, dtype, shape, begin + start, begin + end)
