"""What is wrong with data before a run is spent on it: each finding says where, what, and what to do.

Pure: tokens are counted by a function that the caller passes. Leaves out reading files (``own``) and forms of records
(``formats``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

from common import numbers
from demos.finetuning.base_model import SPECIAL
from demos.finetuning.formats import ROLES
from demos.finetuning.tasks.data import Chat, Data

Level = Literal["error", "warning"]
SPLITS: Mapping[str, str] = MappingProxyType({"train": "обучение", "validation": "проверка", "test": "итоговый тест"})
FEW = 10
"""With fewer training examples a model learns them by heart."""
SKEWED, CLASSES = 0.8, 20
"""One answer in so large a share is called a skew when there are at most so many different answers."""
FILE = "file"
"""The split of examples that are numbered by the lines of a file."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. ``number`` counts from 1 (or is the line of a file); 0 when the fault is of the data as a whole."""

    level: Level
    kind: str
    split: str  # empty when the data has no splits
    number: int
    text: str

    @property
    def where(self) -> str:
        """«Строка 7», «Пример 7 (обучение)», «Обучение» or «Данные»."""
        if self.split == FILE:
            return f"Строка {self.number}" if self.number else "Файл"
        split = SPLITS.get(self.split, self.split)
        if not self.number:
            return split.capitalize() or "Данные"
        return f"Пример {numbers.integer(self.number)}" + (f" ({split})" if split else "")


def characters(messages: Chat) -> int:
    """The length of all messages, in characters."""
    return sum(len(item.content) for item in messages)


def asked(messages: Chat) -> str:
    """What is asked, without case, spaces and instructions to the system: the same text is the same question."""
    said = (f"{item.role} {item.content}" for item in messages[:-1] if item.role != "system")
    return "\n".join(" ".join(text.casefold().split()) for text in said)


def lint(
    data: Data | Sequence[Chat],
    *,
    longest: int | None = None,
    count: Callable[[Chat], int] = characters,
    unit: str = "знаков",
    lines: Sequence[int] = (),
) -> tuple[Finding, ...]:
    """All findings, errors first, in the order of the examples.

    Args:
        data: splits, or chats all of which are for training.
        longest: how much of what ``count`` counts (called ``unit``) an example may hold; None for any.
        lines: the numbers to call the chats by instead of 1, 2, …; for chats without splits.
    """
    splits = dict(data.splits) if isinstance(data, Data) else {FILE if lines else "": tuple(data)}
    found: list[Finding] = []
    for split, chats in splits.items():
        numbered = tuple(zip(lines or range(1, len(chats) + 1), chats, strict=True))
        for number, messages in numbered:
            found += (Finding(level, kind, split, number, text) for level, kind, text in _one(messages))
            if longest is not None and (length := count(messages)) > longest:
                found.append(Finding("error", "long", split, number, _long(length, longest, unit)))
        found += _duplicates(split, numbered)
    found += _leaks(splits)
    found += _whole(*next(iter(splits.items())))
    found.sort(key=lambda item: item.level != "error")
    return tuple(found)


def _one(messages: Chat) -> Iterator[tuple[Level, str, str]]:
    """Faults of one chat by itself."""
    roles = [item.role for item in messages]
    if not roles:
        yield "error", "empty", "В примере нет ни одного сообщения: удалите его."
        return
    if unknown := [role for role in roles if role not in ROLES]:
        yield "error", "role", f"Неизвестная роль «{unknown[0][:40]}»: бывают {', '.join(ROLES)}."
    if "assistant" not in roles:
        yield "error", "no_assistant", "Нет ответа модели (assistant): учить не на чем. Допишите ответ."
    elif roles[-1] != "assistant":
        yield "error", "last", "Последнее сообщение — не ответ модели (assistant): допишите ответ или уберите хвост."
    if "system" in roles[1:]:
        yield "error", "system", "Сообщение system стоит в середине: оставьте одно и поставьте его первым."
    yield from _order([role for role in roles if role != "system"])
    if not all(item.content.strip() for item in messages):
        yield "error", "blank", "Есть пустое сообщение: заполните его или удалите пример."
    if mark := next((mark for mark in SPECIAL for item in messages if mark in item.content), ""):
        yield "error", "special", f"В тексте стоит служебная метка {mark}: она сломает шаблон чата, уберите её."


def _order(roles: Sequence[str]) -> Iterator[tuple[Level, str, str]]:
    """Whether the turns alternate: user, assistant, perhaps tool, assistant …"""
    if roles[:1] == ["assistant"]:
        yield "error", "order", "Разговор начинается с ответа: перед assistant нужен вопрос (user)."
    if any(one == other and one != "tool" for one, other in pairwise(roles)):
        yield (
            "error",
            "order",
            "Два сообщения одной роли подряд: user и assistant должны чередоваться. Объедините их или разбейте пример.",
        )
    if any(role == "tool" and before == "user" for before, role in zip(["user", *roles], roles, strict=False)):
        yield "warning", "order", "Ответ инструмента (tool) стоит без вызова: обычно перед ним идёт вызов от assistant."


def _long(length: int, longest: int, unit: str) -> str:
    return (
        f"Слишком длинно: {numbers.integer(length)} {unit} при пределе {numbers.integer(longest)}. Хвост отрежется, "
        "а в хвосте стоит ответ: сократите пример или разбейте его."
    )


def _duplicates(split: str, numbered: Sequence[tuple[int, Chat]]) -> Iterator[Finding]:
    """The same example twice; the same question with another answer."""
    like = "строки" if split == FILE else "примера"
    first: dict[Chat, int] = {}
    answered: dict[str, tuple[int, str]] = {}
    for number, messages in numbered:
        if messages in first:
            text = f"Повтор {like} {first[messages]}: удалите один из них, иначе он весит вдвое больше."
            yield Finding("warning", "duplicate", split, number, text)
            continue
        first[messages] = number
        question = asked(messages) if messages else ""
        if not question:
            continue
        earlier, answer = answered.setdefault(question, (number, messages[-1].content))
        if answer != messages[-1].content:
            text = f"Вопрос {like} {earlier} с другим ответом: оставьте один, иначе модель будет гадать."
            yield Finding("warning", "contradiction", split, number, text)


def _leaks(splits: Mapping[str, tuple[Chat, ...]]) -> Iterator[Finding]:
    """Questions of a later split that an earlier one holds."""
    seen: dict[str, tuple[str, int]] = {}
    for split, chats in splits.items():
        for number, messages in enumerate(chats, 1):
            question = asked(messages)
            where, earlier = seen.setdefault(question, (split, number))
            if question and where != split:
                text = f"Утечка: тот же вопрос есть в примере {earlier} ({SPLITS[where]}). Оставьте его в одной части."
                yield Finding("error", "leak", split, number, text)


def _whole(split: str, chats: tuple[Chat, ...]) -> Iterator[Finding]:
    """Faults of all training examples together."""
    answers = Counter(messages[-1].content for messages in chats if messages)
    if not answers:
        yield Finding("error", "none", split, 0, "Нет ни одного примера: добавьте вопросы с ответами.")
        return
    most = max(answers.values())
    if len(answers) == 1 < most:
        text = "Все ответы одинаковы: модель научится повторять один ответ на всё. Добавьте примеры с другими ответами."
        yield Finding("error", "one_class", split, 0, text)
    elif 1 < len(answers) <= CLASSES and most > SKEWED * answers.total():
        text = (
            f"Перекос: один и тот же ответ у {numbers.percent(most / answers.total(), 0)} примеров. "
            "Добавьте примеров с другими ответами."
        )
        yield Finding("warning", "skew", split, 0, text)
    if len(chats) < FEW:
        text = f"Мало примеров: {len(chats)}. Модель их заучит; для одного формата обычно хватает нескольких сотен."
        yield Finding("warning", "few", split, 0, text)
