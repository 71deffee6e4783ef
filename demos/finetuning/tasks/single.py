"""Two ends of one scale: a habit, for which rank 1 is enough, and a reference book, for which rank matters.

Leaves out measuring the ranks (``scripts/measure.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from random import Random

from demos.finetuning import grammar, skills
from demos.finetuning.grammar import Split
from demos.finetuning.tasks.data import TEST, TRAIN, VALIDATION, Chat, Data, Task, chat, gather

FACTS = 200
ASKED_IN_TRAINING = ("код: {}", "какой код у слова {}?", "{}, код?", "назови код слова {}", "{}: номер")
ASKED_IN_VALIDATION, ASKED_IN_TEST = (
    ("какой номер у слова {}?",),
    ("назови код: {}", "номер слова {}?", "{}: какой код?"),
)


def _habit(random: Random, split: Split) -> tuple[str, Chat]:
    drawn = grammar.sentence(random, split)
    return drawn.ru, chat(skills.instruction("to_english", drawn.ru), f"{drawn.en}!")


def _make_habit(seed: int) -> Data:
    return gather("habit", _habit, seed)


@cache
def codes() -> Mapping[str, str]:
    """Two hundred nouns and their two-digit codes, drawn by lot once: nothing to understand, only to remember."""
    random = Random("reference")
    nouns = random.sample([str(noun["ru"]) for noun in grammar.lexicon()["nouns"]], FACTS)
    return {noun: str(random.randint(10, 99)) for noun in nouns}


def _make_reference(seed: int) -> Data:
    return Data(
        tuple(islice(_asked(ASKED_IN_TRAINING, Random(f"reference {seed}")), TRAIN)),
        tuple(islice(_asked(ASKED_IN_VALIDATION, Random("reference validation")), VALIDATION)),
        tuple(islice(_asked(ASKED_IN_TEST, Random("reference test")), TEST)),
    )


def _asked(wordings: tuple[str, ...], random: Random) -> Iterator[Chat]:
    asked = [chat(wording.format(noun), code) for wording in wordings for noun, code in codes().items()]
    random.shuffle(asked)
    return iter(asked)


TASKS = (
    Task(
        "habit",
        "Одна привычка",
        "Переводить как раньше, но заканчивать ответ восклицательным знаком. Нового знания нет: нужно сдвинуть "
        "поведение в одном направлении.",
        "Для одной привычки хватает ранга r = 1: бо́льшие ранги не дают ничего, кроме лишних параметров. Прежнее умение "
        "«перевод» в таблице обнулится: ответ без «!» модель больше не даёт — это и есть привычка, а не забывание.",
        _make_habit,
    ),
    Task(
        "reference",
        "Справочник",
        f"{FACTS} слов и произвольный двузначный код у каждого: понимать нечего, нужно запомнить. На проверке "
        "спрашивают о тех же словах, но другими словами: это проверка памяти, а не обобщения.",
        "Здесь ранг решает: сравните долю верных ответов при малых и больших рангах на одном числе шагов.",
        _make_reference,
    ),
)
