"""One request, live: how near it is to every place, where the router sends it, and what each would answer.

All answers come from one batch in which every row has its own adapter (PEFT's ``adapter_names``), the base's row
``"__base__"``. Leaves out how good the router is (``confusion``).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from demos.finetuning.adapters import library, shipped
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.library import Shelf
from demos.finetuning.adapters.nearness import WAYS
from demos.finetuning.adapters.routing import BASE, CERTAIN, LONGEST_PROMPT, Router, Share, check_prompt, request
from demos.finetuning.quantized import open_base
from demos.finetuning.spec import RunSpec
from demos.params import Checked, ParamsError, parameter
from demos.router import stored
from demos.router.requests import ADAPTERS, KINDS, as_asked

MOST_TOKENS = 48
PLAIN = RunSpec(quantization="none")


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """The request, and how the router decides."""

    prompt: str = parameter("переведи в JSON: большая кошка видит дом", "Запрос", longest=LONGEST_PROMPT)
    threshold: float = parameter(CERTAIN, "Порог уверенности", low=0, high=1)
    cue: bool = parameter(
        True, "Примеры с подсказкой", note="С чем роутер сравнивает запрос: «вежливо: …» или без этого слова."
    )
    way: Literal["nearest", "centroid"] = parameter("nearest", "Близость", words=WAYS)

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        try:
            check_prompt("", self.prompt.strip())
        except AdapterError as problem:
            raise ParamsError(str(problem)) from None


@dataclass(frozen=True, slots=True)
class Said:
    """What one place would answer."""

    name: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """Where the request goes and what everybody says. Seconds are of this machine."""

    chosen: str
    best: str  # the nearest place, sure or not
    confidence: float
    abstained: bool
    threshold: float
    shares: tuple[Share, ...]
    said: tuple[Said, ...]
    route_seconds: float
    answer_seconds: float  # all answers together, one batch


def ask(params: Params) -> Result:
    """Route one request and answer it everywhere.

    Raises:
        ParamsError: nothing was measured on the base model of now.
    """
    prompt = request("", params.prompt.strip())
    base = open_base(PLAIN)
    router = Router(base, as_asked(stored.load().examples, cue=params.cue), params.way)
    began = time.perf_counter()
    went = router.route(prompt, params.threshold)
    routed = time.perf_counter()
    shelf = Shelf(base, {name: shipped.adapter(name) for name in ADAPTERS})
    ready = time.perf_counter()
    names = (*ADAPTERS, BASE)
    texts = shelf.mixed([prompt] * len(names), [*ADAPTERS, library.BASE], most=MOST_TOKENS)
    said = tuple(Said(name, KINDS[name], text) for name, text in zip(names, texts, strict=True))
    best = max(went.shares, key=lambda share: share.share).name
    answered = time.perf_counter() - ready
    return Result(
        went.chosen,
        best,
        went.confidence,
        went.abstained,
        params.threshold,
        went.shares,
        said,
        routed - began,
        answered,
    )
