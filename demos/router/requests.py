"""What the router is judged on: held-out requests of three adapters and of the base, and some that belong to nobody.

The word a task's requests begin with («вежливо:») gives it away, so every request is asked twice: with it and without.
Torch-free. Leaves out routing (``demos.finetuning.adapters.routing``) and its judgement (``confusion``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from types import MappingProxyType

from demos.finetuning import skills
from demos.finetuning.adapters.routing import BASE, EXAMPLES
from demos.finetuning.skills import Message
from demos.finetuning.tasks import build

ADAPTERS = ("json", "polite", "intents")
OUTSIDE = "outside"
KINDS = MappingProxyType(
    {
        "json": "ответы в JSON",
        "polite": "вежливая форма",
        "intents": "что хочет клиент",
        BASE: "умения базы",
        OUTSIDE: "ничьи запросы",
    }
)
"""Where a request comes from, for a learner."""
CUES = MappingProxyType({"json": "переведи в JSON: ", "polite": "вежливо: ", "intents": "запрос: "})
"""The words that a task's requests begin with."""
EACH = 30
STRANGE = (
    "какая столица у франции?",
    "write a poem about the sea",
    "def fibonacci(n): return n if n < 2 else",
    "посоветуй фильм на вечер",
    "что такое градиентный спуск?",
    "2 * (3 + 4) / 7 = ?",
    "SELECT name FROM users WHERE id = 5;",
    "сколько стоит билет до казани?",
    "the quick brown fox jumps over the lazy dog",
    "как приготовить борщ?",
    "кто написал «войну и мир»?",
    "включи музыку погромче",
    "I want to cancel my subscription",
    "расскажи анекдот",
    "асдф йцукен",
    "????",
    "https://example.org/page?id=42",
    "напиши письмо начальнику об отпуске",
    "what is the weather like today?",
    "объясни теорию относительности ребёнку",
    "помоги выбрать ноутбук до ста тысяч",
    "import numpy as np; np.eye(3)",
    "почему небо синее?",
    "составь план тренировок на неделю",
    "переведи на французский: добрый день",
    "дата рождения пушкина",
    "{'a': 1, 'b': [2, 3]}",
    "сыграй со мной в шахматы",
    "какой смысл жизни?",
    "lorem ipsum dolor sit amet",
)
"""Requests that neither the base nor an adapter was taught: from life, from code, from nowhere."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a kind. ``answer`` is empty where nobody here has a right one."""

    kind: str
    prompt: tuple[Message, ...]
    answer: str


@cache
def held_out(*, cue: bool) -> tuple[Request, ...]:
    """Thirty requests of each kind."""
    found = [
        Request(name, _cut(name, chat[:-1], cue), chat[-1].content)
        for name in ADAPTERS
        for chat in build(name).test[:EACH]
    ]
    random = Random("router held out")  # noqa: S311 - the same for everybody
    drawn = [skills.draw(random, "test") for _ in range(EACH)]
    found += [Request(BASE, one.prompt, one.answer) for one in drawn]
    found += [Request(OUTSIDE, (Message("user", text),), "") for text in STRANGE]
    return tuple(found)


def examples() -> dict[str, tuple[str, ...]]:
    """The training requests that stand for each adapter."""
    return {name: tuple(chat[-2].content for chat in build(name).train[:EXAMPLES]) for name in ADAPTERS}


def as_asked(found: Mapping[str, Sequence[str]], *, cue: bool) -> dict[str, list[tuple[Message, ...]]]:
    """Examples as prompts, without the words that give the task away unless ``cue``."""
    return {name: [_cut(name, (Message("user", text),), cue) for text in texts] for name, texts in found.items()}


def _cut(name: str, prompt: tuple[Message, ...], cue: bool) -> tuple[Message, ...]:
    *before, last = prompt
    return prompt if cue else (*before, Message(last.role, last.content.removeprefix(CUES[name])))
