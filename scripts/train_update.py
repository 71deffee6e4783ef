"""``PYTHONPATH=. python scripts/train_update.py``: fine-tunes the bundled model in full, stores what changed in it.

The run is one of ``demos.finetuning.run``, nothing special; the update is the trained weights minus the base's. Leaves
out reading it (``demos.lora.updates``).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from demos.finetuning import base_model, measured
from demos.finetuning.events import Finished
from demos.finetuning.run import run
from demos.lora import updates
from demos.lora.updates import KINDS, SPEC, WHOLE, place
from scripts.made import made

if TYPE_CHECKING:
    from torch import Tensor


def main() -> int:
    """Train, subtract, store; the exit status."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=updates.FOLDER)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        *_, last = run(SPEC, folder=Path(folder))
        if not isinstance(last, Finished):
            sys.exit(f"{SPEC.title}: {last}")
        tensors = changed(Path(folder) / "model")
    known = updates.About(
        SPEC, measured.base(), made("scripts/train_update.py", arguments.threads), last.before, last.after
    )
    updates.write(known, tensors, arguments.folder)
    print(f"{SPEC.title}: {last.before.right} -> {last.after.right} of {last.after.of}")
    return 0


def changed(trained: Path) -> dict[str, Tensor]:
    """Singular values of every layer's ΔW, and four of the matrices themselves."""
    import torch

    before, after = base_model.load(), base_model.load(trained)
    tensors = {}
    for layer in range(before.config.num_hidden_layers):
        for kind in KINDS:
            name = place(layer, kind)
            delta = (after.get_submodule(name).weight - before.get_submodule(name).weight).detach()  # (out, in)
            tensors[f"{name}.singular"] = torch.linalg.svdvals(delta.double()).float()
            if (layer, kind) in WHOLE:
                tensors[f"{name}.delta"] = delta.to(torch.float16)
    return tensors


if __name__ == "__main__":
    raise SystemExit(main())
