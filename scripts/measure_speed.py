"""``PYTHONPATH=. python scripts/measure_speed.py``: how fast the bundled model answers, content/measured/speed.json.

One thread, the median of several repeats; points of one kind are taken in turn over the forms, so that a busy moment of
the machine does not fall on one form. Leaves out measuring a point (``demos.inference.timing``).
"""

from __future__ import annotations

import argparse

from demos.finetuning import measured
from demos.inference import speed, timing
from demos.inference.speed import Point, Recording
from scripts.made import made


def main() -> int:
    """Measure everything; the exit status."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    points = {}
    for form, batch, length, cache in sorted(speed.wanted(), key=lambda point: point[1:]):
        params = timing.Params(form=form, batch=batch, prompt=length, cache=cache, repeats=arguments.repeats)  # type: ignore[arg-type]
        got = timing.point(timing.opened(form), params)
        seconds = (float(f"{value:.4g}") for value in (got.first, got.each, got.rate))
        points[form, batch, length, cache] = Point(
            form, batch, length, cache, *seconds, got.cache_bytes, got.weights, got.repeats
        )
        print(f"{form:9} batch {batch:2} prompt {length:3} cache {cache!s:5} {got.rate:7.1f} tokens/s", flush=True)
    found = tuple(points[point] for point in speed.wanted())
    speed.write(Recording(measured.base(), made("scripts/measure_speed.py"), found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
