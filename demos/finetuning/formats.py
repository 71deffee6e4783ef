"""Forms in which people keep chats, one record a line, and the way from each to messages and back.

``messages``: a list of role and content. ``openai``: the same with tool calls as OpenAI's API writes them.
``instruction``: instruction, input, output. ``prompt``: prompt and completion, as texts or as lists of messages.
Chat → record → chat gives the same chat (an empty system message aside); where a record has no room for a chat, that
is said. What a record holds besides is dropped. Leaves out files (``own``) and whether a chat makes sense (``linter``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from demos.finetuning.skills import Message
from demos.finetuning.tasks.data import Chat, row
from demos.params import ParamsError

ROLES = ("system", "user", "assistant", "tool")
JOIN = ": "
"""Between instruction and input: «переведи: кот спит» is what the base model was taught to hear."""
MOST_MESSAGES = 100
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """One form of records. ``keys``: those that tell it from others."""

    name: str
    title: str
    keys: tuple[str, ...]
    read: Callable[[Record], Chat]
    write: Callable[[Chat], dict[str, Any]]


def detect(record: Record) -> Form:
    """The form of a record, told by its keys.

    Raises:
        ParamsError: it has the keys of none.
    """
    for form in FORMS.values():
        if all(key in record for key in form.keys):
            return form
    known = " или ".join(dict.fromkeys("/".join(form.keys) for form in FORMS.values()))
    raise ParamsError(f"Нет ключей ни одного из форматов: нужны {known}.")


def read(record: Record) -> Chat:
    """The chat that a record of any form holds.

    Raises:
        ParamsError: no known form, a value of the wrong kind, text that cannot be stored.
    """
    return detect(record).read(record)


def write(messages: Chat, name: str) -> dict[str, Any]:
    """The chat as a record of that form.

    Raises:
        ParamsError: no such form, or it has no room for this chat.
    """
    if name not in FORMS:
        raise ParamsError(f"Нет формата «{name[:40]}»: есть {', '.join(FORMS)}.")
    return FORMS[name].write(messages)


def lines(chats: Iterable[Chat], name: str) -> str:
    """The chats as JSONL: one record a line.

    Raises:
        ParamsError: no such form, or a chat does not fit it; the message names the example.
    """
    written = []
    for number, messages in enumerate(chats, 1):
        try:
            record = write(messages, name)
        except ParamsError as error:
            raise ParamsError(f"Пример {number}: {after_colon(str(error))}") from None
        written.append(json.dumps(record, ensure_ascii=False) + "\n")
    return "".join(written)


def after_colon(sentence: str) -> str:
    """The sentence without its capital, unless it begins with a name: to stand behind «Строка 7: »."""
    return sentence[:1].lower() + sentence[1:] if "А" <= sentence[:1] <= "Я" else sentence


def _read_messages(record: Record) -> Chat:
    return _messages(record["messages"], "messages")


def _read_instruction(record: Record) -> Chat:
    instruction, given = _text(record["instruction"], "instruction"), _text(record.get("input") or "", "input")
    asked = f"{instruction}{JOIN}{given}" if given else instruction
    system = _text(record.get("system") or "", "system")
    before = (Message("system", system),) if system else ()
    return *before, Message("user", asked), Message("assistant", _text(record["output"], "output"))


def _read_prompt(record: Record) -> Chat:
    prompt, completion = record["prompt"], record["completion"]
    if isinstance(prompt, str) and isinstance(completion, str):
        return Message("user", _text(prompt, "prompt")), Message("assistant", _text(completion, "completion"))
    if isinstance(prompt, list) and isinstance(completion, list):
        return (*_messages(prompt, "prompt"), *_messages(completion, "completion"))
    raise ParamsError("Значения prompt и completion должны быть оба строками или оба списками сообщений.")


def _write_instruction(messages: Chat) -> dict[str, Any]:
    system, talk = _apart(messages)
    if [item.role for item in talk] != ["user", "assistant"]:
        raise ParamsError(
            "В instruction/input/output помещаются один вопрос и один ответ: разговор длиннее храните в messages."
        )
    head, join, rest = talk[0].content.partition(JOIN)
    instruction, given = (head, rest) if join and rest else (talk[0].content, "")
    record = {"instruction": instruction, "input": given, "output": talk[1].content}
    return {"system": system, **record} if system else record


def _write_prompt(messages: Chat) -> dict[str, Any]:
    if not messages or messages[-1].role != "assistant":
        raise ParamsError("В completion стоит ответ модели, поэтому последнее сообщение должно быть от assistant.")
    if [item.role for item in messages] == ["user", "assistant"]:
        return {"prompt": messages[0].content, "completion": messages[1].content}
    return {"prompt": row(messages[:-1])["messages"], "completion": row(messages[-1:])["messages"]}


def _write_openai(messages: Chat) -> dict[str, Any]:
    """Calls in the assistant's text become ``tool_calls``; a tool's answer names the call before it."""
    written: list[dict[str, Any]] = []
    calls = 0
    for item in messages:
        plain: dict[str, Any] = {"role": item.role, "content": item.content}
        function = _call(item.content) if item.role == "assistant" else None
        if function:
            calls += 1
            plain["content"] = None
            plain["tool_calls"] = [{"id": f"call_{calls}", "type": "function", "function": function}]
        elif item.role == "tool":
            if not calls:
                raise ParamsError("Перед ответом инструмента (tool) у OpenAI должен стоять его вызов от assistant.")
            plain["tool_call_id"] = f"call_{calls}"
        written.append(plain)
    return {"messages": written}


def _call(text: str) -> dict[str, str] | None:
    """OpenAI's ``function`` for a call that reads back as the same text; None for any other text."""
    try:
        said = json.loads(text)
        if not isinstance(said, dict) or json.dumps(said, ensure_ascii=False) != text:
            return None
        arguments = json.dumps(said.get("arguments"), ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    fits = list(said) == ["name", "arguments"] and isinstance(said["name"], str) and isinstance(said["arguments"], dict)
    return {"name": said["name"], "arguments": arguments} if fits else None


def _messages(value: Any, key: str) -> Chat:
    if not isinstance(value, list) or not value:
        raise ParamsError(f"«{key}» — это непустой список сообщений с ключами role и content.")
    if len(value) > MOST_MESSAGES:
        raise ParamsError(f"В разговоре больше {MOST_MESSAGES} сообщений: разбейте его на несколько.")
    return tuple(_message(item, number) for number, item in enumerate(value, 1))


def _message(item: Any, number: int) -> Message:
    if not isinstance(item, dict):
        raise ParamsError(f"Сообщение {number} — не объект с ключами role и content.")
    role = item.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise ParamsError(f"Сообщение {number}: role должна быть одной из {', '.join(ROLES)}.")
    if item.get("tool_calls"):
        return Message(role, _text(_called(item["tool_calls"], number), f"tool_calls сообщения {number}"))
    content = item.get("content")
    if isinstance(content, list):  # OpenAI's parts of a message
        content = "".join(_part(part, number) for part in content)
    return Message(role, _text(content, f"content сообщения {number}"))


def _part(part: Any, number: int) -> str:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    raise ParamsError(f"Сообщение {number}: учить можно только на тексте, а здесь часть другого типа.")


def _called(calls: Any, number: int) -> str:
    """The text by which a call is taught: ``{"name": …, "arguments": {…}}``."""
    try:
        (one,) = calls
        function = one["function"]
        arguments = json.loads(function["arguments"])
        return json.dumps({"name": function["name"], "arguments": arguments}, ensure_ascii=False)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ParamsError(
            f"Сообщение {number}: в tool_calls нужен ровно один вызов с function.name и JSON в function.arguments."
        ) from None


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise ParamsError(f"«{what}» должно быть строкой.")
    if "\0" in value:
        raise ParamsError(f"В «{what}» есть нулевой символ (\\u0000): уберите его.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ParamsError(f"В «{what}» есть половина символа (\\ud800–\\udfff без пары): уберите её.") from None
    return value


def _apart(messages: Chat) -> tuple[str, Chat]:
    if messages and messages[0].role == "system":
        return messages[0].content, messages[1:]
    return "", messages


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        form.name: form
        for form in (
            Form("messages", "Сообщения", ("messages",), _read_messages, lambda messages: dict(row(messages))),
            Form("openai", "OpenAI", ("messages",), _read_messages, _write_openai),
            Form("instruction", "Инструкция", ("instruction", "output"), _read_instruction, _write_instruction),
            Form("prompt", "Вопрос и ответ", ("prompt", "completion"), _read_prompt, _write_prompt),
        )
    }
)
"""Every form by name."""
