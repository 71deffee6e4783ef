"""Sentences of the small language that the base model knows, in Russian and English at once.

Subject, verb, object, place or adverb; agreement in gender, number and case; three tenses; numerals. One Russian
sentence has one English one and back. Some adjective–noun pairs and some subject–verb–object triples are held out:
sentences for training hold none of them, sentences for testing at least one. Leaves out what is asked about a sentence
(``skills``) and where the word forms come from (``scripts/lexicon.py``).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Literal

from settings import ROOT

LEXICON = ROOT / "content" / "model" / "lexicon.json"
HELD_OUT = 12
"""One pair or triple in this many is kept for testing."""
ALIVE = 0.5
"""Share of subjects that are surely people or animals: a wall that sings is fun once in a while only."""
Split = Literal["train", "test"]
Word = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A subject or an object: «два красных кота» — "two red tomcats"."""

    ru: str
    en: str
    noun: str
    adjective: str  # empty without one
    gender: str
    plural: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in both languages and its parts; a part that it lacks is empty."""

    ru: str
    en: str
    subject: Phrase
    verb: str
    verb_en: str
    object: Phrase | None
    place: str
    adverb: str
    held_out: bool


@cache
def lexicon() -> Mapping[str, Sequence[Word]]:
    """All words with their forms, by kind: nouns, adjectives, verbs, adverbs, numerals."""
    known: dict[str, Sequence[Word]] = json.loads(LEXICON.read_text())
    return known


@cache
def _animate() -> Sequence[Word]:
    return tuple(noun for noun in lexicon()["nouns"] if noun["animate"])


def sentence(random: Random, split: Split) -> Sentence:
    """A sentence of the split: one for testing holds a combination that no training sentence holds."""
    while True:
        drawn = _draw(random)
        if drawn.held_out == (split == "test"):
            return drawn


def phrase(random: Random, case: Literal["nomn", "accs"] = "nomn") -> Phrase:
    """A noun with or without an adjective, in the singular, the plural or counted."""
    words = lexicon()
    alive = case == "nomn" and random.random() < ALIVE
    noun = random.choice(_animate() if alive else words["nouns"])
    adjective = random.choice(words["adjectives"]) if random.random() < 0.55 else None
    kind = random.random()
    if kind < 0.6:
        return _plain(noun, adjective, case, "sing")
    if kind < 0.84:
        return _plain(noun, adjective, case, "plur")
    numeral = random.choice(words["numerals"])
    if case == "accs" and numeral["few"] and noun["animate"]:  # «двух котов»: another case, left out
        return _plain(noun, adjective, case, "plur")
    return _counted(noun, adjective, numeral)


def is_held_out(*lemmas: str) -> bool:
    """Whether this combination of dictionary forms is kept for testing."""
    return zlib.crc32("|".join(lemmas).encode()) % HELD_OUT == 0


def _draw(random: Random) -> Sentence:
    words = lexicon()
    subject, verb = phrase(random), random.choice(words["verbs"])
    target = phrase(random, "accs") if verb["transitive"] else None
    tense = random.choices(("present", "past", "future"), (4, 3, 3))[0]
    verb_ru, verb_en = _conjugate(verb, tense, subject)
    kind = random.random()
    place = random.choice([noun for noun in words["nouns"] if noun["place"]]) if kind < 0.2 else None
    adverb = random.choice(words["adverbs"]) if kind > 0.65 else None
    ru = [
        subject.ru,
        verb_ru,
        target.ru if target else "",
        place["place"] if place else "",
        adverb["ru"] if adverb else "",
    ]
    en = [
        subject.en,
        verb_en,
        target.en if target else "",
        f"in the {place['en']}" if place else "",
        adverb["en"] if adverb else "",
    ]
    combinations = [(part.adjective, part.noun) for part in (subject, target) if part and part.adjective]
    triples = [(subject.noun, verb["ru"], target.noun)] if target else []
    return Sentence(
        ru=" ".join(filter(None, ru)),
        en=" ".join(filter(None, en)),
        subject=subject,
        verb=verb_ru,
        verb_en=verb_en,
        object=target,
        place=ru[3],
        adverb=ru[4],
        held_out=any(is_held_out(*lemmas) for lemmas in (*combinations, *triples)),
    )


def _plain(noun: Word, adjective: Word | None, case: str, number: str) -> Phrase:
    ru, plural = [noun["forms"][f"{case}_{number}"]], number == "plur"
    if adjective:
        ru.insert(0, adjective["forms"][_agreement(noun, case, plural=plural)])
    en = ["the", *([adjective["en"]] if adjective else []), noun["en_plural"] if plural else noun["en"]]
    return _phrase(ru, en, noun, adjective, plural=plural)


def _counted(noun: Word, adjective: Word | None, numeral: Word) -> Phrase:
    """«Два больших дома», «две большие книги», «пять больших домов»; the accusative of things is the same."""
    feminine = noun["gender"] == "femn"
    ru = [numeral["femn"] if feminine else numeral["ru"]]
    if adjective:
        ru.append(adjective["forms"]["nomn_plur" if numeral["few"] and feminine else "gent_plur"])
    ru.append(noun["forms"]["gent_sing" if numeral["few"] else "gent_plur"])
    en = [numeral["en"], *([adjective["en"]] if adjective else []), noun["en_plural"]]
    return _phrase(ru, en, noun, adjective, plural=True)


def _phrase(ru: Sequence[str], en: Sequence[str], noun: Word, adjective: Word | None, *, plural: bool) -> Phrase:
    return Phrase(" ".join(ru), " ".join(en), noun["ru"], adjective["ru"] if adjective else "", noun["gender"], plural)


def _agreement(noun: Word, case: str, *, plural: bool) -> str:
    """Which form of an adjective goes with the noun: a key of its forms."""
    if plural:
        return "gent_plur" if case == "accs" and noun["animate"] else "nomn_plur"
    if case == "accs" and noun["gender"] == "masc":
        return f"accs_masc_{'anim' if noun['animate'] else 'inan'}"
    return f"{case}_{noun['gender']}"


def _conjugate(verb: Word, tense: str, subject: Phrase) -> tuple[str, str]:
    forms, number = verb["forms"], "plur" if subject.plural else "sing"
    if tense == "present":
        return forms[f"present_{number}"], verb["en"] if subject.plural else verb["en_third"]
    if tense == "past":
        return forms["past_plur" if subject.plural else f"past_{subject.gender}"], verb["en_past"]
    return f"{'будут' if subject.plural else 'будет'} {forms['infinitive']}", f"will {verb['en']}"
