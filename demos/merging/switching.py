"""What switching between adapters costs: naming another one, merging and taking out, loading again. Measured now.

Also what an adapter beside the weights adds to a forward pass, so that one can tell after how many passes merging pays.
Times are of this machine and this small model: their order is the lesson, not their size. Leaves out servers that keep
many adapters on a card.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from math import prod
from statistics import median
from typing import Any

from demos.finetuning.adapters import library, shipped
from demos.finetuning.adapters.library import Shelf
from demos.finetuning.quantized import open_base, stored_bytes
from demos.merging import models
from demos.merging.answers import requests
from demos.params import Checked, parameter

NAMES = ("json", "polite", "intents")
PASSES = 3
"""Forward passes for each repetition of the rest."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """How often each is timed; the median is told."""

    repeats: int = parameter(5, "Повторов", low=1, high=15)
    rows: int = parameter(4, "Запросов в проходе", low=1, high=12)


@dataclass(frozen=True, slots=True)
class Cost:
    """One thing that takes time, in seconds."""

    name: str
    title: str
    seconds: float  # median
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Result:
    """Costs of switching, of a forward pass, and bytes."""

    switches: tuple[Cost, ...]
    passes: tuple[Cost, ...]
    pays_after: float  # passes after which merging and taking out has paid; inf when a pass is not slower beside
    base_bytes: int
    adapter_bytes: int  # of one adapter's file


def switching(params: Params) -> Result:
    """Time everything on three adapters of the course."""
    asked = requests(NAMES[0], params.rows).prompts
    opened = {name: shipped.adapter(name) for name in NAMES}
    shelf = Shelf(open_base(models.PLAIN), opened)
    size = stored_bytes(shelf.base.model) - sum(map(_parameters, opened.values()))
    names = cycle(NAMES)
    switches = [
        _timed("set", "назвать другой: set_adapter", params.repeats, lambda: shelf.model.set_adapter(next(names))),
        _timed("merge", "слить и вынуть: merge + unmerge", params.repeats, lambda: _there_and_back(shelf)),
        _timed("load", "положить на базу ещё раз", 1, lambda: Shelf(open_base(models.PLAIN), {"json": opened["json"]})),
    ]
    passes = _passes(shelf, asked, params.repeats * PASSES)
    dearer = passes[1].low - passes[0].low  # the least: what the machine does besides only adds
    pays = switches[1].low / dearer if dearer > 0 else float("inf")
    return Result(tuple(switches), passes, pays, size, len(opened["json"].weights))


def _passes(shelf: Shelf, asked: Sequence[Any], repeats: int) -> tuple[Cost, ...]:
    """Merged, beside and mixed in turns, so that whatever else the machine does falls on all of them."""
    done = models.merged(shipped.adapter(NAMES[0]), "float32")
    shelf.model.set_adapter(NAMES[0])
    works: dict[str, Callable[[], object]] = {
        "merged": lambda: library.logits(done.model, done, asked),
        "beside": lambda: library.logits(shelf.model, shelf.base, asked),
        "mixed": lambda: _mixed(shelf, asked),
    }
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats + 1):
        for name, work in works.items():
            found[name].append(_seconds(work))
    titles = ("адаптер слит с весами", "адаптер рядом с весами", "у каждого запроса свой адаптер")
    return tuple(_cost(name, title, times[1:]) for (name, times), title in zip(found.items(), titles, strict=True))


def _mixed(shelf: Shelf, asked: Sequence[Any]) -> None:
    import torch

    names = [(*NAMES, library.BASE)[place % 4] for place in range(len(asked))]
    with torch.inference_mode():
        shelf.model(**library.pad(shelf.base, asked), adapter_names=names)


def _there_and_back(shelf: Shelf) -> None:
    shelf.model.merge_adapter()
    shelf.model.unmerge_adapter()


def _timed(name: str, title: str, repeats: int, work: Callable[[], object]) -> Cost:
    """``repeats`` runs; where there are several, one before them is not counted."""
    times = [_seconds(work) for _ in range(repeats + (repeats > 1))]
    return _cost(name, title, times[-repeats:])


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _cost(name: str, title: str, times: Sequence[float]) -> Cost:
    return Cost(name, title, median(times), min(times), max(times))


def _parameters(adapter: Any) -> int:
    """Bytes of an adapter as it lies beside the base, in float32."""
    return sum(4 * prod(one.shape) for one in adapter.tensors)
