"""Tuning tasks: splits apart, answers right by an independent reading, the same data from the same seed."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from demos.finetuning import grammar, linter, skills, tasks
from demos.finetuning.skills import Message
from demos.finetuning.tasks import TASKS, Chat, Data, intents, single, terms, tools
from demos.params import ParamsError

EVERY = tuple(TASKS)


@pytest.fixture(scope="module")
def built() -> dict[str, Data]:
    return {name: tasks.build(name) for name in EVERY}


def everything(data: Data) -> tuple[Chat, ...]:
    return (*data.train, *data.validation, *data.test)


def pairs(data: Data) -> list[tuple[str, str]]:
    """What the user wrote last and what the assistant says in the end."""
    return [
        (next(item.content for item in reversed(chat) if item.role == "user"), chat[-1].content)
        for chat in everything(data)
    ]


def words(*kinds: str) -> dict[str, str]:
    """Any form of a word → the English word: translation word by word, without the grammar's own composing."""
    known: dict[str, str] = {}
    for kind in kinds:
        for word in grammar.lexicon()[kind]:
            known.update(dict.fromkeys(word.get("forms", {}).values(), word["en"]))
            known[word["ru"]] = word["en"]
    return known


def english() -> dict[str, set[str]]:
    """Any word of a sentence → what may stand for it in English."""
    known: dict[str, set[str]] = {"в": {" in "}, "во": {" in "}, "будет": {" will "}, "будут": {" will "}}
    for kind, entries in grammar.lexicon().items():
        for entry in entries:
            en = {value for key, value in entry.items() if key.startswith("en")}
            own = ("ru", "place", *(("femn",) if kind == "numerals" else ()))
            forms = (*entry.get("forms", {}).values(), *(entry.get(key, "") for key in own))
            for form in forms:
                known.setdefault(form.removeprefix("в ").removeprefix("во "), set()).update(en)
    return {**known, **{term: {en} for term, en in terms.terms().items()}}


@pytest.mark.parametrize("name", EVERY)
def test_splits_are_of_the_size_a_run_needs_and_without_a_fault(built: dict[str, Data], name: str) -> None:
    data = built[name]
    assert len(data.train) == (10 if name == "overfit" else 1000)
    assert (len(data.validation), len(data.test)) == (100, 500)
    allowed = {"skew"} if name == "intents_skewed" else set()
    assert {item.kind for item in linter.lint(data)} == allowed
    assert all(chat[-1].role == "assistant" for chat in everything(data))


@pytest.mark.parametrize("name", EVERY)
def test_no_split_asks_what_another_asks(built: dict[str, Data], name: str) -> None:
    """Not the same text, and not the same sentence in other wrapping."""
    train, validation, test = ({linter.asked(chat) for chat in chats} for chats in built[name].splits.values())
    assert not train & validation
    assert not train & test
    assert not validation & test


@pytest.mark.parametrize("name", ["json", "habit", "overfit"])
def test_held_out_sentences_hold_combinations_that_no_training_sentence_does(built: dict[str, Data], name: str) -> None:
    def combinations(chats: tuple[Chat, ...]) -> set[tuple[str, str]]:
        adjectives, nouns = words("adjectives"), words("nouns")
        found = set()
        for chat in chats:
            said = chat[0].content.partition(": ")[2].split()
            for one, other in pairwise(said):
                if one in adjectives and other in nouns:
                    found.add((adjectives[one], nouns[other]))
        return found

    train, _, test = built[name].splits.values()
    assert combinations(train)
    assert len(combinations(test) - combinations(train)) > 0.3 * len(combinations(test))


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_a_seed_gives_the_same_data_and_another_seed_other_training_data_only(
    built: dict[str, Data], name: str
) -> None:
    assert tasks.build(name) == built[name]
    other = tasks.build(name, seed=1)
    assert other.train != built[name].train
    assert (other.validation, other.test) == (built[name].validation, built[name].test)
    assert not {linter.asked(chat) for chat in other.train} & {linter.asked(chat) for chat in other.test}


def test_every_task_is_told_in_russian() -> None:
    assert EVERY[0] == "json"
    for name, task in TASKS.items():
        assert task.name == name
        for text in (task.title, task.summary, task.look, task.metric):
            assert len(text) > 8
            assert any("а" <= letter <= "я" for letter in text)
        assert len({item.title for item in TASKS.values()}) == len(TASKS)


def test_an_unknown_task_is_named_with_its_nearest() -> None:
    with pytest.raises(ParamsError, match="Нет задачи «jsn» \\(ближайшее — «json»\\)"):
        tasks.build("jsn")


def test_every_symbol_has_been_seen_by_the_base(built: dict[str, Data]) -> None:
    """LoRA cannot teach a letter that never occurred in pre-training."""
    random = Random(0)
    drawn = (skills.draw(random, "train") for _ in range(4000))
    seen = {letter for item in drawn for message in item.messages for letter in message.content}
    for name in EVERY:
        used = {letter for chat in everything(built[name]) for item in chat for letter in item.content}
        assert used <= seen, (name, used - seen)


def test_json_answers_parse_and_say_who(built: dict[str, Data]) -> None:
    nouns = words("nouns")
    plural = {noun["en"]: noun["en_plural"] for noun in grammar.lexicon()["nouns"]}
    for asked, answer in pairs(built["json"]):
        said = json.loads(answer)
        ru = asked.removeprefix("переведи в JSON: ")
        assert list(said) == ["en", "who"]
        assert ru.startswith(said["who"] + " ")
        who = nouns[said["who"].split()[-1]]
        assert who in said["en"] or plural[who] in said["en"]


def test_translations_hold_the_english_of_every_russian_word(built: dict[str, Data]) -> None:
    """Word by word from the lexicon, not by the grammar that composed them."""
    known = english()
    translated = [(asked.removeprefix("переведи: "), answer) for asked, answer in pairs(built["habit"])]
    assert all(answer.endswith("!") and answer.count("!") == 1 for _, answer in translated)
    translated += [
        (asked.removeprefix("переведи в JSON: "), json.loads(answer)["en"]) for asked, answer in pairs(built["json"])
    ]
    translated += [(asked.removeprefix("переведи: "), answer) for asked, answer in pairs(built["terms"])]
    for ru, en in translated:
        for word in ru.split():
            assert any(one in en for one in known[word]), (ru, en, word)


def test_few_are_the_first_of_many(built: dict[str, Data]) -> None:
    assert built["overfit"].train == built["json"].train[:10]
    assert built["overfit"].test == built["json"].test


def test_a_polite_request_keeps_the_order_and_agrees_with_whom_it_addresses(built: dict[str, Data]) -> None:
    known = {noun["ru"]: noun for noun in grammar.lexicon()["nouns"]}
    ends = {"masc": "ый", "femn": "ая", "neut": "ое"}
    kinds: Counter[str] = Counter()
    for asked, answer in pairs(built["polite"]):
        rude = asked.removeprefix("вежливо: ").removesuffix("!")
        who, comma, order = rude.rpartition(", ")
        kinds["address" if comma else "no" if rude.startswith("не ") else "plain"] += 1
        assert answer.endswith(f"будьте добры {order}. спасибо.")
        if comma:
            assert f" {who}, " in answer
            address, last = answer.split()[0], who.split()[-1]
            assert address.endswith(ends[known[last]["gender"]] if last in known else "ые")
    assert min(kinds.values()) > 150


def test_calls_fit_their_schemas_and_no_tool_is_called_in_vain(built: dict[str, Data]) -> None:
    called: Counter[str] = Counter()
    for chat in everything(built["tools"]):
        assert chat[0] == Message("system", tools.SYSTEM)
        first = next(item.content for item in chat if item.role == "assistant")
        if not first.startswith('{"name"'):
            called["none"] += 1
            assert len(chat) == 3
            continue
        assert tools.mistakes(first) == ()
        said = json.loads(first)
        called[said["name"]] += 1
        user = chat[1].content
        given = next(iter(said["arguments"].values()))
        assert str(given).lstrip("-") in user
        assert said["name"] != "date" or (given < 0) == ("назад" in user)
    assert set(called) == {*tools.TOOLS, "none"}
    assert min(called.values()) > 150


def test_after_a_tool_has_answered_the_answer_is_what_it_said(built: dict[str, Data]) -> None:
    told = [chat for chat in everything(built["tools"]) if chat[-2].role == "tool"]
    assert len(told) > 200
    for chat in told:
        result = json.loads(chat[-2].content)["result"]
        assert chat[-1].content == f"ответ: {result}"
        call = json.loads(chat[-3].content)
        if call["name"] == "calculator":
            expression = call["arguments"]["expression"]
            assert str(eval(expression, {"__builtins__": {}})) == result  # noqa: S307 - two numbers and a sign


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("сейчас посчитаю", "Ответ — не JSON."),
        ("[" * 100_000, "Ответ — не JSON."),
        ("[1]", "ровно два ключа"),
        ('{"name": "calculator"}', "ровно два ключа"),
        ('{"name": "weather", "arguments": {}}', "Такого инструмента нет; есть: calculator"),
        ('{"name": ["date"], "arguments": {}}', "Такого инструмента нет"),
        ('{"name": "date", "arguments": [5]}', "должно быть объектом"),
        ('{"name": "date", "arguments": {}}', "Не хватает аргумента «days»"),
        ('{"name": "date", "arguments": {"days": "5"}}', "«days» должен иметь тип integer"),
        ('{"name": "date", "arguments": {"days": true}}', "«days» должен иметь тип integer"),
        ('{"name": "date", "arguments": {"days": 5, "city": "x"}}', "Лишний аргумент «city»"),
        ('{"name": "translate", "arguments": {"text": "a", "to": "fr"}}', "одно из: en, ru"),
    ],
)
def test_a_call_that_does_not_fit_is_explained(answer: str, sentence: str) -> None:
    assert any(sentence in text for text in tools.mistakes(answer))


def test_intents_are_balanced_in_every_split_and_in_the_skewed_task_only_where_judged(built: dict[str, Data]) -> None:
    for split, chats in built["intents"].splits.items():
        counted = Counter(chat[-1].content for chat in chats)
        assert set(counted) == set(intents.INTENTS), split
        assert len(set(counted.values())) == 1
        assert len({chat[-1].content for chat in chats[:20]}) == 5, "any part of a split holds every class"
    skewed = built["intents_skewed"]
    assert Counter(chat[-1].content for chat in skewed.train) == intents.SKEWED
    assert skewed.test == built["intents"].test


def test_what_is_said_around_a_request_gives_no_class_away(built: dict[str, Data]) -> None:
    for around in ("спасибо", "пожалуйста", "здравствуйте", "извините", "жду ответ", "важный вопрос"):
        classes = {answer for asked, answer in pairs(built["intents"]) if around in asked}
        assert classes == set(intents.INTENTS), around


def test_terms_are_unknown_to_the_base_and_all_are_taught_and_asked(built: dict[str, Data]) -> None:
    known = terms.terms()
    assert len(known) == len(set(known.values())) == 60
    old = {form for kind in grammar.lexicon() for ru in words(kind) for form in ru.split()} | set(skills.OTHER_WORDS)
    assert not old & set(known)
    assert not {en for kind in grammar.lexicon() for en in words(kind).values()} & set(known.values())
    for chats in (built["terms"].train, built["terms"].test):
        seen: Counter[str] = Counter()
        for chat in chats:
            (term,) = [word for word in chat[0].content.split() if word in known]
            assert known[term] in chat[1].content.split()
            seen[term] += 1
        assert set(seen) == set(known)


def test_the_reference_book_is_asked_for_the_same_facts_in_other_words(built: dict[str, Data]) -> None:
    data, codes = built["reference"], single.codes()
    for asked, answer in pairs(data):
        said = [word.strip(":,?") for word in asked.split()]
        assert [codes[word] for word in said if word in codes] == [answer]
    assert len(codes) == 200
    trained = {chat[-1].content for chat in data.train}
    assert trained == set(codes.values())
    assert len(data.train) == 5 * len(codes)


@pytest.mark.slow
def test_data_sets_hold_messages_as_trl_wants_them() -> None:
    data = tasks.build("json")
    made = tasks.to_datasets(data)
    assert list(made) == ["train", "validation", "test"]
    assert [made[name].num_rows for name in made] == [1000, 100, 500]
    for name, chats in data.splits.items():
        assert made[name].column_names == ["messages"]
        assert made[name][0] == tasks.row(chats[0])
