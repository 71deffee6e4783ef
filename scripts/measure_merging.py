"""``PYTHONPATH=. python scripts/measure_merging.py``: measures what merged and summed adapters answer.

Writes content/measured/merging.json: every shipped adapter at every strength merged in every way, on a hundred
held-out requests of its task, and the ways from one adapter to another. Leaves out what the weights lose
(``demos.merging.precision`` computes that live).
"""

from __future__ import annotations

import argparse
from functools import cache
from itertools import combinations
from typing import get_args

from demos.finetuning import evaluate, measured
from demos.finetuning.adapters import blending, shipped
from demos.finetuning.adapters.library import BASE, Shelf
from demos.finetuning.quantized import open_base
from demos.finetuning.tasks import build
from demos.merging import answers, arithmetic, models, stored
from demos.merging.answers import Asked
from demos.merging.precision import STRENGTHS
from demos.merging.stored import Blend, Measured
from demos.merging.weights import WAYS
from scripts.made import made

OF, OF_BLENDS, KEPT = 100, 50, 24
STEPS = 10
"""Parts of the way from one adapter to the other."""


def main() -> int:
    """Measure everything; the exit status."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    torch.set_num_threads(threads)
    rows: dict[str, Measured] = {}
    for name in shipped.SPECS:
        rows |= merged(name)
    names = get_args(arithmetic.Name)
    blends = {f"{one}+{other}": path(one, other) for one, other in combinations(names, 2)}
    requests = {task: _pairs(held_out(task, KEPT)) for task in names}
    stored.write(
        stored.Store(measured.base(), made("scripts/measure_merging.py", threads), OF_BLENDS, rows, blends, requests)
    )
    return 0


def merged(name: str) -> dict[str, Measured]:
    """Every strength and way of one adapter."""
    spec, adapter = shipped.SPECS[name], shipped.adapter(name)
    asked, found = held_out(spec.task, OF), {}
    for strength in STRENGTHS:
        share = int(strength) / 100
        shelf = models.beside(adapter, spec, share)
        tuned = asked.ask(shelf.model, shelf.base)
        found[f"{name}/{strength}/tuned"] = answers.compare(asked, tuned, tuned)
        if strength == "100":
            with shelf.using(BASE) as model:
                found[f"{name}/100/base"] = answers.compare(asked, asked.ask(model, shelf.base), tuned)
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
