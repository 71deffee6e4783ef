"""The bundled model asked in its own template and in others': measured accuracy, and one question live.

The accuracies are recorded by ``scripts/measure_templates.py`` (content/measured/templates.json). The questions are
those by which runs measure old skills: held out, one user's turn each. Leaves out training in another template, which
would teach it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from demos import kept
from demos.chat_templates import environment, families
from demos.finetuning import base_model, evaluate, measured, vocabulary
from demos.finetuning.evaluate import EACH, OLD_SKILLS
from demos.finetuning.skills import Example
from demos.params import Checked, parameter
from settings import ROOT

FILE = ROOT / "content" / "measured" / "templates.json"
VERSION = 1
RIGHT = "course"
NO_PROMPT, PLAIN = "no_prompt", "plain"
WAYS: Mapping[str, str] = {
    RIGHT: "свой шаблон",
    NO_PROMPT: "свой, но без приглашения",
    PLAIN: "без шаблона: голый текст",
    **{name: family.title for name, family in families.FAMILIES.items() if name != RIGHT},
}
"""How a question may be written for the bundled model."""
SKILLS: Mapping[str, str] = {
    "to_english": "перевод на английский",
    "to_russian": "перевод на русский",
    "repeat": "повтор",
    "add": "сложение",
    "reverse": "слова наоборот",
    "ask": "вопрос к предложению",
}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which way and which of the held-out questions to ask live."""

    way: str = parameter("chatml", "Шаблон", words=WAYS)
    skill: str = parameter("to_english", "Умение", words=SKILLS)
    item: int = parameter(1, "Номер вопроса", low=1, high=EACH)


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers right to the last character of ``of``; Wilson's 95 % interval. ``skills``: skill and how many right."""

    way: str
    title: str
    right: int
    of: int
    low: float
    high: float
    skills: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """``rows`` is empty while nothing is recorded on the base model of now. ``date`` is ISO 8601."""

    rows: tuple[Measured, ...]
    each: int  # questions of each skill
    date: str
    script: str
    versions: tuple[tuple[str, str], ...]
    way: str
    title: str
    question: str
    written: str  # what the model got
    tokens: int
    own_tokens: int  # of the same question in the model's own template
    expected: str
    said: str
    right: bool


def wrong(params: Params) -> Result:
    """The record, and one question asked now."""
    record = recorded()
    example = evaluate.old_skills()[params.skill][params.item - 1]
    written = write(params.way, example)
    (said,) = answer([written])
    return Result(
        rows=tuple(_row(*pair) for pair in record.get("ways", {}).items()),
        each=EACH,
        date=str(record.get("date", "")),
        script=str(record.get("script", "")),
        versions=tuple(sorted(record.get("versions", {}).items())),
        way=params.way,
        title=WAYS[params.way],
        question=example.prompt[-1].content,
        written=written,
        tokens=vocabulary.count(written),
        own_tokens=vocabulary.count(write(RIGHT, example)),
        expected=example.answer,
        said=said,
        right=evaluate.is_right(said, example.answer),
    )


def write(way: str, example: Example) -> str:
    """The question as the model gets it."""
    if way == PLAIN:
        return example.prompt[-1].content
    family = families.FAMILIES[RIGHT if way == NO_PROMPT else way]
    turns = [{"role": item.role, "content": item.content} for item in example.prompt]
    return environment.render(family.template, turns, tokens=family.tokens, prompt=way != NO_PROMPT).text


def answer(texts: Sequence[str]) -> list[str]:
    """What the bundled model says after each text, greedily."""
    model, tokenizer = _model()
    ids = [vocabulary.encode(text).ids for text in texts]
    return evaluate.answers(model, tokenizer, ids, most=_most())


def measure() -> dict[str, dict[str, int]]:
    """Way → skill → how many of its questions are answered right."""
    known = [example for examples in evaluate.old_skills().values() for example in examples]
    found = {}
    for way in WAYS:
        said = answer([write(way, example) for example in known])
        right = dict.fromkeys(OLD_SKILLS, 0)
        for example, text in zip(known, said, strict=True):
            right[example.skill] += evaluate.is_right(text, example.answer)
        found[way] = right
    return found


def recorded(file: Path = FILE) -> Mapping[str, Any]:
    """What is recorded on the base model of now; empty when there is nothing."""
    try:
        found = kept.read(file, dict)
    except (OSError, ValueError):
        return {}
    return found if found.get("version") == VERSION and found.get("base") == measured.base() else {}


def _row(way: str, right: Mapping[str, int]) -> Measured:
    from demos.finetuning.statistics import wilson

    score = wilson(sum(right.values()), EACH * len(right))
    return Measured(way, WAYS[way], score.right, score.of, score.low, score.high, tuple(right.items()))


@cache
def _model() -> tuple[Any, Any]:
    return base_model.load(), base_model.tokenizer()


@cache
def _most() -> int:
    known = [example.answer for examples in evaluate.old_skills().values() for example in examples]
    return evaluate.longest(_model()[1], known)
