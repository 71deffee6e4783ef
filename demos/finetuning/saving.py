"""What a run leaves behind: the adapter or the whole model, and the data it was trained on.

An adapter names its base by the place it has in the course, never by a path of this machine. PiSSA's is saved as a
plain LoRA of twice the rank, which fits the base as it was. Leaves out opening them
again (``adapters``).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demos.finetuning import bottleneck
from demos.finetuning.quantized import Base
from demos.finetuning.spec import COURSE_BASE, RunSpec
from demos.finetuning.training import START

if TYPE_CHECKING:
    from demos.finetuning.session import Examples
    from demos.finetuning.skills import Message

ADAPTER, MODEL, DATA = "adapter", "model", "data"
COURSE_PLACE = "content/model"


def save(spec: RunSpec, base: Base, trainer: Any, examples: Examples, folder: Path) -> int:
    """Write adapter/ or model/ and data/ into ``folder``; the bytes of the weights."""
    place = folder / (MODEL if spec.method == "full" else ADAPTER)
    model = trainer.model
    if spec.method == "bottleneck":
        bottleneck.save(model, place, spec.bottleneck)
    elif spec.method == "full":
        model.save_pretrained(place)
        base.tokenizer.save_pretrained(place)
    else:
        _name(model, COURSE_PLACE if spec.base == COURSE_BASE else spec.base)
        start = str(Path(trainer.args.output_dir) / START) if spec.method == "pissa" else None
        with warnings.catch_warnings():
            if spec.method == "adalora":  # it may prune a layer's rank to zero: that is its work, no broken file
                warnings.filterwarnings("ignore", message="Adapter .* LoRA tensor.* invalid shape")
            model.save_pretrained(
                str(place), save_embedding_layers=False, path_initial_model_for_weight_conversion=start
            )
    for name in ("train", "validation", "test"):
        write(getattr(examples, name), folder / DATA / f"{name}.jsonl")
    return sum(path.stat().st_size for path in place.glob("*.safetensors"))


def _name(model: Any, base: str) -> None:
    """Call the base so wherever peft would write the folder it was loaded from: in the config and in the README."""
    model.peft_config["default"].base_model_name_or_path = base
    model.config._name_or_path = model.get_base_model().name_or_path = base


def write(chats: Sequence[Sequence[Message]], path: Path) -> None:
    """Chats as JSON Lines with a field «messages», as trl and the recipe read them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = ({"messages": [{"role": item.role, "content": item.content} for item in chat]} for chat in chats)
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
