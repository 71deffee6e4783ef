"""A learner's own data: any bytes end in chats or in sentences with line numbers."""

from __future__ import annotations

import base64
import json
import pickle
from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from demos.finetuning import formats, linter, own, tasks
from demos.finetuning.own import OwnDataError
from demos.params import ParamsError
from graders import aside


def record(number: int, answer: str = "") -> dict[str, Any]:
    return {"prompt": f"вопрос {number}", "completion": answer or f"ответ {number}"}


def jsonl(*records: Any) -> bytes:
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in records).encode()


GOOD = jsonl(*(record(number) for number in range(20)))


def faults(content: bytes, filename: str = "данные.jsonl") -> tuple[str, ...]:
    with pytest.raises(OwnDataError) as raised:
        own.parse(content, filename)
    return raised.value.faults


@pytest.mark.parametrize("name", list(formats.FORMS))
def test_any_form_is_told_by_its_keys(name: str) -> None:
    chats = tasks.build("json").train[:50]
    data = own.parse(formats.lines(chats, name).encode(), "мои.jsonl")
    assert {*data.train, *data.validation, *data.test} == set(chats)
    assert [len(split) for split in data.splits.values()] == [40, 5, 5]


def test_marks_line_ends_blank_lines_and_unusual_separators_are_no_faults() -> None:
    kept = jsonl(record(0, "раз\u2028два\x85три"))
    content = b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n\r\n") + kept.replace(b"\n", b"")
    upload = own.read(content, "мои.jsonl")
    assert sum(len(split) for split in upload.data.splits.values()) == 21
    assert [item.kind for item in upload.warnings] == ["contradiction"]
    assert upload.warnings[0].where == "Строка 41"


def test_the_same_question_stays_in_one_split_and_the_order_of_lines_does_not_matter() -> None:
    records = [record(number % 30, f"ответ {number}") for number in range(60)] + [record(7, f"{n}") for n in range(40)]
    data = own.parse(jsonl(*records), "а")
    assert not [item for item in linter.lint(data) if item.kind == "leak"]
    assert min(len(split) for split in data.splits.values()) >= 9
    again = own.parse(jsonl(*reversed(records)), "б")
    for one, other in zip(data.splits.values(), again.splits.values(), strict=True):
        assert Counter(one) == Counter(other)
    assert own.parse(jsonl(*records), "в") == data


def test_three_questions_are_enough_and_two_are_not() -> None:
    small = own.read(jsonl(*(record(number) for number in range(3))), "а")
    assert [len(split) for split in small.data.splits.values()] == [1, 1, 1]
    assert [item.kind for item in small.warnings] == ["few"]
    (fault,) = faults(jsonl(record(1), record(2)))
    assert "хотя бы три разных вопроса" in fault


def test_large_data_keep_most_for_training() -> None:
    data = own.parse(jsonl(*(record(number) for number in range(5000))), "а")
    assert [len(split) for split in data.splits.values()] == [4400, 100, 500]


def test_every_faulty_line_is_named_ten_at_most() -> None:
    lines = GOOD.decode().splitlines()
    lines[6], lines[11], lines[2] = "{кавычки}", '["список"]', '{"вопрос": "а"}'
    found = faults("\n".join(lines).encode())
    assert [text.partition(":")[0] for text in found] == ["Строка 3", "Строка 7", "Строка 12"]
    assert found[1].startswith("Строка 7: не JSON — ошибка в позиции 2")
    assert "нет ключей ни одного из форматов" in found[0]
    assert "нужен объект" in found[2]
    many = faults(b"x\n" * 25)
    assert len(many) == 11
    assert many[-1] == "И ещё 15\u00a0ошибок."


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("[" * 100_000, "слишком глубокая вложенность"),
        ('{"a":' * 50_000, "слишком глубокая вложенность"),
        ('{"prompt": ' + "9" * 5000 + "}", "слишком длинное число"),
        ('{"prompt": 1e999, "completion": "а"}', "оба строками"),
        ('{"prompt": NaN, "completion": "а"}', "NaN — это не JSON"),
        ('{"prompt": "а", "prompt": "б", "completion": "в"}', "ключ «prompt» стоит дважды"),
        ('{"prompt": "\\ud800", "completion": "в"}', "половина символа"),
        ('{"prompt": "\\u0000", "completion": "в"}', "нулевой символ"),
        (json.dumps(record(1, "ы" * 4001)), "сообщение из 4\u00a0001 знаков, а можно не больше 4\u00a0000\u00a0знаков"),
        ('{"messages": [{"role": "user", "content": "а"}]}', "нет ответа модели"),
        ('{"prompt": "а", "completion": " "}', "пустое сообщение"),
        ('{"prompt": "а", "completion": "<|end|>"}', "служебная метка"),
        ('{"prompt": "а", "completion": "б"} {"prompt": "в"}', "не JSON — ошибка в позиции 36"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(line: str, sentence: str) -> None:
    (fault,) = faults(GOOD + line.encode())
    assert fault.startswith("Строка 21: ")
    assert sentence in fault
    assert len(fault) < 200


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Файл пуст"),
        (b"\xef\xbb\xbf\r\n \n", "Файл пуст"),
        (GOOD.decode().encode("utf-16"), "в кодировке UTF-16: сохраните файл в кодировке UTF-8"),
        (GOOD.decode().encode("utf-16-le"), "Строка 1: нулевой байт"),
        (GOOD + "вопрос".encode("cp1251"), "Строка 21: не UTF-8 (возможно, Windows-1251)"),
        (b"PK\x03\x04xlsx", "архив или документ"),
        (GOOD + b"\0", "Строка 21: нулевой байт"),
        (json.dumps([record(1), record(2)], indent=1).encode(), "один JSON целиком, а нужен JSONL"),
        (json.dumps(record(1), indent=1).encode(), "один JSON целиком"),
        (b"[]", "один JSON целиком"),
        (b"x" * 2_000_001, "Файл больше 2,0\u00a0МБ"),
        (jsonl({}) * 5001, "В файле 5\u00a0001 строк"),
        (jsonl(*(record(number, "да") for number in range(20))), "Все ответы одинаковы"),
    ],
)
def test_a_file_that_is_no_data_is_refused_in_one_sentence(content: bytes, sentence: str) -> None:
    (fault,) = faults(content)
    assert sentence in fault


def test_an_upload_has_warnings_that_do_not_stop_it() -> None:
    skewed = jsonl(*(record(number, "да") for number in range(30)), record(50, "нет"), record(0, "да"))
    upload = own.read(skewed, "а")
    assert {item.kind for item in upload.warnings} == {"skew", "duplicate"}


def test_the_complaint_is_one_of_a_form_and_goes_from_process_to_process() -> None:
    with pytest.raises(ParamsError) as raised:
        own.parse(b"{\n[", "а")
    again = pickle.loads(pickle.dumps(raised.value))  # noqa: S301 - our own
    assert again.faults == raised.value.faults
    assert str(again) == str(raised.value)


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["messages", "role", "content", "prompt", "completion", "instruction", "input", "output", "system"]
)
NEARLY = st.recursive(
    VALUE | st.sampled_from(["user", "assistant", "tool", "system"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
LINES = st.lists(NEARLY.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20), max_size=6)


@given(content=st.binary(max_size=200) | LINES.map(b"\n".join))
@example(b'"\\ud800"')
@example(b"\xef\xbb\xbf{")
@settings(max_examples=150, deadline=None)
def test_no_bytes_break_it(content: bytes) -> None:
    try:
        told: tuple[str, ...] = ("",)
        splits = own.parse(content, "x").splits
    except OwnDataError as error:
        told, splits = error.faults, {}
    assert 0 < len(told) <= own.MOST_FAULTS + 1
    "".join(told).encode()  # can be shown
    assert all(splits.values())


def test_a_process_of_its_own_tells_the_same_as_reading_here() -> None:
    lines = [f'{{"instruction": "вопрос {number}", "output": "ответ {number}"}}' for number in range(12)]
    whole, broken = "\n".join(lines).encode(), b"[" * 100_000
    for content in (whole, broken):
        upload = {"name": "data.jsonl", "content": base64.b64encode(content).decode()}
        assert aside.run("demos.finetuning.own:told", upload) == json.loads(json.dumps(own.told(upload)))
    assert own.told({"name": "data.jsonl", "content": base64.b64encode(whole).decode()})["counts"]["train"] == 10
