"""Bottleneck adapters as Houlsby et al. (2019) drew them, written by us: PEFT has none.

After attention and after the MLP of every block, before the residual addition: down to a few numbers, GELU, up again,
added to what came in. «Up» starts at zero, so the model is unchanged at first. Saved as safetensors and JSON, a format
of our own. Leaves out merging: there is a nonlinearity inside, so nothing can be merged into the weights — that is
what LoRA changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demos.params import ParamsError

if TYPE_CHECKING:
    from torch import nn

AFTER = ("o_proj", "down_proj", "c_proj", "out_proj", "fc2", "dense", "dense_4h_to_h")
"""Last layers of attention and MLP in the families we know: an insert stands behind each."""
WEIGHTS, CONFIG = "bottleneck.safetensors", "bottleneck.json"


def insert(model: Any, width: int) -> None:
    """Freeze ``model`` and put inserts of ``width`` numbers behind every attention and MLP.

    Raises:
        ParamsError: none of the layers' names is known.
    """
    import torch

    model.requires_grad_(False)
    found = [name for name, _ in model.named_modules() if name.rpartition(".")[2] in AFTER]
    if not found:
        raise ParamsError("В этой модели не нашлось места для вставок: имена её слоёв курсу незнакомы. Выберите LoRA.")
    for name in found:
        parent, _, leaf = name.rpartition(".")
        owner, layer = model.get_submodule(parent), model.get_submodule(name)
        setattr(owner, leaf, _wrap(layer, _outputs(layer), width, torch.float32, next(layer.parameters()).device))
    # transformers trains a quantized model only when it is told that something unquantized was put in
    model._hf_peft_config_loaded = True


def places(model: Any) -> tuple[str, ...]:
    """The last part of each name behind which an insert stands or would stand."""
    ends = (name.rpartition(".")[2] for name, _ in model.named_modules())
    return tuple(dict.fromkeys(end for end in ends if end in AFTER))


def inserts(model: Any) -> dict[str, Any]:
    """Every insert by the name of the layer behind which it stands."""
    return {name: module for name, module in model.named_modules() if getattr(module, "is_bottleneck", False)}


@contextmanager
def off(model: Any) -> Iterator[None]:
    """The model without its inserts."""
    found = inserts(model).values()
    for module in found:
        module.enabled = False
    try:
        yield
    finally:
        for module in found:
            module.enabled = True


def save(model: Any, folder: Path, width: int) -> None:
    """Write the inserts alone."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{name}.{part}.{kind}": getattr(getattr(module, part), kind).detach().contiguous()
        for name, module in inserts(model).items()
        for part in ("down", "up")
        for kind in ("weight", "bias")
    }
    save_file(tensors, folder / WEIGHTS)
    about = {"kind": "bottleneck", "width": width, "activation": "gelu", "after": sorted(inserts(model))}
    (folder / CONFIG).write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n")


def load(model: Any, folder: Path) -> None:
    """Put saved inserts into a base model.

    Raises:
        ParamsError: they were made for another model.
    """
    from safetensors.torch import load_file

    insert(model, json.loads((folder / CONFIG).read_text())["width"])
    tensors = load_file(folder / WEIGHTS)
    names = {
        f"{name}.{part}.{kind}" for name in inserts(model) for part in ("down", "up") for kind in ("weight", "bias")
    }
    if tensors.keys() != names:
        raise ParamsError("Эти вставки сделаны для другой модели: имена слоёв не совпадают.")
    model.load_state_dict(tensors, strict=False)


def _outputs(layer: Any) -> int:
    """Numbers that come out of a linear layer (a GPT-2 ``Conv1D`` calls them nf)."""
    return int(getattr(layer, "out_features", None) or layer.nf)


def _wrap(layer: Any, size: int, width: int, dtype: Any, device: Any) -> nn.Module:
    import torch
    from torch import nn

    class Bottleneck(nn.Module):
        """y = h + up(GELU(down(h))), where h is what the frozen layer says; (…, size) → (…, size)."""

        is_bottleneck = True

        def __init__(self) -> None:
            super().__init__()
            self.base = layer
            self.down = nn.Linear(size, width, dtype=dtype, device=device)
            self.up = nn.Linear(width, size, dtype=dtype, device=device)
            nn.init.zeros_(self.up.weight)
            nn.init.zeros_(self.up.bias)
            self.enabled = True

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            """(…, inputs) → (…, size)."""
            h: torch.Tensor = self.base(x)  # (…, size)
            if not self.enabled:
                return h
            inner = nn.functional.gelu(self.down(h.to(dtype)))  # (…, width)
            added: torch.Tensor = self.up(inner).to(h.dtype)
            return h + added

    return Bottleneck()
