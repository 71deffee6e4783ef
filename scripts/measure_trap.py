"""``PYTHONPATH=. python scripts/measure_trap.py``: how an evaluation spoils QLoRA on AVX512-BF16, trap.json.

Two runs of sixty steps, half a minute. Refuses where the processor cannot show it.
"""

from __future__ import annotations

import argparse
import sys
from statistics import fmean

from demos.quantization import trap
from demos.quantization.trap import EVERY, STEPS, Point
from scripts.made import made

LAST = 10
"""Steps whose loss is averaged."""


def main() -> int:
    """Train both and store; the exit status."""
    import torch
    from bitsandbytes.functional import has_avx512bf16

    argparse.ArgumentParser(description=__doc__).parse_args()
    if not has_avx512bf16():
        print("this processor has no AVX512-BF16: nothing to measure", file=sys.stderr)
        return 1
    torch.set_num_threads(1)
    plain, evaluated = trap.losses(evaluations=False), trap.losses(evaluations=True)
    points = tuple(
        Point(step, *(round(fmean(told[step - LAST : step]), 4) for told in (plain, evaluated)))
        for step in range(EVERY, STEPS + 1, EVERY)
    )
    print(*points, sep="\n")
    trap.write(points, made("scripts/measure_trap.py"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
