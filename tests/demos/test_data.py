"""Faults are found where they are, tokens are counted as the tokenizer counts, and no text hurts whoever reads it."""

from __future__ import annotations

import json
from itertools import combinations
from random import Random
from typing import Any

import pytest

from demos.data import balance, similar
from demos.data.convert import Params as Conversion
from demos.data.convert import convert
from demos.data.lint import Params, lint
from demos.data.samples import OWN, SAMPLES
from demos.finetuning import formats, tasks
from demos.params import ParamsError

FOUND = {
    "clean": set(),
    "roles": {
        ("json", "Строка 6"),
        ("order", "Строка 2"),
        ("order", "Строка 3"),
        ("no_assistant", "Строка 4"),
        ("system", "Строка 5"),
        ("blank", "Строка 7"),
        ("special", "Строка 8"),
        ("order", "Строка 9"),
        ("few", "Данные"),
    },
    "broken": {*(("json", f"Строка {line}") for line in range(2, 9)), ("few", "Данные")},
    "repeated": {
        ("duplicate", "Строка 3"),
        ("contradiction", "Строка 7"),
        ("near", "Строка 5"),
        ("near", "Строка 6"),
    },
    "leak": {
        ("leak", "Проверка, строка 1"),
        ("near_leak", "Проверка, строка 2"),
        ("near", "Проверка, строка 2"),
    },
    "skewed": {("skew", "Данные")},
    "long": {("long", "Строка 10")},
    "tools": {("few", "Данные")},
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_sample_has_the_faults_that_it_was_made_with(sample: str) -> None:
    made = lint(Params(sample=sample))
    assert {(item.kind, item.where) for item in made.findings} == FOUND[sample]
    assert made.errors == sum(item.level == "error" for item in made.findings)


def test_almost_equal_texts_are_found_as_by_comparing_all() -> None:
    random = Random(0)
    words = [
        "переведи",
        "кот",
        "видит",
        "большой",
        "старый",
        "дом",
        "лес",
        "река",
        "мост",
        "новую",
        "книгу",
        "12",
        "34",
    ]
    texts = [" ".join(random.choices(words, k=random.randint(1, 7))) for _ in range(150)]
    texts += [text[:-1] + random.choice("ая!") for text in texts[:60]]
    brute = set()
    for one, other in combinations(range(len(texts)), 2):
        left, right = similar.clean(texts[one]), similar.clean(texts[other])
        sets = similar.trigrams(left), similar.trigrams(right)
        digits = [[letter for letter in text.split() if letter.isdigit()] for text in (left, right)]
        long_enough = min(len(left), len(right)) >= similar.LEAST
        if texts[one] != texts[other] and long_enough and digits[0] == digits[1]:
            agreed = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
            brute |= {(one, other, agreed)} if agreed >= similar.SHARE else set()
    found = {(pair.one, pair.other, pair.share) for pair in similar.pairs(texts)}
    assert found == brute
    assert len(brute) > 20


def test_other_numbers_are_another_question() -> None:
    texts = ["реши пример с числами: 12 и 30", "реши пример с числами: 12 и 31", "реши пример с числами 12 и 30!"]
    assert [(pair.one, pair.other) for pair in similar.pairs(texts)] == [(0, 2)]


@pytest.mark.slow
def test_tokens_are_those_of_the_template_and_of_its_loss_mask() -> None:
    from transformers import AutoTokenizer

    from demos.finetuning import base_model

    tokenizer = AutoTokenizer.from_pretrained(base_model.FOLDER)
    chats = tasks.build("tools").train[:30]
    plain = [tasks.row(chat)["messages"] for chat in chats]
    theirs = tokenizer.apply_chat_template(plain, return_dict=True, return_assistant_tokens_mask=True)
    ours = lint(Params(sample=OWN, train=formats.lines(chats, "messages"), longest=40))
    assert [length for _, length in ours.lengths] == [len(ids) for ids in theirs["input_ids"]]
    assert ours.trained == sum(map(sum, theirs["assistant_masks"]))
    assert ours.too_long == sum(len(ids) > 40 for ids in theirs["input_ids"])
    assert ours.too_long == sum(item.kind == "long" for item in ours.findings)


@pytest.mark.slow
@pytest.mark.parametrize("target", formats.FORMS)
def test_what_is_converted_reads_back_the_same(target: str) -> None:
    chats = tasks.build("json").train[:40]
    for source in formats.FORMS:
        made = convert(Conversion(sample=OWN, text=formats.lines(chats, source), target=target))
        assert made.jsonl == formats.lines(chats, target)
        assert (made.same, made.faults) == (40, ())


def test_openai_calls_are_records_of_their_api() -> None:
    made = convert(Conversion(sample="tools", target="openai"))
    assert [json.loads(text) for _, text in made.lines] == [
        json.loads(line) for line in SAMPLES["tools"].train.splitlines()
    ]


def test_a_line_that_does_not_fit_is_told_and_the_others_are_written() -> None:
    made = convert(Conversion(sample="tools", target="instruction"))
    assert [line for line, _ in made.lines] == [2]
    assert [(item.where, item.text[:33]) for item in made.faults] == [("Строка 1", "В instruction/input/output помеща")]


HOSTILE: list[Any] = [
    "",
    " \n\n ",
    "[" * 190_000,
    '{"messages": ' * 5000,
    '{"a": ' + "9" * 150_000 + "}",
    json.dumps([{"instruction": "а", "output": "б"}]),
    "\x00\x01\x02",
    '{"messages": [{"role": "user", "content": "\\ud800"}, {"role": "assistant", "content": "а"}]}',
    "PK\x03\x04",
    '{"instruction": 1}\n' * 3000,
]


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_ends_in_findings(text: str) -> None:
    made = lint(Params(sample=OWN, train=text))
    assert (made.train, made.lengths) == (0, ())
    assert made.findings or not text.strip()
    assert convert(Conversion(sample=OWN, text=text)).lines == ()


def test_too_much_text_is_refused() -> None:
    with pytest.raises(ParamsError, match="Обучение \\(JSONL\\): слишком длинное значение"):
        Params(sample=OWN, train="а" * 200_001)


def test_balance_counts_the_data_that_runs_train_on() -> None:
    made = balance.balance(balance.Params())
    classes = {side.task: dict(side.classes) for side in made.sides}
    assert set(classes["intents"].values()) == {200}
    assert classes["intents_skewed"] == {"вопрос": 920, "жалоба": 20, "заказ": 20, "отзыв": 20, "просьба": 20}
    assert made.guess == 0.2
    assert [side.spec.task for side in made.sides] == ["intents", "intents_skewed"]
