"""``PYTHONPATH=. python scripts/measure_speed.py``: how fast the bundled model answers, content/measured/speed.json.

One thread, the processor's time: on an idle machine that is the time one waits, on a busy one the waiting for others is
left out. Every point is measured once a round, and of all rounds the fastest counts. Leaves out measuring a point
(``demos.inference.timing``).
"""

from __future__ import annotations

import argparse
import dataclasses
import time

from demos.finetuning import measured
from demos.inference import speed, timing
from demos.inference.speed import Point, Recording
from scripts.made import made


def main() -> int:
    """Measure everything; the exit status."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    best: dict[tuple[str, int, int, bool], Point] = {}
    for turn in range(arguments.rounds):
        for wanted in speed.wanted():
            best[wanted] = faster(best.get(wanted), measure(wanted), turn + 1)
        print(f"round {turn + 1} of {arguments.rounds}", flush=True)
    speed.write(Recording(measured.base(), made("scripts/measure_speed.py"), tuple(best.values())))
    return 0


def measure(wanted: tuple[str, int, int, bool]) -> Point:
    """One point, once."""
    form, batch, length, cache = wanted
    params = timing.Params(form=form, batch=batch, prompt=length, cache=cache, repeats=1)  # type: ignore[arg-type]
    got = timing.point(timing.opened(form), params, time.process_time)
    return Point(*wanted, got.first, got.each, got.rate, got.cache_bytes, got.weights, 1)


def faster(known: Point | None, now: Point, rounds: int) -> Point:
    """The best of both, time by time."""
    first, each = (min(getattr(one, name) for one in (known, now) if one) for name in ("first", "each"))
    first, each, rate = (float(f"{value:.4g}") for value in (first, each, now.batch / each))
    return dataclasses.replace(now, first=first, each=each, rate=rate, repeats=rounds)


if __name__ == "__main__":
    raise SystemExit(main())
