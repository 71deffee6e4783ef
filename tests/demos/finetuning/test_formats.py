"""Forms of chats: each way there and back, and what has no way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demos.finetuning import formats, tasks
from demos.finetuning.skills import Message
from demos.finetuning.tasks import Chat, tools
from demos.params import ParamsError

TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1, max_size=40)
QUESTION = st.tuples(TEXT, TEXT).map(lambda said: (Message("user", said[0]), Message("assistant", said[1])))
WITH_SYSTEM = st.tuples(TEXT, QUESTION).map(lambda said: (Message("system", said[0]), *said[1]))
LONG = st.tuples(QUESTION, QUESTION).map(lambda said: (*said[0], *said[1]))
CALL = tools.call("date", {"days": 5})


def message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


@pytest.mark.parametrize("name", ["messages", "openai", "prompt"])
@given(chat=QUESTION | WITH_SYSTEM | LONG)
@settings(max_examples=60, deadline=None)
def test_any_chat_comes_back_as_it_was(name: str, chat: Chat) -> None:
    assert formats.read(json.loads(formats.lines([chat], name))) == chat


@given(chat=QUESTION | WITH_SYSTEM)
@settings(max_examples=100, deadline=None)
def test_one_question_comes_back_from_an_instruction(chat: Chat) -> None:
    assert formats.read(formats.write(chat, "instruction")) == chat


@pytest.mark.slow
@pytest.mark.parametrize("task", ["json", "tools", "polite"])
@pytest.mark.parametrize("name", ["messages", "openai", "prompt"])
def test_the_courses_data_comes_back_from_jsonl(task: str, name: str) -> None:
    chats = tasks.build(task).train[:200]
    written = formats.lines(chats, name)
    assert written.count("\n") == 200
    assert tuple(formats.read(json.loads(line)) for line in written.splitlines()) == chats


def test_an_instruction_is_split_where_the_base_was_taught_to_hear_it() -> None:
    chat = tasks.build("json").train[0]
    record = formats.write(chat, "instruction")
    assert record["instruction"] == "переведи в JSON"
    assert record["input"] == chat[0].content.removeprefix("переведи в JSON: ")
    assert record["output"] == chat[1].content
    assert formats.read({"instruction": "повтори", "output": "кот"})[0].content == "повтори"
    alpaca = {"instruction": "переведи", "input": None, "output": "да", "system": ""}
    assert formats.read(alpaca) == (Message("user", "переведи"), Message("assistant", "да"))


def test_a_call_becomes_tool_calls_and_its_answer_names_it() -> None:
    chat = (
        Message("user", "какая дата через 5 дней?"),
        Message("assistant", CALL),
        Message("tool", '{"result": "1.2.2026"}'),
        Message("assistant", "ответ: 1.2.2026"),
    )
    record = formats.write(chat, "openai")
    _, call, result, last = record["messages"]
    assert call["content"] is None
    assert call["tool_calls"][0]["function"] == {"name": "date", "arguments": '{"days": 5}'}
    assert result["tool_call_id"] == call["tool_calls"][0]["id"]
    assert last == message("assistant", "ответ: 1.2.2026")
    assert formats.read(record) == chat


@pytest.mark.parametrize("text", ['{"en": "a", "who": "b"}', '{"name":"date","arguments":{}}', "[" * 50_000, "да"])
def test_an_answer_that_is_no_call_stays_text(text: str) -> None:
    chat = (Message("user", "?"), Message("assistant", text))
    assert formats.write(chat, "openai")["messages"][1] == message("assistant", text)


def test_parts_of_text_are_put_together() -> None:
    parts = [{"type": "text", "text": "переведи: "}, {"type": "text", "text": "кот спит"}]
    record = {"messages": [{"role": "user", "content": parts}, message("assistant", "the tomcat sleeps")]}
    assert formats.read(record)[0].content == "переведи: кот спит"


@pytest.mark.parametrize(
    ("chat", "name", "sentence"),
    [
        ((Message("user", "а"), Message("assistant", "б")) * 2, "instruction", "Пример 2: в instruction/input/output"),
        ((Message("user", "а"),), "prompt", "Пример 2: в completion стоит ответ модели"),
        ((), "prompt", "Пример 2: в completion"),
        ((Message("user", "а"), Message("tool", "б"), Message("assistant", "в")), "openai", "должен стоять его вызов"),
        ((Message("user", "а"), Message("assistant", "б")), "csv", "Нет формата «csv»: есть messages"),
    ],
)
def test_a_form_without_room_for_a_chat_says_so(chat: Chat, name: str, sentence: str) -> None:
    fits = (Message("user", "да?"), Message("assistant", "да"))
    with pytest.raises(ParamsError) as raised:
        formats.lines([fits, chat], name)
    assert sentence.lower() in str(raised.value).lower()
    assert "\n" not in str(raised.value)


def called(**function: Any) -> dict[str, Any]:
    return {"messages": [message("user", "?"), {"role": "assistant", "tool_calls": [{"function": function}]}]}


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ({}, "Нет ключей ни одного из форматов"),
        ({"text": "всё вместе"}, "нужны messages или instruction/output или prompt/completion"),
        ({"messages": "привет"}, "непустой список сообщений"),
        ({"messages": []}, "непустой список"),
        ({"messages": ["привет"]}, "Сообщение 1 — не объект"),
        ({"messages": [message("бот", "привет")]}, "Сообщение 1: role должна быть одной из system, user"),
        ({"messages": [{"role": ["user"], "content": "а"}]}, "role должна быть"),
        ({"messages": [{"role": "user", "content": None}]}, "«content сообщения 1» должно быть строкой"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "учить можно только на тексте"),
        ({"messages": [message("user", "а")] * 101}, "больше 100 сообщений"),
        ({"messages": [message("user", "а\0")]}, "нулевой символ"),
        ({"messages": [message("user", "а\ud800")]}, "половина символа"),
        ({"instruction": 5, "output": "а"}, "«instruction» должно быть строкой"),
        ({"instruction": "а", "output": {"en": "a"}}, "«output» должно быть строкой"),
        ({"prompt": "а", "completion": [message("assistant", "б")]}, "оба строками или оба списками"),
        (called(name="date", arguments="{"), "ровно один вызов"),
        (called(name="date", arguments="[" * 50_000), "ровно один вызов"),
        (called(name="date", arguments='{"a": "\\ud800"}'), "половина символа"),
        (called(name="date"), "ровно один вызов"),
        ({"messages": [{"role": "assistant", "tool_calls": 5}]}, "ровно один вызов"),
    ],
)
def test_a_record_that_holds_no_chat_says_why(record: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ParamsError) as raised:
        formats.read(record)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)
