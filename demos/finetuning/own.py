"""A learner's own data: the bytes of an upload into chats in three splits, or every fault with its line.

Any bytes end in data or in ``OwnDataError``. Leaves out the forms of records (``formats``) and what makes a bad example
(``linter``).
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from common import numbers
from demos.finetuning import formats
from demos.finetuning.linter import Finding, asked, lint
from demos.finetuning.tasks.data import Chat, Data
from demos.params import ParamsError

LARGEST = 2_000_000
"""Bytes of a file."""
MOST_LINES, LONGEST_MESSAGE = 5000, 4000
MOST_FAULTS = 10
"""So many are told at once."""
LEAST_QUESTIONS = 3
"""Different ones: each split needs its own."""
SHARE, MOST_VALIDATION, MOST_TEST = 0.1, 100, 500
"""A tenth goes to validation and a tenth to the test, at least one example, at most so many."""
SAVE_AS = "сохраните файл в кодировке UTF-8"


class OwnDataError(ParamsError):
    """An upload that cannot be trained on; ``faults`` are whole sentences, most with «Строка N: …»."""

    def __init__(self, faults: Sequence[str], more: int = 0) -> None:
        rest = [f"И ещё {numbers.plural(more, 'ошибка', 'ошибки', 'ошибок')}."] if more > 0 else []
        self.faults = (*faults, *rest)
        super().__init__("\n".join(self.faults))

    def __reduce__(self) -> tuple[type[OwnDataError], tuple[tuple[str, ...]]]:
        return OwnDataError, (self.faults,)  # it may cross from one process to another


@dataclass(frozen=True, slots=True)
class Upload:
    """Data of a file and what is odd about it without being wrong."""

    data: Data
    warnings: tuple[Finding, ...]


def parse(content: bytes, filename: str) -> Data:
    """The data in an upload.

    Raises:
        OwnDataError: the file holds something else; the message lists up to ten faults with their lines.
    """
    return read(content, filename).data


def read(content: bytes, filename: str) -> Upload:
    """The data in an upload and the linter's warnings.

    Raises:
        OwnDataError: as in ``parse``.
    """
    numbered = _chats(decode(content, filename))
    if not numbered:
        raise OwnDataError(["Файл пуст: в JSONL на каждой строке стоит один пример."])
    chats = [messages for _, messages in numbered]
    found = lint(chats, lines=[number for number, _ in numbered])
    _refuse([_fault(item) for item in found if item.level == "error"])
    return Upload(split(chats), found)


def told(upload: Mapping[str, str]) -> dict[str, Any]:
    """What a page says of an upload, as plain data: ``counts`` and ``warnings``, or ``faults``.

    ``upload`` has the file's ``name`` and its ``content`` in Base64: so a process of its own can read it.
    """
    try:
        found = read(base64.b64decode(upload["content"]), upload["name"])
    except OwnDataError as error:
        return {"faults": list(error.faults)}
    counts = {split: len(chats) for split, chats in found.data.splits.items()}
    return {"counts": counts, "warnings": [f"{remark.where}: {remark.text}" for remark in found.warnings]}


def split(chats: Sequence[Chat]) -> Data:
    """The chats in three splits; the same question stays in one. The same chats in any order are split alike.

    Raises:
        OwnDataError: fewer than three different questions.
    """
    groups: dict[str, list[Chat]] = {}
    for messages in chats:
        groups.setdefault(asked(messages), []).append(messages)
    if len(groups) < LEAST_QUESTIONS:
        raise OwnDataError(
            [
                "Нужно хотя бы три разных вопроса — по одному для обучения, проверки и итогового теста, — "
                f"а в файле {numbers.plural(len(groups), 'вопрос', 'вопроса', 'вопросов')}."
            ]
        )
    order = sorted(groups)
    Random("own data").shuffle(order)
    order.sort(key=lambda question: len(groups[question]))  # a question asked a hundred times is for training
    wanted = max(1, round(len(chats) * SHARE))
    test = _take(groups, order, min(wanted, MOST_TEST), left=2)
    validation = _take(groups, order, min(wanted, MOST_VALIDATION), left=1)
    return Data(_take(groups, order, len(chats), left=0), validation, test)


def _take(groups: dict[str, list[Chat]], order: list[str], wanted: int, *, left: int) -> tuple[Chat, ...]:
    """Whole groups from the front of ``order`` until there are enough examples or only ``left`` groups remain."""
    taken: list[Chat] = []
    while len(taken) < wanted and len(order) > left:
        taken += groups[order.pop(0)]
    return tuple(taken)


def _fault(item: Finding) -> str:
    return f"{item.where}: {formats.after_colon(item.text)}" if item.number else item.text


def decode(content: bytes, filename: str) -> str:
    """The text of a file.

    Raises:
        OwnDataError: too large, not UTF-8, or no text at all.
    """
    if len(content) > LARGEST:
        raise OwnDataError([f"Файл больше {numbers.size(LARGEST)}: возьмите часть примеров, для учёбы их хватит."])
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise OwnDataError([f"Файл в кодировке UTF-16: {SAVE_AS}."])
    if content.startswith((b"PK\x03\x04", b"\x1f\x8b", b"%PDF")):
        raise OwnDataError([f"«{_shown(filename)}» — архив или документ, а нужен текстовый файл .jsonl."])
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise OwnDataError([f"Строка {line}: нулевой байт — это не текстовый файл. Нужен JSONL в UTF-8."])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise OwnDataError([f"Строка {line}: не UTF-8 (возможно, Windows-1251): {SAVE_AS}."]) from None


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        raise OwnDataError(faults[:MOST_FAULTS], len(faults) - MOST_FAULTS)


def _chats(text: str) -> list[tuple[int, Chat]]:
    """The chats by line."""
    refuse_one_list(text)
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) > MOST_LINES:
        raise OwnDataError(
            [f"В файле {numbers.integer(len(lines))} строк, а можно {numbers.integer(MOST_LINES)}: возьмите часть."]
        )
    found: list[tuple[int, Chat]] = []
    faults: list[str] = []
    for number, line in lines:
        try:
            found.append((number, chat(line)))
        except ParamsError as error:
            faults.append(f"Строка {number}: {formats.after_colon(str(error))}")
    _refuse(faults)
    return found


def refuse_one_list(text: str) -> None:
    """A whole file of JSON is what people try first.

    Raises:
        OwnDataError: the text is that.
    """
    start = text.lstrip()
    if not start.startswith(("[", "{\n", "{\r")):
        return
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(whole, list | dict):
        raise OwnDataError(["Файл — один JSON целиком, а нужен JSONL: один пример — одна строка, без общих скобок."])


def chat(line: str) -> Chat:
    """The chat in one line of a file.

    Raises:
        ParamsError: the line is no JSON, no known form, or too long.
    """
    found = formats.read(record(line))
    longest = max(len(item.content) for item in found)
    if longest > LONGEST_MESSAGE:
        allowed = numbers.plural(LONGEST_MESSAGE, "знака", "знаков", "знаков")
        raise ParamsError(f"Сообщение из {numbers.integer(longest)} знаков, а можно не больше {allowed}.")
    return found


def record(line: str) -> dict[str, Any]:
    """The object in one line of a file.

    Raises:
        ParamsError: it is no JSON, a key stands twice, or it is no object.
    """
    try:
        found = json.loads(line, object_pairs_hook=_once, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ParamsError(f"Не JSON — ошибка в позиции {error.pos + 1}: проверьте кавычки, запятые и скобки.") from None
    except RecursionError:
        raise ParamsError("Слишком глубокая вложенность: пример — это объект с текстами.") from None
    except ParamsError:
        raise
    except ValueError:  # Python reads no integer of thousands of digits
        raise ParamsError("Слишком длинное число: запишите его строкой.") from None
    if not isinstance(found, dict):
        raise ParamsError('Нужен объект {"…": …}, а здесь другое значение JSON.')
    return found


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        counted = Counter(key for key, _ in pairs)
        raise ParamsError(f"Ключ «{_shown(counted.most_common(1)[0][0])}» стоит дважды: оставьте один.")
    return record


def _shown(key: str) -> str:
    return "".join(mark for mark in key[:40] if mark.isprintable())


def _refuse_constant(name: str) -> Iterator[None]:
    raise ParamsError(f"{name} — это не JSON: запишите число или строку.")
