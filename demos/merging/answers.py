"""One measured point again, live: a real merged model beside the tuned one, asked the same held-out requests.

Leaves out the hundred requests of each point (``scripts/measure_merging.py``): here are as many as fit a few
seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from demos.finetuning import evaluate, statistics
from demos.finetuning.adapters import library, shipped
from demos.finetuning.quantized import Base
from demos.finetuning.skills import Message
from demos.merging import models, stored
from demos.merging.precision import STRENGTHS, Name, Strength
from demos.merging.stored import EXAMPLES, Measured, Spoilt
from demos.merging.weights import WAYS
from demos.params import Checked, ParamsError, parameter

if TYPE_CHECKING:
    from torch import Tensor

Prompt = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which point, and how many requests."""

    adapter: Name = parameter("json", "Адаптер", words=shipped.TITLES)
    strength: Strength = parameter("100", "Сила адаптера, %", choices=STRENGTHS)
    way: Literal["float32", "float16", "bfloat16", "dequantized", "after", "nf4"] = parameter(
        "nf4", "Куда слить", words=WAYS
    )
    requests: int = parameter(12, "Запросов", low=1, high=24)


@dataclass(frozen=True, slots=True)
class Answer:
    """One request: what was right, what the tuned and the merged model said."""

    prompt: str
    right: str
    tuned: str
    merged: str


@dataclass(frozen=True, slots=True)
class Result:
    """The point measured again on fewer requests."""

    measured: Measured
    tuned_right: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests, their right answers, and what a model said to them."""

    prompts: tuple[Prompt, ...]
    right: tuple[str, ...]

    def ask(self, model: object, base: Base) -> Said:
        """What ``model`` says, greedily, and its logits at the first token."""
        most = evaluate.longest(base.tokenizer, self.right)
        answers = evaluate.greedy(model, base.tokenizer, self.prompts, most=most)
        return Said(answers, library.logits(model, base, self.prompts))


@dataclass(frozen=True, slots=True)
class Said:
    """Answers and logits, (requests, vocabulary)."""

    answers: list[str]
    logits: Tensor


def answers(params: Params) -> Result:
    """Merge, ask, compare.

    Raises:
        ParamsError: the requests are not there.
    """
    spec = shipped.SPECS[params.adapter]
    asked = requests(spec.task, params.requests)
    adapter, strength = shipped.adapter(params.adapter), int(params.strength) / 100
    shelf = models.beside(adapter, spec, strength)
    tuned = asked.ask(shelf.model, shelf.base)
    merged = models.merged(adapter, params.way, strength)
    said = asked.ask(merged.model, merged)
    rows = zip((prompt[-1].content for prompt in asked.prompts), asked.right, tuned.answers, said.answers, strict=True)
    right = sum(map(evaluate.is_right, tuned.answers, asked.right))
    return Result(compare(asked, said, tuned), right, tuple(Answer(*row) for row in rows))


def requests(task: str, count: int) -> Asked:
    """The first held-out requests of a task, as they were kept beside the measurement.

    Raises:
        ParamsError: nothing was measured on the base model of now.
    """
    store = stored.load()
    if store is None:
        raise ParamsError("Замеров для этой базовой модели нет: запустите scripts/measure_merging.py.")
    pairs = store.requests[task][:count]
    return Asked(tuple((Message("user", asked),) for asked, _ in pairs), tuple(right for _, right in pairs))


def compare(asked: Asked, said: Said, tuned: Said, drift: float | None = None) -> Measured:
    """One model beside the tuned one."""
    right, before = (list(map(evaluate.is_right, one.answers, asked.right)) for one in (said, tuned))
    score = statistics.wilson(sum(right), len(asked.right))
    gap = (said.logits - tuned.logits).abs()
    other = [place for place, answer in enumerate(said.answers) if answer != tuned.answers[place]]
    return Measured(
        score.right,
        score.of,
        score.low,
        score.high,
        score.of - len(other),
        sum(now and not then for now, then in zip(right, before, strict=True)),
        sum(then and not now for now, then in zip(right, before, strict=True)),
        float(gap.max()),
        float(gap.mean()),
        drift,
        tuple(_spoilt(asked, said.answers, tuned.answers, place) for place in other[:EXAMPLES]),
    )


def _spoilt(asked: Asked, said: Sequence[str], tuned: Sequence[str], place: int) -> Spoilt:
    return Spoilt(asked.prompts[place][-1].content, tuned[place], said[place], asked.right[place])
