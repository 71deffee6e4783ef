"""``PYTHONPATH=. python scripts/train_adapters.py [NAME …]``: trains the adapters that the course ships.

Each run is one of ``demos.finetuning.run``, nothing special; then its weights are rounded to float16 and it is asked
again, so that what is claimed is what lies there. Leaves out which adapters there are
(``demos.finetuning.adapters.shipped``).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from demos.finetuning import evaluate, measured, statistics
from demos.finetuning.adapters import shipped
from demos.finetuning.adapters.files import CONFIG, WEIGHTS, open_adapter
from demos.finetuning.adapters.library import Shelf
from demos.finetuning.events import Finished, Score
from demos.finetuning.quantized import open_base
from demos.finetuning.run import run
from demos.finetuning.spec import RunSpec
from demos.finetuning.tasks import build
from scripts.made import made

NAMES = tuple(shipped.SPECS)


def main() -> int:
    """Train what was named, or everything; the exit status."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--folder", type=Path, default=shipped.FOLDER)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for name in arguments.names or NAMES:
        known = train(shipped.SPECS[name], arguments.folder / name, arguments.threads)
        print(f"{name}: {known.before.right} -> {known.after.right} of {known.after.of}, stored {known.stored.right}")
    return 0


def train(spec: RunSpec, place: Path, threads: int) -> shipped.Shipped:
    """One adapter from its recipe to its three files."""
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        *_, last = run(spec, folder=Path(folder))
        if not isinstance(last, Finished):
            sys.exit(f"{spec.title}: {last}")
        store(Path(folder) / "adapter", place)
    known = shipped.Shipped(
        spec, measured.base(), made("scripts/train_adapters.py", threads), last.before, last.after, _score(spec, place)
    )
    shipped.write(place, known)
    return known


def store(trained: Path, place: Path) -> None:
    """The config with its targets in order (PEFT writes a set), the weights rounded to float16."""
    import torch
    from safetensors.torch import load_file, save_file

    said = json.loads((trained / CONFIG).read_text(encoding="utf-8"))
    said["target_modules"].sort()
    (place / CONFIG).write_text(f"{json.dumps(said, indent=2)}\n", encoding="utf-8")
    weights = {name: tensor.to(torch.float16) for name, tensor in load_file(trained / WEIGHTS).items()}
    save_file(weights, place / WEIGHTS, metadata={"format": "pt"})
    (place / WEIGHTS).chmod(0o644)


def _score(spec: RunSpec, place: Path) -> Score:
    adapter = open_adapter((place / CONFIG).read_bytes(), (place / WEIGHTS).read_bytes())
    shelf = Shelf(open_base(spec), {"tuned": adapter})
    chats = build(spec.task).test[: spec.held_out]
    right = [chat[-1].content for chat in chats]
    most = evaluate.longest(shelf.base.tokenizer, right)
    said = shelf.answer("tuned", [chat[:-1] for chat in chats], most=most)
    return statistics.wilson(sum(map(evaluate.is_right, said, right)), len(right))


if __name__ == "__main__":
    raise SystemExit(main())
