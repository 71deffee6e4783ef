"""Words that the base has never seen: sixty invented ones, each a fact with nothing in the old knowledge to lean on.

A term stands where a subject of its gender stood, so the rest of the sentence is one the base can translate. The
splits share the terms and no sentence. Leaves out the terms' other cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from types import MappingProxyType

from demos.finetuning import grammar, skills
from demos.finetuning.grammar import Split
from demos.finetuning.tasks.data import Chat, Data, Task, chat, gather

MASCULINE = MappingProxyType(
    {
        "шлюмп": "brint", "вардок": "kelmo", "трифон": "sarvet", "блезор": "nopper", "крумель": "divast",
        "глобен": "trask", "фендик": "wolup", "дрозгун": "pextor", "ламбур": "vinch", "штрекль": "gomary",
        "квадор": "plenk", "морфель": "tuskin", "зинтер": "orbel", "хлопен": "jastic", "пергун": "lundy",
        "бартис": "quemp", "снорк": "ditter", "вульфак": "hardle", "тромбель": "feskin", "гризон": "mabert",
        "флюгас": "stome", "керзац": "robnel", "плюндер": "cavix", "жумир": "ostrel", "тюрбез": "pindle",
        "скарн": "yumber", "ондатор": "glisp", "цербин": "noval", "мизгор": "tarvy", "апсель": "crondle",
    }
)  # fmt: skip
FEMININE = MappingProxyType(
    {
        "глюмка": "flonk", "тарбуза": "mipsel", "ворсула": "drabe", "клинда": "sompet", "шуфля": "bengor",
        "мерзалка": "tilvo", "дрюля": "fancot", "пиндра": "gorsel", "хвульма": "nerik", "зумка": "plarst",
        "брулька": "vosket", "сквора": "lindap", "тефрула": "humbry", "гамзула": "crivet", "лопсита": "jorn",
        "фырка": "stelbo", "нибула": "quarn", "жужельба": "doprick", "цапельна": "wesker", "карпуза": "milt",
        "бондра": "tavish", "рюмза": "gleck", "шмельта": "prondy", "вихлюса": "sabbon", "чурмила": "nuxel",
        "дребка": "flamt", "оскула": "birken", "пельга": "zontry", "мурзила": "claspen", "тинкола": "yarvel",
    }
)  # fmt: skip
"""Russian → English."""
BY_GENDER: Mapping[str, tuple[str, ...]] = MappingProxyType({"masc": tuple(MASCULINE), "femn": tuple(FEMININE)})


def terms() -> Mapping[str, str]:
    """All of them."""
    return {**MASCULINE, **FEMININE}


def _draw(random: Random, split: Split) -> tuple[str, Chat]:
    """For testing, a term stands beside a verb that it never stands beside in training."""
    fitting: list[str] = []
    while not fitting:
        drawn = grammar.sentence(random, split)
        gender = "" if drawn.subject.plural else drawn.subject.gender
        fitting = [
            term for term in BY_GENDER.get(gender, ()) if grammar.is_held_out(term, drawn.verb) == (split == "test")
        ]
    term = random.choice(fitting)
    ru = _with_last_word(drawn.subject.ru, term) + drawn.ru.removeprefix(drawn.subject.ru)
    en = _with_last_word(drawn.subject.en, terms()[term]) + drawn.en.removeprefix(drawn.subject.en)
    return ru, chat(skills.instruction("to_english", ru), en)


def _with_last_word(phrase: str, word: str) -> str:
    return " ".join((*phrase.split()[:-1], word))


def _make(seed: int) -> Data:
    return gather("terms", _draw, seed)


TASKS = (
    Task(
        "terms",
        "Незнакомые слова",
        "Шестьдесят придуманных слов («глюмка» — «flonk») в обычных предложениях. Остальное предложение база "
        "переведёт и так; перевод слова угадать нельзя, его нужно запомнить.",
        "Сравните с «Ответами в JSON» при том же числе шагов: формат даётся адаптеру дёшево, новые факты — дорого. "
        "В проверке те же слова, но другие предложения.",
        _make,
    ),
)
