"""What full fine-tuning of the bundled model really changed, content/measured/updates/: ΔW = W after − W before.

One run of ``demos.finetuning.run`` on the task of the shipped LoRA adapter: the singular values of ΔW for every linear
layer in float32, ΔW itself in float16 for four of them (all would be four megabytes). Torch-free until it is read.
Leaves out making it (``scripts/train_update.py``).
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from demos.finetuning import measured
from demos.finetuning.events import Score
from demos.finetuning.measured import Made
from demos.finetuning.spec import THREE_CURVES, RunSpec
from demos.params import ParamsError
from settings import ROOT

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = ROOT / "content" / "measured" / "updates" / "json-full"
WEIGHTS, MADE = "update.safetensors", "made.json"
SPEC: RunSpec = THREE_CURVES["full"]
"""Full fine-tuning at its own best learning rate; task, data, steps and seed are those of the shipped adapter."""
KINDS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
WHOLE = ((0, "q_proj"), (0, "v_proj"), (3, "q_proj"), (3, "v_proj"))
"""Layers whose ΔW is stored whole."""


@dataclass(frozen=True, slots=True)
class About:
    """How the update came about: exact match on held-out requests of its task before and after."""

    spec: RunSpec
    base: str  # base_model.fingerprint() of then
    made: Made
    before: Score
    after: Score


def place(layer: int, kind: str) -> str:
    """The full name of a linear layer of the bundled model."""
    block = "self_attn" if kind in KINDS[:4] else "mlp"
    return f"model.layers.{layer}.{block}.{kind}"


def singular(layer: int, kind: str) -> Tensor:
    """Singular values of ΔW, largest first: (min(outputs, inputs),), float32.

    Raises:
        ParamsError: the file is not there, or of another base model.
    """
    return _tensors()[f"{place(layer, kind)}.singular"]


def delta(layer: int, kind: str) -> Tensor | None:
    """ΔW (outputs, inputs) in float32, rounded to float16 once; None where it is not stored.

    Raises:
        ParamsError: the file is not there, or of another base model.
    """
    stored = _tensors().get(f"{place(layer, kind)}.delta")
    return None if stored is None else stored.float()


def about(folder: Path = FOLDER) -> About:
    """What made.json says.

    Raises:
        ParamsError: it is not there or not readable.
    """
    try:
        data = json.loads((folder / MADE).read_text(encoding="utf-8"))
        scores = {name: Score(**data[name]) for name in ("before", "after")}
        return About(RunSpec.from_json(data["spec"]), str(data["base"]), Made(**data["made"]), **scores)
    except (OSError, ValueError, TypeError, KeyError):
        raise ParamsError("Записи полного дообучения нет на месте: запустите scripts/train_update.py.") from None


def write(known: About, tensors: dict[str, Tensor], folder: Path = FOLDER) -> None:
    """Store both files."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / WEIGHTS).chmod(0o644)
    data = {**dataclasses.asdict(known), "spec": known.spec.to_json()}
    (folder / MADE).write_text(f"{json.dumps(data, ensure_ascii=False, indent=1)}\n", encoding="utf-8")


@cache
def _tensors() -> dict[str, Tensor]:
    from safetensors.torch import load_file

    if about().base != measured.base():
        raise ParamsError("Полное дообучение записано на другой базовой модели: запустите scripts/train_update.py.")
    try:
        return dict(load_file(FOLDER / WEIGHTS))
    except OSError:
        raise ParamsError("Записи полного дообучения нет на месте: запустите scripts/train_update.py.") from None
