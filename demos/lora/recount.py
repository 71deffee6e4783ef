"""The LoRA calculator held against PEFT itself, live: the model is built on the meta device, without its weights.

What a test does for every model offered, a learner may do for the one at hand. Leaves out other methods (``checking``).
"""

from __future__ import annotations

from dataclasses import dataclass

from demos.lora import meta, parameters
from demos.lora.matching import match
from demos.lora.parameters import Params

__all__ = ["Params", "Result", "recount"]


@dataclass(frozen=True, slots=True)
class Result:
    """The calculator beside ``get_nb_trainable_parameters()``; PEFT's are zeros where it refuses the targets."""

    trainable: int
    peft_trainable: int
    total: int
    peft_total: int
    refused: bool
    equal: bool


def recount(params: Params) -> Result:
    """Count the calculator's own adapter with PEFT.

    Raises:
        ParamsError: sizes that do not make a model, no target names.
    """
    ours, architecture = parameters.count(params), parameters.resolve(params)
    targets = match(architecture, params.targets).targets
    try:
        theirs = meta.count(meta.model(architecture), targets, params.rank, params.bias)
    except ValueError:
        return Result(ours.trainable, 0, ours.total, 0, True, ours.level == "error")
    equal = ours.level != "error" and (ours.trainable, ours.total) == (theirs.trainable, theirs.total)
    return Result(ours.trainable, theirs.trainable, ours.total, theirs.total, False, equal)
