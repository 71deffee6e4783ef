"""``PYTHONPATH=. python scripts/measure_router.py``: measures the requests that the router's demo judges.

Writes content/measured/router.json: for every held-out request, with and without the words that give its task away,
how near it is to each place, and whether the base and each adapter answer it right. Leaves out thresholds and matrices
(``demos.router.confusion`` computes them from this).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from demos.finetuning import evaluate, measured
from demos.finetuning.adapters import shipped
from demos.finetuning.adapters.library import BASE as SWITCHED_OFF
from demos.finetuning.adapters.library import Shelf
from demos.finetuning.adapters.nearness import WAYS
from demos.finetuning.adapters.routing import BASE, Router
from demos.finetuning.quantized import Base, open_base
from demos.finetuning.skills import Message
from demos.finetuning.spec import RunSpec
from demos.router import requests, stored
from demos.router.requests import ADAPTERS, Request
from demos.router.stored import CUES, Row
from scripts.made import made

PLAIN = RunSpec(quantization="none")
DIGITS = 6


def main() -> int:
    """Measure everything; the exit status."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    torch.set_num_threads(threads)
    base, shelf = open_base(PLAIN), Shelf(open_base(PLAIN), {name: shipped.adapter(name) for name in ADAPTERS})
    right = {cue: _right(shelf, requests.held_out(cue=cue)) for cue in (True, False)}
    shown = requests.examples()
    rows = {
        cue: _rows(base, requests.as_asked(shown, cue=cue != "without"), cue == "with", right[cue == "with"])
        for cue in CUES
    }
    places = (*ADAPTERS, BASE)
    stored.write(stored.Store(measured.base(), made("scripts/measure_router.py", threads), places, shown, rows))
    return 0


def _rows(
    base: Base,
    examples: Mapping[str, Sequence[tuple[Message, ...]]],
    asked: bool,
    right: Sequence[tuple[bool, ...]],
) -> tuple[Row, ...]:
    """Every request, with or without the words that give it away, beside these examples."""
    held_out = requests.held_out(cue=asked)
    prompts = [request.prompt for request in held_out]
    found = {way: Router(base, examples, way).cosines(prompts).astype(float).round(DIGITS).tolist() for way in WAYS}
    return tuple(
        Row(one.kind, one.prompt[-1].content, {way: tuple(found[way][place]) for way in WAYS}, right[place])
        for place, one in enumerate(held_out)
    )


def _right(shelf: Shelf, held_out: Sequence[Request]) -> list[tuple[bool, ...]]:
    """Whether each adapter and the base answer each request right; nothing where nobody can."""
    asked = [(*one.prompt, Message("assistant", one.answer)) for one in held_out if one.answer]
    columns = []
    for name in (*ADAPTERS, SWITCHED_OFF):
        with shelf.using(name) as model:
            columns.append(evaluate.knows(model, shelf.base.tokenizer, asked))
    rows = iter(zip(*columns, strict=True))
    return [next(rows) if one.answer else () for one in held_out]


if __name__ == "__main__":
    raise SystemExit(main())
