"""Small data sets made to be wrong in one way each, and a clean one beside them. Texts are invented.

Leaves out finding what is wrong (``lint``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

OWN = "own"


@dataclass(frozen=True, slots=True)
class Sample:
    """Lines for training and, perhaps, for validation."""

    title: str
    train: str
    validation: str = ""


def _lines(records: Sequence[Any]) -> str:
    return "".join((each if isinstance(each, str) else json.dumps(each, ensure_ascii=False)) + "\n" for each in records)


def _turns(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in pairs]}


def _asked(question: str, answer: str) -> dict[str, Any]:
    return _turns(("user", question), ("assistant", answer))


def _told(instruction: str, given: str, output: str) -> dict[str, str]:
    return {"instruction": instruction, "input": given, "output": output}


_CLEAN = [
    _told("переведи", "кот видит большой дом", "the cat sees the big house"),
    _told("переведи", "мальчик читает новую книгу", "the boy reads the new book"),
    _told("переведи", "сестра любит красные яблоки", "the sister loves red apples"),
    _told("сколько слов", "утром идёт тихий дождь", "4"),
    _told("сколько слов", "старый мост стоит над рекой", "5"),
    _told("сколько слов", "дом", "1"),
    _told("наоборот", "лес река поле", "поле река лес"),
    _told("наоборот", "окно стол лампа дверь", "дверь лампа стол окно"),
    _told("наоборот", "сын дочь", "дочь сын"),
    _told("сложи", "12 и 30", "42"),
    _told("сложи", "7 и 8", "15"),
    _told("сложи", "40 и 41", "81"),
]
_ROLES = [
    _asked("переведи: кот спит", "the cat sleeps"),
    _turns(("assistant", "здравствуйте, чем помочь?")),
    _turns(("user", "переведи: дом"), ("user", "и ещё: лес"), ("assistant", "house, forest")),
    _turns(
        ("user", "сколько будет 2 и 2?"),
    ),
    _turns(("user", "повтори: лес"), ("system", "отвечай кратко."), ("assistant", "лес")),
    _turns(("user", "повтори: поле"), ("bot", "поле")),
    _turns(("user", "повтори: дом"), ("assistant", "")),
    _turns(("user", "повтори: окно"), ("assistant", "окно<|end|>")),
    _turns(("user", "какая погода?"), ("tool", "минус пять"), ("assistant", "холодно")),
]
_BROKEN = [
    json.dumps(_asked("переведи: лес", "forest"), ensure_ascii=False),
    '{"messages": [{"role": "user", "content": "переведи: дом"}',
    "{'instruction': 'переведи', 'output': 'house'}",
    '{"вопрос": "переведи: окно", "ответ": "window"}',
    '{"instruction": "переведи: стол", "output": 7}',
    '{"instruction": "сложи: 1 и 2", "output": NaN}',
    '{"prompt": "повтори: поле", "prompt": "повтори: река", "completion": "поле"}',
    "[1, 2, 3]",
]
_REPEATED = [
    _asked("переведи: кот видит большой дом", "the cat sees the big house"),
    _asked("сколько слов: утром идёт дождь", "3"),
    _asked("переведи: кот видит большой дом", "the cat sees the big house"),
    _asked("Переведи, пожалуйста: мальчик читает новую книгу", "the boy reads the new book"),
    _asked("переведи, пожалуйста: мальчик читает новую книгу!", "the boy reads a new book"),
    _asked("переведи, пожалуйста: мальчик читает новые книги", "the boy reads the new books"),
    _asked("сколько слов: утром идёт дождь", "три слова"),
    _asked("наоборот: лес река поле", "поле река лес"),
    _asked("сложи: 12 и 30", "42"),
    _asked("сложи: 12 и 31", "43"),
]
_LEAKED = [
    _asked(f"переведи: {one}", other) for one, other in (("старый мост над рекой", "an old bridge over the river"),)
]
_INTENTS = (
    ("почему кот спит", "вопрос"),
    ("зачем нужен этот мост", "вопрос"),
    ("когда откроется магазин", "вопрос"),
    ("правда ли, что идёт дождь", "вопрос"),
    ("где моя посылка", "вопрос"),
    ("кто отвечает за доставку", "вопрос"),
    ("можно ли вернуть деньги", "вопрос"),
    ("сколько стоит лампа", "вопрос"),
    ("какой у вас адрес", "вопрос"),
    ("почему так долго", "вопрос"),
    ("хочу купить красную лампу", "заказ"),
)
_CALL = {"name": "calculator", "arguments": '{"expression": "12 + 30"}'}
_TOOLS = [
    {
        "messages": [
            {"role": "system", "content": "инструменты: calculator."},
            {"role": "user", "content": "сколько будет 12 и 30?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": _CALL}],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "42"},
            {"role": "assistant", "content": "будет 42"},
        ]
    },
    _asked("переведи: лес", "forest"),
]
SAMPLES: Mapping[str, Sample] = MappingProxyType(
    {
        "clean": Sample("чистый: инструкции", _lines(_CLEAN)),
        "roles": Sample("ошибки в ролях", _lines(_ROLES)),
        "broken": Sample("сломанные строки", _lines(_BROKEN)),
        "repeated": Sample("повторы и противоречия", _lines(_REPEATED)),
        "leak": Sample(
            "утечка в проверку",
            _lines([*_LEAKED, *_CLEAN]),
            _lines(
                [
                    *_LEAKED,
                    _asked("переведи: старый мост над рекою!", "an old bridge over the river"),
                    _asked("переведи: новая школа у озера", "a new school by the lake"),
                ]
            ),
        ),
        "skewed": Sample("перекос классов", _lines([_asked(f"запрос: {text}", label) for text, label in _INTENTS])),
        "long": Sample(
            "слишком длинный пример",
            _lines([*_CLEAN[:9], _asked("повтори: " + "очень длинный вопрос " * 60, "очень длинный ответ")]),
        ),
        "tools": Sample("OpenAI: вызов инструмента", _lines(_TOOLS)),
    }
)
"""By name; ``clean`` is the one without faults."""
TITLES: Mapping[str, str] = MappingProxyType(
    {name: sample.title for name, sample in SAMPLES.items()} | {OWN: "свои данные"}
)
