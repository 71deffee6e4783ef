"""The safetensors container read by hand: names, types, shapes and places of tensors, nothing run, nothing guessed.

The format is eight bytes of length, a JSON header and plain numbers, so a reader fits on a page; ours is stricter than
it has to be, for the file comes from anybody. Imports no torch. Leaves out what the tensors mean (``files``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

LARGEST_FILE = 12 * 2**20
LARGEST_HEADER = 2**20
MOST_TENSORS = 2000
MOST_AXES = 4
BYTES = {"F32": 4, "F16": 2, "BF16": 2}
"""Types an adapter may have, with the bytes of one number."""
NAMES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


class AdapterError(ValueError):
    """A file that is no adapter of ours; the message is one Russian sentence for whoever brought it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One tensor as the header has it; ``start`` and ``end`` count bytes from the beginning of the file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def read(content: bytes) -> tuple[Stored, ...]:
    """Every tensor of a safetensors file, by place.

    Raises:
        AdapterError: it is something else, cut off, too large or inconsistent.
    """
    if content[:2] == b"PK" or (content[:1] == b"\x80" and content[8:9] != b"{"):  # a header may be 128 bytes long
        raise AdapterError(
            "Это файл pickle (.bin, .pt): при открытии он мог бы выполнить чужой код. "
            "Сохраните адаптер в safetensors: model.save_pretrained(папка)."
        )
    header, begin = _header(content)
    header.pop("__metadata__", None)
    if not header:
        raise AdapterError("В файле весов нет ни одного тензора: сохраните адаптер заново.")
    if len(header) > MOST_TENSORS:
        raise AdapterError(f"В файле {len(header)} тензоров, а у адаптера их не бывает больше {MOST_TENSORS}.")
    found = sorted((_tensor(name, said, begin) for name, said in header.items()), key=lambda one: (one.start, one.end))
    _check_places(found, begin, len(content))
    return tuple(found)


def plain_json(content: bytes, what: str) -> dict[str, Any]:
    """A JSON object without surprises: UTF-8, no key twice, no NaN, not too deep.

    Raises:
        AdapterError: it is not that; ``what`` names it.
    """
    try:
        data = json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise AdapterError(f"{what}: это не текст в UTF-8 — файл повреждён или взят не тот.") from None
    except RecursionError:
        raise AdapterError(f"{what}: слишком много вложенных скобок — такого у адаптера не бывает.") from None
    except _Twice as twice:
        raise AdapterError(f"{what}: имя «{short(twice.args[0])}» встречается дважды — файл повреждён.") from None
    except ValueError:
        raise AdapterError(f"{what}: это не JSON — файл повреждён или взят не тот.") from None
    if not isinstance(data, dict):
        raise AdapterError(f"{what}: нужен объект JSON с именами полей, а там другое.")
    return data


def short(text: object) -> str:
    """Somebody's text cut to a length that fits into a sentence."""
    line = " ".join(str(text).split())
    return line if len(line) <= 60 else f"{line[:28]}…{line[-28:]}"


class _Twice(ValueError):
    """A name that stands twice in one object."""


def _header(content: bytes) -> tuple[dict[str, Any], int]:
    if len(content) > LARGEST_FILE:
        raise AdapterError(
            f"Файл больше {LARGEST_FILE >> 20} МиБ: адаптер курсовой модели столько не занимает — "
            "проверьте, что это адаптер, а не вся модель."
        )
    length = int.from_bytes(content[:8], "little")
    if len(content) < 10 or content[8:9] != b"{":
        raise AdapterError("Это не файл safetensors: загрузите adapter_model.safetensors.")
    if length > LARGEST_HEADER:
        raise AdapterError("Заголовок файла больше 1 МиБ: у адаптера он занимает килобайты, файл повреждён.")
    if 8 + length > len(content):
        raise AdapterError("Файл обрывается на заголовке: он скачан не целиком — скачайте его ещё раз.")
    return plain_json(content[8 : 8 + length], "Заголовок safetensors"), 8 + length


def _tensor(name: str, said: Any, begin: int) -> Stored:
    try:
        dtype, shape, (start, end) = said["dtype"], tuple(said["shape"]), said["data_offsets"]
    except (TypeError, KeyError, ValueError):
        raise AdapterError(f"Тензор {short(name)}: в заголовке нет типа, формы или места.") from None
    if type(dtype) is not str or dtype not in BYTES:
        raise AdapterError(
            f"Тензор {short(name)} имеет тип {short(dtype)}, а адаптеры хранят float32, float16 или bfloat16."
        )
    if (
        len(shape) > MOST_AXES
        or not all(type(n) is int and 0 < n < 2**31 for n in (*shape, end))
        or type(start) is not int
    ):
        raise AdapterError(f"Тензор {short(name)}: невозможная форма в заголовке, файл повреждён.")
    if end - start != math.prod(shape) * BYTES[dtype]:
        raise AdapterError(f"Тензор {short(name)}: форма и число байтов не сходятся, файл повреждён.")
    return Stored(name, dtype, shape, begin + start, begin + end)


def _check_places(found: list[Stored], begin: int, size: int) -> None:
    place = begin
    for one in found:
        if one.start != place:
            raise AdapterError(
                f"Тензор {short(one.name)} лежит не на своём месте: тензоры перекрываются или между ними дыра."
            )
        place = one.end
    if place > size:
        raise AdapterError("Файл обрывается посреди весов: он скачан не целиком — скачайте его ещё раз.")
    if place < size:
        raise AdapterError("После весов в файле есть лишние данные: это не обычный файл адаптера.")


def _once(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(name)
        found[name] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
