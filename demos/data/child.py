"""What reads learners' data: run by ``graders.aside`` in a process with limits. Plain data in, plain data out.

Leaves out how a page asks (``lint``, ``convert``).
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from common import numbers
from demos.data import similar
from demos.finetuning import formats, linter, own
from demos.finetuning.tasks.data import Chat
from demos.params import ParamsError

MOST_LINES, MOST_FOUND, SHOWN = 2000, 200, 8
WHOLE = frozenset(("few", "skew", "one_class", "none"))
"""Findings about training data that say nothing about validation data."""
PARTS = {"train": "", "validation": "проверка, "}
Row = dict[str, Any]


def lint(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Everything wrong with the texts ``train`` and ``validation``; ``packages``: where the tokenizers library lies."""
    count = _counter(payload["packages"])
    found: list[Row] = []
    chats = {part: _read(payload[part], part, found) for part in PARTS}
    for part, numbered in chats.items():
        found += _linted(part, numbered, payload["longest"], count)
    found += _alike(chats)
    found.sort(key=lambda row: row["level"] != "error")
    train = [messages for _, messages in chats["train"]]
    answers = Counter(messages[-1].content for messages in train if messages)
    return {
        "findings": found[:MOST_FOUND],
        "more": max(0, len(found) - MOST_FOUND),
        "errors": sum(row["level"] == "error" for row in found),
        "warnings": sum(row["level"] != "error" for row in found),
        "examples": {part: len(numbered) for part, numbered in chats.items()},
        "lengths": [[line, count(messages)] for line, messages in chats["train"]],
        "trained": sum(count(messages, said=True) for messages in train),
        "answers": answers.most_common(SHOWN),
        "different": len(answers),
    }


def convert(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The text's chats in the form ``target``; a line that does not fit it is a fault, the others are written."""
    faults: list[Row] = []
    forms: Counter[str] = Counter()
    written, same = [], 0
    for line, messages in _read(payload["text"], "train", faults, forms):
        try:
            (text,) = formats.lines([messages], payload["target"]).splitlines()
            same += own.chat(text) == messages
            written.append([line, text])
        except ParamsError as error:
            sentence = str(error).removeprefix("Пример 1: ")
            faults.append(_row("error", "form", f"Строка {line}", sentence[:1].upper() + sentence[1:]))
    return {"lines": written, "faults": faults[:MOST_FOUND], "forms": dict(forms), "same": same}


def _read(text: str, part: str, faults: list[Row], forms: Counter[str] | None = None) -> list[tuple[int, Chat]]:
    """The chats by line; lines that are none go to ``faults``."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if fault := _whole_fault(text, len(lines)):
        faults.append(_row("error", "json", "Данные", fault))
        return []
    found = []
    for number, line in lines:
        try:
            found.append((number, own.chat(line)))
        except ParamsError as error:
            faults.append(_row("error", "json", _where(part, number), str(error)))
        else:
            if forms is not None:
                forms[formats.detect(own.record(line)).title] += 1
    return found


def _whole_fault(text: str, lines: int) -> str:
    if lines > MOST_LINES:
        return f"Здесь {numbers.integer(lines)} строк, а можно {numbers.integer(MOST_LINES)}: возьмите часть."
    try:
        own.refuse_one_list(text)
    except ParamsError as error:
        return str(error)
    return ""


def _linted(part: str, numbered: Sequence[tuple[int, Chat]], longest: int, count: Callable[..., int]) -> list[Row]:
    if not numbered:
        return []
    said = linter.lint(
        [messages for _, messages in numbered],
        longest=longest,
        count=count,
        unit="токенов",
        lines=[line for line, _ in numbered],
    )
    kept = [item for item in said if part == "train" or item.kind not in WHOLE]
    return [
        _row(item.level, item.kind, _where(part, item.number) if item.number else "Данные", item.text) for item in kept
    ]


def _alike(chats: Mapping[str, Sequence[tuple[int, Chat]]]) -> list[Row]:
    """Questions that stand in both parts, and questions that are almost the same."""
    all_ = [(part, line, linter.asked(messages)) for part, numbered in chats.items() for line, messages in numbered]
    rows = []
    first = {question: line for part, line, question in reversed(all_) if part == "train" and question}
    for part, line, question in all_:
        if part == "validation" and question in first:
            text = f"Утечка: тот же вопрос стоит в строке {first[question]} обучения. Оставьте его в одной части."
            rows.append(_row("error", "leak", _where(part, line), text))
    for pair in similar.pairs([question.removeprefix("user ") for _, _, question in all_]):
        (part, line, _), (other, later, _) = all_[pair.one], all_[pair.other]
        share = numbers.percent(pair.share, 0)
        if part == other:
            text = f"Почти повтор строки {line}: совпадает {share} троек букв. Оставьте один, если разница случайна."
            rows.append(_row("warning", "near", _where(other, later), text))
        else:
            text = f"Похоже на утечку: почти тот же вопрос в строке {line} обучения, совпадает {share} троек букв."
            rows.append(_row("warning", "near_leak", _where(other, later), text))
    return rows


def _row(level: str, kind: str, where: str, text: str) -> Row:
    return {"level": level, "kind": kind, "where": where, "text": text}


def _where(part: str, line: int) -> str:
    return f"{PARTS[part]}строка {line}".capitalize()


def _counter(packages: str) -> Callable[..., int]:
    """Tokens of a chat in the bundled model's template; of its answers alone with ``said``."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    sys.path.append(packages)
    from demos.finetuning import vocabulary

    def count(messages: Chat, *, said: bool = False) -> int:
        """A role's mark and an end stand around every message; of an answer the end is learned, too."""
        kept = [item for item in messages if not said or item.role == "assistant"]
        return sum(vocabulary.count(item.content) + (1 if said else 2) for item in kept)

    return count
