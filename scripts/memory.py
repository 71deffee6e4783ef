"""``PYTHONPATH=. python scripts/memory.py``: counts every point of the memory calculator, content/measured/memory.json.

Takes under a minute on one core. Random weights and tokens from seed 0: bytes do not depend on either.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version

from demos.memory import points

LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes")
MOST = 0.02
"""The largest difference that the page may promise."""


def main() -> int:
    """Count, compare, write; 1 when a part is further off than promised."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    counts = {point.id: points.measure(point) for point in points.POINTS}
    data = {
        "script": "scripts/memory.py",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": 0,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        "points": counts,
        "large": {model: points.imagine(model) for model in points.LARGE},
    }
    points.FILE.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    points.recorded.cache_clear()
    for point in (*points.recorded().points, *points.recorded().large):
        print(point.title, *(f"{row.part} {row.difference:+.3%}" for row in point.rows), sep=" | ")
    return int(points.recorded().worst > MOST)


if __name__ == "__main__":
    sys.exit(main())
