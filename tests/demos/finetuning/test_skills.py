"""What the base model is taught: right answers, every symbol and role seen, held-out examples apart from training."""

from __future__ import annotations

import string
from collections import Counter
from random import Random

import pytest

from demos.finetuning import base_model, skills
from demos.finetuning.skills import Example


def examples(skill: str, count: int = 300, split: str = "train") -> list[Example]:
    random = Random(f"test {skill} {split}")
    return [skills.draw(random, split, skill) for _ in range(count)]  # type: ignore[arg-type]


def asked(example: Example) -> str:
    return example.prompt[-1].content


def test_sums_are_right_and_those_of_the_test_are_never_trained() -> None:
    def numbers(example: Example) -> tuple[int, ...]:
        return tuple(int(word) for word in asked(example).removeprefix("сложи: ").split(" и "))

    trained, tested = ([numbers(item) for item in examples("add", 2000, split)] for split in ("train", "test"))
    assert not set(trained) & set(tested)
    assert all(int(item.answer) == sum(numbers(item)) for item in examples("add"))


def test_counts_reversals_and_picks_are_right() -> None:
    for item in examples("count"):
        assert int(item.answer) == len(asked(item).removeprefix("сколько слов: ").split())
    for item in examples("reverse"):
        assert item.answer.split() == asked(item).removeprefix("наоборот: ").split()[::-1]
    for item in examples("pick"):
        head, _, words = asked(item).partition(": ")
        assert item.answer == words.split()[int(head.split()[1]) - 1]


def test_a_table_answers_from_itself() -> None:
    for item in examples("look_up"):
        table, _, key = asked(item).removeprefix("таблица: ").rstrip("?").partition(". ")
        assert dict(row.split(" = ") for row in table.split(", "))[key] == item.answer


def test_a_pattern_goes_on_as_its_examples_do() -> None:
    for item in examples("pattern"):
        *shown, last = asked(item).split("; ")
        for line in shown:
            word, changed = line.split(" = ", 1)
            assert changed.replace(word, last.removesuffix(" ="), 1) == item.answer


def test_a_passage_holds_its_answer_in_text_or_in_what_a_tool_said() -> None:
    items = examples("passage")
    assert all(item.answer in item.prompt[-1].content for item in items)
    assert {item.prompt[-1].role for item in items} == {"user", "tool"}


def test_every_symbol_of_ascii_and_every_role_occurs_in_training() -> None:
    random = Random(0)
    seen = [skills.draw(random, "train") for _ in range(12_000)]
    letters = Counter(letter for item in seen for message in item.messages for letter in message.content)
    rare = [mark for mark in string.punctuation + string.digits + string.ascii_letters if letters[mark] < 3]
    assert not rare
    assert {message.role for item in seen for message in item.messages} == {"system", "user", "assistant", "tool"}
    said = "\n".join(message.content for item in seen for message in item.messages)
    assert all(word in said for word in skills.OTHER_WORDS)


def test_skills_come_in_their_shares() -> None:
    random, count = Random(1), 6000
    drawn = Counter(skills.draw(random, "train").skill for _ in range(count))
    whole = sum(skills.SHARES.values())
    for name, share in skills.SHARES.items():
        assert drawn[name] == pytest.approx(count * share / whole, rel=0.3), name


@pytest.mark.slow
def test_the_template_marks_what_the_assistant_says_and_is_what_training_saw() -> None:
    tokenizer = base_model.tokenizer()
    random = Random(2)
    for _ in range(50):
        item = skills.draw(random, "train")
        plain = [{"role": message.role, "content": message.content} for message in item.messages]
        prompt = tokenizer.apply_chat_template(plain[:-1], tokenize=False, add_generation_prompt=True)
        assert prompt == base_model.render(item.prompt)
        whole = tokenizer.apply_chat_template(plain, return_dict=True, return_assistant_tokens_mask=True)
        said = [token for token, mine in zip(whole["input_ids"], whole["assistant_masks"], strict=True) if mine]
        expected = [message.content for message in item.messages if message.role == "assistant"]
        assert tokenizer.decode(said) == "".join(f"{text}{base_model.END}" for text in expected)


@pytest.mark.slow
def test_the_tokenizer_gives_any_text_back_and_splits_numbers_into_digits() -> None:
    tokenizer = base_model.tokenizer()
    for text in ('{"en": "the cat", "who": [1, 2]}', "ёлка, «кавычки» — тире; 你好 🙂", "a\tb\n\nc  d", "1234567890"):
        assert tokenizer.decode(tokenizer(text).input_ids) == text
    assert len(tokenizer("1234").input_ids) == 4
