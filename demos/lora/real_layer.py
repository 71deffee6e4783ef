"""A layer of the bundled model and what was really trained beside it: W, the shipped adapter's A and B, full ΔW.

Leaves out what is done with them (``matrices``, ``inits``).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from demos.finetuning import base_model
from demos.finetuning.adapters import shipped
from demos.finetuning.adapters.container import AdapterError
from demos.lora.updates import place
from demos.params import ParamsError

if TYPE_CHECKING:
    from torch import Tensor

ADAPTER = "json"
"""The shipped adapter: the task, the data and the number of steps are those of the recorded full fine-tuning."""


def weight(layer: int, kind: str) -> Tensor:
    """W of a linear layer of the bundled model: (outputs, inputs), float32."""
    return _base()[f"{place(layer, kind)}.weight"]


def factors(layer: int, kind: str) -> tuple[Tensor, Tensor, float]:
    """A (rank, inputs), B (outputs, rank), both float32, and the alpha that they were trained with.

    Raises:
        ParamsError: the adapter is not there or belongs to another base model.
    """
    tensors, name = _adapter(), f"base_model.model.{place(layer, kind)}"
    a, b = (tensors[f"{name}.lora_{part}.weight"].float() for part in "AB")
    return a, b, shipped.SPECS[ADAPTER].alpha


@cache
def _base() -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return dict(load_file(base_model.FOLDER / "model.safetensors"))


@cache
def _adapter() -> dict[str, Tensor]:
    from safetensors.torch import load

    try:
        return dict(load(shipped.adapter(ADAPTER).weights))
    except AdapterError as error:
        raise ParamsError(str(error)) from None
