"""``PYTHONPATH=. python scripts/measure_merging.py``: measures what merged and summed adapters answer.

Writes content/measured/merging.json: every shipped adapter at every strength merged in every way, on a hundred
held-out requests of its task, and the ways from one adapter to another. What is measured on the base model of now is
left alone, so it may be interrupted. Leaves out what the weights lose
(``demos.merging.precision`` computes that live).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import cache
from itertools import combinations, product
from types import MappingProxyType
from typing import get_args

from demos.finetuning import evaluate, measured
from demos.finetuning.adapters import blending, shipped
from demos.finetuning.adapters.library import BASE, Shelf
from demos.finetuning.quantized import open_base
from demos.finetuning.tasks import build
from demos.merging import answers, arithmetic, models, stored
from demos.merging.answers import Asked
from demos.merging.precision import STRENGTHS, Strength
from demos.merging.stored import Blend, Measured
from demos.merging.weights import WAYS
from scripts.made import made

OF, OF_BLENDS, KEPT = 100, 40, 24
STEPS = 5
"""Parts of the way from one adapter to the other."""
NAMES = get_args(arithmetic.Name)
PAIRS = tuple(combinations(NAMES, 2))
ALL_WAYS = ("tuned", "base", *WAYS)


def main() -> int:
    """Measure what is missing; the exit status."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parts = [*shipped.SPECS, *map("+".join, PAIRS)]
    parser.add_argument("parts", nargs="*", choices=[*parts, []], metavar="PART", help=", ".join(parts))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="what is measured, too")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    store = None if arguments.again else stored.load()
    for name, strength in product(shipped.SPECS, STRENGTHS):
        known = store and f"{name}/{strength}/{list(WAYS)[-1]}" in store.rows
        if not known and name in (arguments.parts or parts):
            keep(arguments.threads, rows=merged(name, strength))
    for pair in PAIRS:
        joined = "+".join(pair)
        if not (store and joined in store.blends) and joined in (arguments.parts or parts):
            keep(arguments.threads, blends={joined: path(*pair)})
    return 0


def keep(
    threads: int,
    rows: Mapping[str, Measured] = MappingProxyType({}),
    blends: Mapping[str, tuple[Blend, ...]] = MappingProxyType({}),
) -> None:
    """Put new points beside those that another part may have written meanwhile."""
    known = stored.load()
    requests = {task: _pairs(held_out(task, KEPT)) for task in NAMES}
    how = made("scripts/measure_merging.py", threads)
    all_rows = {**(known.rows if known else {}), **rows}
    all_blends = {**(known.blends if known else {}), **blends}
    order = [f"{name}/{strength}/{way}" for name, strength in product(shipped.SPECS, STRENGTHS) for way in ALL_WAYS]
    sorted_rows = {key: all_rows[key] for key in order if key in all_rows}
    stored.write(stored.Store(measured.base(), how, OF_BLENDS, sorted_rows, all_blends, requests))


def merged(name: str, strength: Strength) -> dict[str, Measured]:
    """Every way of one adapter at one strength."""
    spec, adapter, share = shipped.SPECS[name], shipped.adapter(name), int(strength) / 100
    asked, found = held_out(spec.task, OF), {}
    shelf = models.beside(adapter, spec, share)
    tuned = asked.ask(shelf.model, shelf.base)
    found[f"{name}/{strength}/tuned"] = answers.compare(asked, tuned, tuned)
    if strength == STRENGTHS[-1]:
        with shelf.using(BASE) as model:
            found[f"{name}/{strength}/base"] = answers.compare(asked, asked.ask(model, shelf.base), tuned)
    for way in WAYS:
        drift = _drift(models.beside_on(adapter, way, share), asked) if way != "after" else None
        done = models.merged(adapter, way, share)
        found[f"{name}/{strength}/{way}"] = answers.compare(asked, asked.ask(done.model, done), tuned, drift)
        print(name, strength, way, found[f"{name}/{strength}/{way}"].right, flush=True)
    return found


def path(first: str, second: str) -> tuple[Blend, ...]:
    """From the second adapter to the first in equal steps, in every way."""
    opened = {name: shipped.adapter(name) for name in (first, second)}
    asked = {name: arithmetic.chats(held_out(name, OF_BLENDS)) for name in opened}
    shelf, found = Shelf(open_base(models.PLAIN), opened), []
    for way in blending.WAYS:
        for step in range(STEPS + 1):
            share = step / STEPS
            blend = blending.blend(shelf, {first: share, second: 1 - share}, way)
            with shelf.using(blend) as model:
                right = [sum(evaluate.knows(model, shelf.base.tokenizer, chats)) for chats in asked.values()]
            shelf.model.set_adapter(first)
            shelf.model.delete_adapter(blend)
            found.append(Blend(way, share, *right))
        print(first, second, way, [(one.first, one.second) for one in found[-STEPS - 1 :]], flush=True)
    return tuple(found)


@cache
def held_out(task: str, count: int) -> Asked:
    """The first held-out requests of a task."""
    chats = build(task).test[:count]
    return Asked(tuple(chat[:-1] for chat in chats), tuple(chat[-1].content for chat in chats))


def _pairs(asked: Asked) -> tuple[tuple[str, str], ...]:
    return tuple((prompt[-1].content, right) for prompt, right in zip(asked.prompts, asked.right, strict=True))


def _drift(shelf: Shelf, asked: Asked) -> float:
    """Largest logit difference of the model to itself after the adapter was merged and taken out again."""
    before = shelf.logits(models.NAME, asked.prompts)
    with models.quiet_merging():
        shelf.model.merge_adapter()
        shelf.model.unmerge_adapter()
    return float((shelf.logits(models.NAME, asked.prompts) - before).abs().max())


if __name__ == "__main__":
    raise SystemExit(main())
