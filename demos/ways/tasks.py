"""The four tasks, their requests, and what each way puts before a request. No answer is in its own prompt by chance.

Everything is drawn by fixed seeds: a request has the same number in a recording and live. Leaves out asking
(``asking``) and what came out (``compare``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from types import MappingProxyType
from typing import Literal

from demos.finetuning import grammar
from demos.finetuning.skills import Message
from demos.finetuning.tasks import build
from demos.finetuning.tasks.single import codes
from demos.ways.retrieval import Found, Index

Way = Literal["zero", "few", "retrieval", "tuned"]
WAYS: Mapping[Way, str] = MappingProxyType(
    {"zero": "Только запрос", "few": "С примерами (few-shot)", "retrieval": "С поиском (RAG)", "tuned": "Дообучение"}
)
SHOTS = 3
"""Examples in a few-shot prompt; of a rule there are no more."""
WORDS = 12
"""Requests to each rule."""
JSON_ITEMS, ARCHIVE, CARDS_OF, OF_A_RULE = 150, 300, 3, 40
CHANGED = 3
"""One code in so many is another today than in the training data."""
OLD_RULES = (
    *(("", mark) for mark in "!?.)*+"),
    *(("(", ")"), ("[", "]"), ("<", ">"), ('"', '"'), ("#", ""), ("не ", ""), ("", " да")),
)
"""What the base saw in pre-training, before and after the word (``demos.finetuning.skills``)."""
NEW_RULES = (
    *(("", mark) for mark in ";:$/"),
    *(("{", "}"), ("*", "*"), ("/", "/"), ("~", "~"), ("-", ""), ("=", ""), ("да ", ""), ("", " нет")),
)
"""What it never saw."""


@dataclass(frozen=True, slots=True)
class Item:
    """One request with its one right answer. ``group`` is the rule's number or the part that it belongs to."""

    request: str
    right: str
    group: str
    key: str  # the word or sentence that it is about


@dataclass(frozen=True, slots=True)
class Task:
    """A task with everything that a way may use."""

    name: str
    title: str
    summary: str
    items: tuple[Item, ...]
    shots: Callable[[Item], tuple[tuple[str, str], ...]]  # key and answer
    collection: str  # what is searched, said for a learner
    index: Callable[[Item], Index]
    tuning: str  # what was trained on, said for a learner
    groups: Mapping[str, str]  # group → its name; empty where nobody needs to know


def prompt(task: Task, way: Way, item: Item, shots: int = SHOTS) -> tuple[str, tuple[Found, ...]]:
    """What the model is asked this way, and what the search found for it."""
    if way == "few":
        return _listed(task.shots(item)[:shots], item), ()
    if way != "retrieval":
        return item.request, ()
    index = task.index(item)
    if task.name == "codes":
        (best,) = index.search(item.request, 1)
        return f"таблица: {index.texts[best.place]}. {item.key}?", (best,)
    found = index.search(item.request, SHOTS)
    return f"{'; '.join(index.texts[each.place] for each in found)}; {item.key} =", found


def messages(text: str) -> tuple[Message, ...]:
    """A request as the chat template wants it."""
    return (Message("user", text),)


def chat(item: Item, key: str, answer: str) -> tuple[Message, Message]:
    """An example as an earlier exchange, asked in the words of ``item``."""
    return Message("user", item.request.replace(item.key, key)), Message("assistant", answer)


def fingerprint() -> str:
    """16 hex digits of all requests, answers and prompts: a recording of other ones is stale."""
    digest = hashlib.sha256()
    for task in tasks().values():
        for item in task.items:
            for way in WAYS:
                digest.update(f"{task.name}|{way}|{prompt(task, way, item)[0]}|{item.right}\n".encode())
    return digest.hexdigest()[:16]


def _listed(shots: tuple[tuple[str, str], ...], item: Item) -> str:
    """«кот = кот!; дом = дом!; мяч =»: the form in which the base was shown examples in pre-training."""
    return "; ".join([*(f"{request} = {answer}" for request, answer in shots), f"{item.key} ="])


@cache
def tasks() -> Mapping[str, Task]:
    """Every task by name."""
    return MappingProxyType({task.name: task for task in (_rules(), _codes(), _json(), _new_rules())})


def examples(rules: tuple[tuple[str, str], ...], rule: int) -> tuple[tuple[str, str], ...]:
    """The three examples of a rule, word and answer; the first two words never stood together in pre-training."""
    before, after = rules[rule]
    return tuple((word, f"{before}{word}{after}") for word in _rule_words(rules, rule)[:SHOTS])


@cache
def _rule_words(rules: tuple[tuple[str, str], ...], rule: int) -> tuple[str, ...]:
    random = Random(f"ways {rules[rule]}")
    while True:
        drawn = random.sample(_nouns(), SHOTS + WORDS)
        if grammar.is_held_out(drawn[0], drawn[1]):
            return tuple(drawn)


def _nouns() -> list[str]:
    return [str(noun["ru"]) for noun in grammar.lexicon()["nouns"]]


def _rules() -> Task:
    return _rule_task(
        "rules",
        "Правило из трёх примеров",
        "Со словом нужно что-то сделать: поставить «!», взять в скобки, добавить «не». Что именно, запрос не говорит: "
        "есть только три примера. Правил тринадцать, все они встречались модели при предобучении.",
        OLD_RULES,
    )


def _new_rules() -> Task:
    return _rule_task(
        "new_rules",
        "Правило, которого модель не видела",
        "То же самое, но таких правил — «/слово/», «слово;», «да слово» — при предобучении не было. Большая модель "
        "подхватывает и новые правила; здесь видно, умеет ли это маленькая.",
        NEW_RULES,
    )


def _rule_task(name: str, title: str, summary: str, rules: tuple[tuple[str, str], ...]) -> Task:
    items = tuple(
        Item(f"{word} =", f"{before}{word}{after}", str(rule), word)
        for rule, (before, after) in enumerate(rules)
        for word in _rule_words(rules, rule)[SHOTS:]
    )
    archive = _archive(rules)
    return Task(
        name,
        title,
        summary,
        items,
        lambda item: examples(rules, int(item.group)),
        f"{len(archive.texts)} решённых запросов со всеми правилами вперемешку",
        lambda _: archive,
        "для каждого правила свой адаптер, обученный на тех же трёх примерах",
        {},
    )


@cache
def _archive(rules: tuple[tuple[str, str], ...]) -> Index:
    """Solved requests of every rule: its three examples and more words, none of which the rule is tested with."""
    solved = []
    for rule, (before, after) in enumerate(rules):
        tested = set(_rule_words(rules, rule)[SHOTS:])
        others = [noun for noun in _nouns() if noun not in tested]
        solved += [f"{word} = {answer}" for word, answer in examples(rules, rule)]
        solved += [f"{word} = {before}{word}{after}" for word in Random(f"archive {rule}").sample(others, OF_A_RULE)]
    return Index(solved)


@cache
def today() -> Mapping[str, str]:
    """The reference book of today: every third code is another than in the training data."""
    random = Random("ways codes")
    return {
        noun: code if place % CHANGED else str(random.choice([new for new in range(10, 100) if new != int(code)]))
        for place, (noun, code) in enumerate(codes().items())
    }


def _codes() -> Task:
    book = today()
    items = tuple(
        Item(f"код: {noun}", code, "old" if code == codes()[noun] else "new", noun) for noun, code in book.items()
    )
    index = Index(cards())
    return Task(
        "codes",
        "Справочник, который меняется",
        f"У каждого из {len(book)} слов свой двузначный код, его нельзя вывести. После обучения каждый третий код "
        "сменился.",
        items,
        lambda item: tuple(
            (noun, book[noun]) for noun in Random(item.key).sample([n for n in book if n != item.key], SHOTS)
        ),
        f"сегодняшний справочник: {len(cards())} карточек по три слова",
        lambda _: index,
        "тысяча вопросов и ответов по вчерашнему справочнику",
        {"old": "код прежний", "new": "код сменился"},
    )


def cards() -> tuple[str, ...]:
    """The book in cards: «кот = 37, дом = 12, мяч = 90»."""
    facts = [f"{noun} = {code}" for noun, code in today().items()]
    return tuple(", ".join(facts[start : start + CARDS_OF]) for start in range(0, len(facts), CARDS_OF))


def _json() -> Task:
    data = build("json")
    solved = tuple((_sentence(chat[0].content), chat[-1].content) for chat in data.train[:ARCHIVE])
    index = Index([f"{sentence} = {answer}" for sentence, answer in solved])
    return Task(
        "json",
        "Ответ в JSON",
        "Перевести предложение и назвать, о ком оно, одной строкой JSON с ключами «en» и «who». Переводить база "
        "умеет, а такого формата не видела.",
        tuple(
            Item(chat[0].content, chat[-1].content, "", _sentence(chat[0].content)) for chat in data.test[:JSON_ITEMS]
        ),
        lambda _: solved[:SHOTS],
        f"{ARCHIVE} решённых запросов: находим самые похожие предложения и показываем как примеры",
        lambda _: index,
        "тысяча решённых запросов, LoRA с r = 4",
        {},
    )


def _sentence(request: str) -> str:
    return request.partition(": ")[2]
