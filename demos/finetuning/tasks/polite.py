"""Polite form: a command becomes a request, with an address that agrees in gender and number.

Leaves out questions and statements: one command has one polite form.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from random import Random

from demos.finetuning import grammar
from demos.finetuning.grammar import Phrase, Sentence, Split
from demos.finetuning.tasks.data import Chat, Data, Task, chat, gather

ADDRESS = {"masc": "уважаемый", "femn": "уважаемая", "neut": "уважаемое"}
ADDRESS_MANY = "уважаемые"


def _draw(random: Random, split: Split) -> tuple[str, Chat]:
    """«Учитель, закрывать окно!», «закрывать окно!» or «не закрывать окно!»."""
    kind = random.random()
    drawn = grammar.sentence(random, split)
    if kind < 0.4:
        while not _can_be_addressed(drawn.subject):
            drawn = grammar.sentence(random, split)
        rude, request = _addressed(drawn)
    else:
        while not _fits_without_subject(drawn, split):
            drawn = grammar.sentence(random, split)
        rude, request = _forbidden(drawn) if kind < 0.6 else _plain(drawn)
    return rude, chat(f"вежливо: {rude}", request)


def _addressed(drawn: Sentence) -> tuple[str, str]:
    who, order = drawn.subject, _order(drawn)
    address = ADDRESS_MANY if who.plural else ADDRESS[who.gender]
    return f"{who.ru}, {order}!", f"{address} {who.ru}, будьте добры {order}. спасибо."


def _forbidden(drawn: Sentence) -> tuple[str, str]:
    order = _order(drawn)
    return f"не {order}!", f"извините, будьте добры не {order}. спасибо."


def _plain(drawn: Sentence) -> tuple[str, str]:
    order = _order(drawn)
    return f"{order}!", f"здравствуйте, будьте добры {order}. спасибо."


def _order(drawn: Sentence) -> str:
    """The command alone: «закрывать старое окно в школе тихо»."""
    object_ru = drawn.object.ru if drawn.object else ""
    return " ".join(filter(None, (_infinitives()[drawn.verb], object_ru, drawn.place, drawn.adverb)))


def _can_be_addressed(who: Phrase) -> bool:
    """Someone alive and not counted: nobody says «уважаемые пять врачей»."""
    return who.noun in _alive() and who.ru.split()[0] not in _counts()


def _fits_without_subject(drawn: Sentence, split: Split) -> bool:
    """Long enough to differ, and for testing the held-out pair is in what is left of the sentence."""
    if drawn.object is None:
        return False
    return split == "train" or grammar.is_held_out(drawn.object.adjective, drawn.object.noun)


@cache
def _infinitives() -> Mapping[str, str]:
    """Every form of every verb, as a sentence holds it, and its infinitive."""
    known = {}
    for verb in grammar.lexicon()["verbs"]:
        infinitive = verb["forms"]["infinitive"]
        future = (f"{word} {infinitive}" for word in ("будет", "будут"))
        known.update(dict.fromkeys((*verb["forms"].values(), *future), infinitive))
    return known


@cache
def _alive() -> frozenset[str]:
    return frozenset(noun["ru"] for noun in grammar.lexicon()["nouns"] if noun["animate"])


@cache
def _counts() -> frozenset[str]:
    return frozenset(form for numeral in grammar.lexicon()["numerals"] for form in (numeral["ru"], numeral["femn"]))


def _make(seed: int) -> Data:
    return gather("polite", _draw, seed)


TASKS = (
    Task(
        "polite",
        "Вежливая форма",
        "Приказ («учитель, закрывать окно!») нужно превратить в просьбу («уважаемый учитель, будьте добры закрывать "
        "окно. спасибо.»). Обращение согласуется в роде и числе, запрет начинается с извинения.",
        "Слова приказа модель переписывает, а «уважаемый — уважаемая — уважаемые» выбирает сама: посмотрите, ошибается "
        "ли она в роде у слов, которых в таком обращении не встречала.",
        _make,
    ),
)
