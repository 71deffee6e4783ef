"""``PYTHONPATH=. python scripts/measure_templates.py [--check]``: the bundled model asked in its own and other forms.

Writes content/measured/templates.json; with ``--check`` measures again and fails when the counts differ. Greedy, so no
seed: the questions are drawn by fixed ones (``demos.finetuning.evaluate.old_skills``). Leaves out what is shown of it.
"""

from __future__ import annotations

import dataclasses
import json
import sys

from demos.chat_templates import wrong
from demos.finetuning import base_model
from demos.finetuning.evaluate import EACH
from scripts.made import made


def main() -> int:
    """Measure and write, or measure and compare; the exit status."""
    ways = wrong.measure()
    for way, right in ways.items():
        print(f"{way:10} {sum(right.values()):4} {right}")
    if sys.argv[1:] == ["--check"]:
        return int(wrong.recorded().get("ways") != ways)
    record = {
        "version": wrong.VERSION,
        "base": base_model.fingerprint(),
        "seed": 0,
        "each": EACH,
        **dataclasses.asdict(made("scripts/measure_templates.py")),
        "ways": ways,
    }
    wrong.FILE.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
