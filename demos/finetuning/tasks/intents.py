"""Intents: what a customer wants, in one of five words. Also the same with training data that is almost one class.

What is said around the matter — greetings, thanks, please — stands in every class, so it decides nothing.
Leaves out requests with two intents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain, zip_longest
from random import Random
from types import MappingProxyType

from demos.finetuning import grammar
from demos.finetuning.grammar import Split
from demos.finetuning.tasks.data import TEST, TRAIN, VALIDATION, Chat, Data, Task, chat, gather, phrase

Say = Callable[[Random, Split], str]
BEFORE = ("", "", "здравствуйте! ", "привет! ", "извините, ", "будьте добры, ", "уважаемый продавец, ")
AFTER = ("", "", ", спасибо", ", пожалуйста", ". спасибо!", ". это важный вопрос", ". жду ответ")
SKEWED = MappingProxyType({"вопрос": 920, "жалоба": 20, "заказ": 20, "просьба": 20, "отзыв": 20})
"""Training examples of each class in the unbalanced version."""


def _about_sentence(words: tuple[str, ...]) -> Say:
    return lambda random, split: f"{random.choice(words)} {grammar.sentence(random, split).ru}"


def _about_thing(words: tuple[str, ...]) -> Say:
    return lambda random, split: f"{random.choice(words)} {phrase(random, split, 'accs').ru}"


def _rating(random: Random, split: Split) -> str:
    opinion = random.choice(("понравилось", "не понравилось", "хорошо", "плохо", "пять баллов", "два балла"))
    return f"{phrase(random, split).ru}: {opinion}"


INTENTS: Mapping[str, tuple[Say, ...]] = MappingProxyType(
    {
        "вопрос": (_about_sentence(("почему", "правда ли, что", "когда", "зачем")),),
        "жалоба": (_about_sentence(("опять", "снова ошибка:", "плохо, что", "у меня беда:")),),
        "заказ": (_about_thing(("хочу купить", "беру", "мне в корзину", "доставьте домой")),),
        "просьба": (_about_thing(("помогите найти", "покажите мне", "почините", "проверьте")),),
        "отзыв": (_rating, _about_sentence(("мне понравилось, как", "хорошо, что"))),
    }
)
"""Label → ways to say it."""


def _draw(random: Random, split: Split, *, intent: str) -> tuple[str, Chat]:
    matter = random.choice(INTENTS[intent])(random, split)
    return matter, chat(f"запрос: {random.choice(BEFORE)}{matter}{random.choice(AFTER)}", intent)


def _make(seed: int, *, sizes: Mapping[str, int] | None = None) -> Data:
    """The same number of every label in validation and test, in turn; ``sizes`` counts those of training."""
    many = len(INTENTS)
    parts = [
        gather(
            f"intents {intent}",
            partial(_draw, intent=intent),
            seed,
            train=sizes[intent] if sizes else TRAIN // many,
            validation=VALIDATION // many,
            test=TEST // many,
        )
        for intent in INTENTS
    ]
    trained = list(_in_turn([part.train for part in parts]))
    Random(f"intents order {seed}").shuffle(trained)
    return Data(
        tuple(trained),
        tuple(_in_turn([part.validation for part in parts])),
        tuple(_in_turn([part.test for part in parts])),
    )


def _in_turn(parts: list[tuple[Chat, ...]]) -> filter[Chat]:
    return filter(None, chain.from_iterable(zip_longest(*parts, fillvalue=())))


TASKS = (
    Task(
        "intents",
        "Что хочет клиент",
        "Классификация: запрос клиента нужно назвать одним словом — вопрос, жалоба, заказ, просьба или отзыв. "
        "Приветствия и «спасибо» встречаются во всех классах и ничего не решают.",
        "Ответ — всегда одно из пяти слов. Посмотрите, какие классы модель путает и с чем.",
        _make,
    ),
    Task(
        "intents_skewed",
        "Что хочет клиент: перекос классов",
        "Та же классификация, но в обучении 92 % примеров — вопросы, а остальных классов по двадцать примеров. "
        "Проверка по-прежнему поровну.",
        "Потери на обучении малы, а доля верных ответов на проверке хуже, чем у сбалансированных данных: редкие классы "
        "модель выучила хуже частого.",
        partial(_make, sizes=SKEWED),
    ),
)
