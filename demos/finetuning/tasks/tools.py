"""Tool calls in JSON: which tool a request needs, with arguments that fit its schema; and when none is needed.

A schema is the part of JSON Schema that these tools use: an object's properties, their types, allowed values and which
are required. Leaves out running the tools: what a tool said comes in the chat.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Any

from common import numbers
from demos.finetuning import grammar, skills
from demos.finetuning.grammar import Split
from demos.finetuning.skills import Message
from demos.finetuning.tasks.data import Chat, Data, Task, chat, gather, phrase

Request = tuple[str, str, Mapping[str, Any], str]
"""What the user writes, the tool it needs, its arguments, and what the tool will say."""
TYPES: Mapping[str, type] = MappingProxyType({"string": str, "integer": int})


def _schema(**properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


TOOLS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "calculator": _schema(expression={"type": "string", "description": "выражение из двух чисел и знака"}),
        "translate": _schema(text={"type": "string"}, to={"type": "string", "enum": ["en", "ru"]}),
        "search": _schema(query={"type": "string", "description": "что искать"}),
        "date": _schema(days={"type": "integer", "description": "сколько дней прибавить к сегодняшней дате"}),
    }
)
"""Tool → JSON schema of its arguments."""
SYSTEM = f"инструменты: {', '.join(TOOLS)}"
WITHOUT_TOOL = ("ask", "repeat", "reverse", "pick", "look_up")
"""Skills of the base that answer at once, tool or no tool."""


def call(name: str, arguments: Mapping[str, Any]) -> str:
    """What the assistant writes to call a tool."""
    return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)


def mistakes(answer: str) -> tuple[str, ...]:
    """What is wrong with a call, in sentences for a learner; nothing when its arguments fit the tool's schema."""
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        return ("Ответ — не JSON.",)
    if not isinstance(said, dict) or set(said) != {"name", "arguments"}:
        return ("В вызове должны быть ровно два ключа: «name» и «arguments».",)
    if not isinstance(said["name"], str) or said["name"] not in TOOLS:
        return (f"Такого инструмента нет; есть: {', '.join(TOOLS)}.",)
    if not isinstance(said["arguments"], dict):
        return ("Значение «arguments» должно быть объектом: аргументы по именам.",)
    return tuple(_misfits(said["arguments"], TOOLS[said["name"]]))


def _misfits(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    known = schema["properties"]
    found = [f"Не хватает аргумента «{name}»." for name in schema["required"] if name not in arguments]
    for name, value in arguments.items():
        if name not in known:
            found.append(f"Лишний аргумент «{name[:40]}».")
        elif type(value) is not TYPES[known[name]["type"]]:  # bool is an int for isinstance
            found.append(f"Аргумент «{name}» должен иметь тип {known[name]['type']}.")
        elif value not in known[name].get("enum", [value]):
            found.append(f"Аргумент «{name}» — одно из: {', '.join(known[name]['enum'])}.")
    return found


def _calculator(random: Random, split: Split) -> Request:
    while True:
        one, other = random.randint(1, 99), random.randint(1, 99)
        if grammar.is_held_out("calculator", str(one), str(other)) == (split == "test"):
            break
    sign, value = random.choice((("+", one + other), ("-", one - other), ("*", one * other)))
    asked = random.choice(("посчитай {}", "сколько будет {}?", "калькулятор: {}"))
    expression = f"{one}{sign}{other}"
    return asked.format(expression), "calculator", {"expression": expression}, str(value)


def _translate(random: Random, split: Split) -> Request:
    drawn = grammar.sentence(random, split)
    if random.random() < 0.5:
        return f"как по-английски: {drawn.ru}?", "translate", {"text": drawn.ru, "to": "en"}, drawn.en
    return f"как по-русски: {drawn.en}?", "translate", {"text": drawn.en, "to": "ru"}, drawn.ru


def _search(random: Random, split: Split) -> Request:
    wanted, found = phrase(random, split, "accs").ru, grammar.sentence(random, split).ru
    return random.choice(("найди {}", "ищу {}, помоги", "поиск: {}")).format(wanted), "search", {"query": wanted}, found


def _date(random: Random, split: Split) -> Request:
    while True:
        days, back = random.randint(1, 999), random.random() < 0.5
        if grammar.is_held_out("date", str(days)) == (split == "test"):
            break
    count = f"{days} {numbers.word(days, 'день', 'дня', 'дней')}"
    ahead = random.choice((f"какая дата через {count}?", f"дата: +{count}"))
    asked = f"какая дата была {count} назад?" if back else ahead
    day = f"{random.randint(1, 28)}.{random.randint(1, 12)}.{random.randint(2000, 2030)}"
    return asked, "date", {"days": -days if back else days}, day


REQUESTS: tuple[Callable[[Random, Split], Request], ...] = (_calculator, _translate, _search, _date)


def _draw(random: Random, split: Split) -> tuple[str, Chat]:
    kind = random.random()
    if kind < 0.2:
        prompt, answer = skills.SKILLS[random.choice(WITHOUT_TOOL)](random, split)
        return prompt[-1].content, _with_tools((*prompt, Message("assistant", answer)))
    asked, name, arguments, said = random.choice(REQUESTS)(random, split)
    called = chat(asked, call(name, arguments))
    if kind < 0.75:
        return asked, _with_tools(called)
    result = Message("tool", json.dumps({"result": said}, ensure_ascii=False))
    return asked, _with_tools((*called, result, Message("assistant", f"ответ: {said}")))


def _with_tools(messages: Chat) -> Chat:
    return (Message("system", SYSTEM), *messages)


def _make(seed: int) -> Data:
    return gather("tools", _draw, seed)


TASKS = (
    Task(
        "tools",
        "Вызов инструментов",
        "На просьбу, для которой нужен инструмент, модель отвечает вызовом в JSON: имя и аргументы по схеме. Получив "
        "ответ инструмента, пересказывает его; если инструмент не нужен — отвечает сама.",
        "Кроме доли точных ответов проверьте, сколько вызовов годится по схеме: ошибка в одной кавычке делает вызов "
        "бесполезным. И не зовёт ли модель инструмент там, где справилась бы сама.",
        _make,
    ),
)
