"""Real merged models, by PEFT: what ``weights`` says in matrices, as a model that answers.

Leaves out asking (``answers``, ``scripts/measure_merging.py``).
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from demos.finetuning.adapters import merging
from demos.finetuning.adapters.files import Adapter
from demos.finetuning.adapters.library import Shelf
from demos.finetuning.quantized import Base, open_base, quiet, repair
from demos.finetuning.spec import RunSpec
from demos.merging.weights import FOUR_BITS, Way

PLAIN, LOW = RunSpec(quantization="none"), RunSpec(quantization="nf4")
NAME = "tuned"


def beside(adapter: Adapter, spec: RunSpec, strength: float = 1.0) -> Shelf:
    """The tuned model: the adapter at this strength beside the base of ``spec``."""
    return _scaled(Shelf(open_base(spec), {NAME: adapter}), strength)


def base_of(way: Way) -> Base:
    """What an adapter is merged into."""
    if way == "bfloat16" or way == "float16":  # noqa: PLR1714 - so the type checker sees which
        return open_base(dataclasses.replace(PLAIN, dtype=way))
    if way == "dequantized":
        return merging.dequantized(open_base(LOW), open_base(PLAIN))
    return open_base(LOW if way == "nf4" else PLAIN)


def beside_on(adapter: Adapter, way: Way, strength: float = 1.0) -> Shelf:
    """The adapter beside what ``way`` merges it into."""
    return _scaled(Shelf(base_of(way), {NAME: adapter}), strength)


def merged(adapter: Adapter, way: Way, strength: float = 1.0) -> Base:
    """The merged model, without PEFT."""
    shelf = beside_on(adapter, way, strength)
    with quiet_merging():
        done = merging.into_weights(shelf)
    if way == "after":
        done = _quantized(done)
    if way in FOUR_BITS:
        repair(done.model)
    return done


@contextmanager
def quiet_merging() -> Iterator[None]:
    """Merging without PEFT's warning that it rounds: that is what is measured."""
    with quiet():
        warnings.filterwarnings("ignore", message=".*lora module to 4-bit linear")
        yield


def _scaled(shelf: Shelf, strength: float) -> Shelf:
    from peft.tuners.lora import LoraLayer

    for module in shelf.model.modules():
        if isinstance(module, LoraLayer):
            module.scaling[NAME] *= strength
    return shelf


def _quantized(whole: Base) -> Base:
    """A model merged in float32, its layers quantized as those of a 4-bit base."""
    from bitsandbytes.nn import Linear4bit, Params4bit

    low = open_base(LOW)
    for name, layer in low.model.named_modules():
        if isinstance(layer, Linear4bit):
            weight: Any = whole.model.get_submodule(name).weight.data  # (outputs, inputs)
            layer.weight = Params4bit(weight, requires_grad=False, quant_type="nf4", compress_statistics=True).to("cpu")
    return low
