"""The base model's language: agreement, one translation each way, and held-out combinations that stay held out."""

from __future__ import annotations

import json
from random import Random

import pytest

from demos.finetuning import grammar
from demos.finetuning.grammar import Sentence, Split


def sentences(split: Split, count: int = 3000) -> list[Sentence]:
    random = Random(f"test {split}")
    return [grammar.sentence(random, split) for _ in range(count)]


def combinations(sentence: Sentence) -> list[tuple[str, ...]]:
    verbs = {
        form: verb["ru"]
        for verb in grammar.lexicon()["verbs"]
        for name, form in verb["forms"].items()
        if name != "infinitive"
    }
    verbs |= {verb["forms"]["infinitive"]: verb["ru"] for verb in grammar.lexicon()["verbs"]}
    parts = [part for part in (sentence.subject, sentence.object) if part]
    found: list[tuple[str, ...]] = [(part.adjective, part.noun) for part in parts if part.adjective]
    if sentence.object:
        found.append((sentence.subject.noun, verbs[sentence.verb.split()[-1]], sentence.object.noun))
    return found


def test_the_language_has_more_than_four_hundred_words() -> None:
    lexicon = grammar.lexicon()
    assert sum(map(len, lexicon.values())) >= 400
    assert all(len(lexicon[kind]) > 5 for kind in ("nouns", "adjectives", "verbs", "adverbs", "numerals"))


def test_training_sentences_hold_no_combination_that_tests_ask_for() -> None:
    trained = {lemmas for sentence in sentences("train") for lemmas in combinations(sentence)}
    tested = [combinations(sentence) for sentence in sentences("test")]
    kept = {lemmas for lemmas in trained if grammar.is_held_out(*lemmas)}
    assert not kept
    assert all(any(grammar.is_held_out(*lemmas) for lemmas in found) for found in tested)


def test_every_sentence_has_one_translation_each_way() -> None:
    drawn = {(sentence.ru, sentence.en) for split in ("train", "test") for sentence in sentences(split)}  # type: ignore[arg-type]
    assert len({ru for ru, _ in drawn}) == len({en for _, en in drawn}) == len(drawn)


def test_a_seed_gives_the_same_sentences() -> None:
    assert sentences("train", 50) == sentences("train", 50)


@pytest.mark.parametrize(
    ("noun", "adjective", "wanted"),
    [
        ("кошка", "красный", ("красная кошка", "красные кошки", "красную кошку", "две красные кошки")),
        ("дом", "большой", ("большой дом", "большие дома", "большой дом", "два больших дома")),
        ("учитель", "умный", ("умный учитель", "умные учителя", "умного учителя", "два умных учителя")),
        ("море", "синий", ("синее море", "синие моря", "синее море", "два синих моря")),
        ("дедушка", "старый", ("старый дедушка", "старые дедушки", "старого дедушку", "два старых дедушки")),
    ],
)
def test_adjectives_and_numerals_agree_with_their_noun(noun: str, adjective: str, wanted: tuple[str, ...]) -> None:
    words = grammar.lexicon()
    n = next(word for word in words["nouns"] if word["ru"] == noun)
    a = next(word for word in words["adjectives"] if word["ru"] == adjective)
    two = next(word for word in words["numerals"] if word["ru"] == "два")
    said = (
        grammar._plain(n, a, "nomn", "sing").ru,
        grammar._plain(n, a, "nomn", "plur").ru,
        grammar._plain(n, a, "accs", "sing").ru,
        grammar._counted(n, a, two).ru,
    )
    assert said == wanted


def test_verbs_agree_in_number_gender_and_tense() -> None:
    for sentence in sentences("train", 2000):
        plural, verb, english = sentence.subject.plural, sentence.verb, sentence.verb_en
        if english.startswith("will "):
            assert verb.split()[0] == ("будут" if plural else "будет")
        elif not plural and verb.endswith(("ла", "лась")):
            assert sentence.subject.gender == "femn"
        elif not plural and verb.endswith(("ло", "лось")):
            assert sentence.subject.gender == "neut"


def test_the_committed_lexicon_is_what_the_word_list_gives() -> None:
    pytest.importorskip("pymorphy3", reason="pymorphy3 comes with requirements-test.txt")
    from scripts import lexicon

    assert json.loads(lexicon.LEXICON.read_text()) == json.loads(json.dumps(lexicon.build()))
