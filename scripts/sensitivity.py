"""``PYTHONPATH=. python scripts/sensitivity.py``: the map of demo 2, content/measured/sensitivity.json.

Every linear layer and all together × type × block, with the functions that repeat one point live. About ten minutes of
one core. ``--check`` says what is wrong with the file. Leaves out what is measured (``demos.sensitivity``).
"""

from __future__ import annotations

import argparse
import itertools
import time

from demos.finetuning import measured
from demos.sensitivity import expansion, recorded
from demos.sensitivity.kinds import KINDS
from demos.sensitivity.layer import ALL, Params, error, summary
from demos.sensitivity.recorded import MAPPED, Map, Point
from scripts.made import made

THREADS = 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        found = recorded.faults()
        print(*found or ["sensitivity: whole"], sep="\n")
        return int(bool(found))
    import torch

    torch.set_num_threads(THREADS)
    began, points = time.monotonic(), list[Point]()
    for layer in (*expansion.NAMES, ALL):
        points += row(layer)
        print(f"{layer}: {points[-1]}, {time.monotonic() - began:.0f} s", flush=True)
    data = expansion.batches()
    before = expansion.measure(expansion.model(), data)
    recorded.write(
        Map(
            base=measured.base(),
            made=made("scripts/sensitivity.py", THREADS),
            seed=expansion.SEED,
            each=expansion.EACH,
            examples=len(expansion.examples()),
            tokens=expansion.tokens(data),
            loss=before.loss,
            exact=before.exact,
            points=tuple(points),
        )
    )
    return 0


def row(layer: str) -> list[Point]:
    """All types and blocks of one layer: their directions share one pass with a graph."""
    asked = [Params(layer, kind, block) for kind, block in itertools.product(KINDS, MAPPED)]
    directions = [error(layer, one.kind, one.block) for one in asked]
    loaded, data = expansion.model(), expansion.batches()
    before, terms = expansion.expand(loaded, data, directions)
    made_points = []
    for one, direction, term in zip(asked, directions, terms, strict=True):
        after = expansion.moved(loaded, data, direction)
        told = summary(one, direction, before, term, {1.0: after})
        made_points.append(
            Point(
                told.layer,
                told.kind,
                told.block,
                told.relative_error,
                told.change,
                told.first,
                told.second,
                told.curvature,
                told.exact_after,
            )
        )
    return made_points


if __name__ == "__main__":
    raise SystemExit(main())
