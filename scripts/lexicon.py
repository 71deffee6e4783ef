"""``python scripts/lexicon.py``: every form of every word of ``words.toml``, written to content/model/lexicon.json.

pymorphy3 declines and conjugates, so it is needed here only: what it says is committed. Leaves out sentences
(``demos.finetuning.grammar``). ``--check`` writes nothing and fails when the committed file is not what comes out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymorphy3

ROOT = Path(__file__).resolve().parent.parent
WORDS, LEXICON = ROOT / "scripts" / "words.toml", ROOT / "content" / "model" / "lexicon.json"
MORPH = pymorphy3.MorphAnalyzer()
GENDERS = ("masc", "femn", "neut")


def main() -> int:
    """Write or compare; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    wanted = json.dumps(build(), ensure_ascii=False, indent=0, sort_keys=True) + "\n"
    if not parser.parse_args().check:
        LEXICON.parent.mkdir(parents=True, exist_ok=True)
        LEXICON.write_text(wanted)
        return 0
    same = LEXICON.read_text() == wanted
    print("lexicon: as committed" if same else "lexicon: differs from what words.toml gives")
    return int(not same)


def build() -> dict[str, list[dict[str, Any]]]:
    """The whole lexicon.

    Raises:
        ValueError: a word that pymorphy3 cannot inflect, or two words with one partner.
    """
    words = tomllib.loads(WORDS.read_text())
    exceptions = words["exceptions"]
    nouns = [
        _noun(ru, en, animate=kind == "animate", place=kind == "places")
        for kind in ("animate", "things", "places")
        for ru, en in _pairs(words[kind])
    ]
    lexicon = {
        "nouns": nouns,
        "adjectives": [_adjective(ru, en) for ru, en in _pairs(words["adjectives"])],
        "verbs": [
            _verb(ru, en, transitive=kind == "transitive")
            for kind in ("intransitive", "transitive")
            for ru, en in _pairs(words[kind])
        ],
        "adverbs": [{"ru": ru, "en": en.replace("_", " ")} for ru, en in _pairs(words["adverbs"])],
        "numerals": [
            {"ru": ru, "en": en, "few": kind == "few", "femn": "две" if ru == "два" else ru}
            for kind in ("few", "many")
            for ru, en in _pairs(words[kind])
        ],
    }
    for entry in (*lexicon["nouns"], *lexicon["verbs"]):
        for form, word in exceptions.get(entry["ru"], {}).items():
            (entry if form == "place" else entry["forms"])[form] = word
    _refuse_ambiguity(lexicon)
    return lexicon


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for entry in text.replace("\n", "|").split("|"):
        if entry.strip():
            russian, english = entry.split()
            yield russian, english


def _noun(ru: str, en: str, *, animate: bool, place: bool) -> dict[str, Any]:
    singular, _, plural = en.partition(":")
    parsed = next(
        p for p in MORPH.parse(ru) if {"NOUN", "nomn", "sing"} <= set(p.tag.grammemes) and p.normal_form == ru
    )
    forms = {
        f"{case}_{number}": _inflect(parsed, case, number)
        for case in ("nomn", "accs", "gent")
        for number in ("sing", "plur")
    }
    if animate:  # pymorphy3 knows some animals as things too
        forms["accs_plur"] = forms["gent_plur"]
        if parsed.tag.gender == "masc" and not ru.endswith("а"):
            forms["accs_sing"] = forms["gent_sing"]
    else:
        forms["accs_plur"] = forms["nomn_plur"]
        if parsed.tag.gender == "masc":
            forms["accs_sing"] = forms["nomn_sing"]
    where = parsed.inflect({"loc2", "sing"}) or parsed.inflect({"loct", "sing"})
    return {
        "ru": ru,
        "en": singular,
        "en_plural": plural or f"{singular}s",
        "gender": parsed.tag.gender,
        "animate": animate,
        "place": f"в {where.word}" if place else "",
        "forms": forms,
    }


def _adjective(ru: str, en: str) -> dict[str, Any]:
    parsed = next(p for p in MORPH.parse(ru) if "ADJF" in p.tag)
    forms = {f"nomn_{gender}": _inflect(parsed, "nomn", "sing", gender) for gender in GENDERS}
    forms |= {f"accs_{gender}": _inflect(parsed, "accs", "sing", gender) for gender in ("femn", "neut")}
    forms |= {"accs_masc_inan": forms["nomn_masc"], "accs_masc_anim": _inflect(parsed, "gent", "sing", "masc")}
    forms |= {"nomn_plur": _inflect(parsed, "nomn", "plur"), "gent_plur": _inflect(parsed, "gent", "plur")}
    return {"ru": ru, "en": en, "forms": forms}


def _verb(ru: str, en: str, *, transitive: bool) -> dict[str, Any]:
    base, third, past = en.replace("_", " ").split(":")
    parsed = next(p for p in MORPH.parse(ru) if {"VERB", "pres", "3per", "sing"} <= set(p.tag.grammemes))
    forms = {"present_sing": ru, "present_plur": _inflect(parsed, "pres", "3per", "plur")}
    forms |= {f"past_{gender}": _inflect(parsed, "past", "sing", gender) for gender in GENDERS}
    forms |= {"past_plur": _inflect(parsed, "past", "plur"), "infinitive": _inflect(parsed, "INFN")}
    return {"ru": ru, "en": base, "en_third": third, "en_past": past, "transitive": transitive, "forms": forms}


def _inflect(parsed: Any, *grammemes: str) -> str:
    form = parsed.inflect(set(grammemes))
    if form is None:
        raise ValueError(f"{parsed.word}: no form {grammemes}")
    return str(form.word)


def _refuse_ambiguity(lexicon: dict[str, list[dict[str, Any]]]) -> None:
    """Translation must have one right answer: within a part of speech, no two words share a word of either language."""
    for kind, entries in lexicon.items():
        for language in ("ru", "en"):
            seen: set[str] = set()
            for entry in entries:
                if entry[language] in seen:
                    raise ValueError(f"{kind}: «{entry[language]}» stands twice")
                seen.add(entry[language])
    for noun in lexicon["nouns"]:
        if noun["en"] == noun["en_plural"]:
            raise ValueError(f"«{noun['en']}»: one or many?")
    for verb in lexicon["verbs"]:
        if verb["en"] == verb["en_past"]:
            raise ValueError(f"«{verb['en']}»: now or then?")


if __name__ == "__main__":
    sys.exit(main())
