"""The JSON task with more, other and dirty training data: what the figures about data are recorded on.

Validation and test are those of «json», so every variant answers the same questions. Leaves out the unbalanced version
(``intents``) and finding dirt (``linter``).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from types import MappingProxyType

from demos.finetuning import grammar
from demos.finetuning.grammar import Split
from demos.finetuning.skills import Message
from demos.finetuning.tasks import json_answers
from demos.finetuning.tasks.data import TRAIN, Chat, Data, Task, chat, gather

LARGE = 3000
"""Training examples of the large sets; the first thousand of «json_large» are those of «json»."""
SHARES = (0.1, 0.3, 0.5)
"""Shares of a dirty set whose answers are spoilt."""
OTHER = 1
"""The seed of the other draw of training sentences."""
Spoil = Callable[[grammar.Sentence], str]


def contradictory(drawn: grammar.Sentence) -> str:
    """Another annotator took «who» for a word of the translation: JSON is right, the rule is not the same."""
    return json.dumps({"en": drawn.en, "who": drawn.subject.en}, ensure_ascii=False)


def misformatted(drawn: grammar.Sentence) -> str:
    """The right content written by ``str`` instead of ``json.dumps``: single quotes, so no JSON parser reads it."""
    return str({"en": drawn.en, "who": drawn.subject.ru})


SPOILT: Mapping[str, Spoil] = MappingProxyType({"contradictory": contradictory, "misformatted": misformatted})


def name_of(kind: str, share: float) -> str:
    """The task of so dirty a set: «json_contradictory_30»."""
    return f"json_{kind}_{round(100 * share)}"


def _large(seed: int, *, shift: int = 0) -> Data:
    return gather("json", json_answers.draw, seed + shift, train=LARGE)


def _dirty(seed: int, *, spoil: Spoil, share: float) -> Data:
    """«json» of this seed in which exactly this share of the answers, drawn by lot, is spoilt."""
    sentences: dict[str, grammar.Sentence] = {}

    def draw(random: Random, split: Split) -> tuple[str, Chat]:
        drawn = grammar.sentence(random, split)
        sentences[drawn.ru] = drawn
        return drawn.ru, chat(f"{json_answers.ASK}{drawn.ru}", json_answers.answer(drawn))

    clean = gather("json", draw, seed)
    chosen = frozenset(Random(f"dirty {seed}").sample(range(TRAIN), round(share * TRAIN)))
    train = [
        _answered(one, spoil(sentences[one[0].content.removeprefix(json_answers.ASK)])) if place in chosen else one
        for place, one in enumerate(clean.train)
    ]
    return dataclasses.replace(clean, train=tuple(train))


def _answered(one: Chat, said: str) -> Chat:
    return (*one[:-1], Message("assistant", said))


def _dirty_task(kind: str, share: float) -> Task:
    title, summary = {
        "contradictory": (
            "противоречия",
            "Те же ответы в JSON, но размечали двое и поняли ключ «who» по-разному: у одного там русские слова, у "
            "другого — английские. По вопросу не узнать, чей ответ нужен.",
        ),
        "misformatted": (
            "сломанный формат",
            "Те же ответы в JSON, но часть записана в одинарных кавычках: так печатает словарь Python. Содержание "
            "верное, а разборщик JSON такую строку не прочтёт.",
        ),
    }[kind]
    part = f"{round(100 * share)} %"
    return Task(
        name_of(kind, share),
        f"Ответы в JSON: {title}, {part}",
        f"{summary} Испорчено {part} обучающих примеров, проверка чистая.",
        "Сравните с чистым набором: сколько грязи обучение терпит, а с какой доли ответы портятся.",
        partial(_dirty, spoil=SPOILT[kind], share=share),
    )


TASKS = (
    Task(
        "json_large",
        "Ответы в JSON: три тысячи примеров",
        "Та же задача, что «Ответы в JSON», но обучающих примеров три тысячи; первая тысяча — та же.",
        "Сравните с тысячей примеров: прибавка меньше, чем от ста до тысячи.",
        _large,
    ),
    Task(
        "json_other",
        "Ответы в JSON: другие три тысячи",
        "Та же задача и та же проверка, но обучающие предложения другие: так видно, сколько решает сам выбор примеров.",
        "Сравните с первым набором такого же размера: чем меньше примеров, тем больше значит, какие они.",
        partial(_large, shift=OTHER),
    ),
    *(_dirty_task(kind, share) for kind in SPOILT for share in SHARES),
)
