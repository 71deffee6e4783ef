"""Every tensor that a model holds, by name, with what bitsandbytes keeps inside a quantized weight.

Names are those of ``state_dict``: ``weight`` (the packed codes), ``weight.absmax``, ``weight.quant_map`` and, after
double quantization, ``weight.nested_absmax`` and ``weight.nested_quant_map``; ``nested_offset`` lies in its JSON. What
several names share is counted once. Leaves out how the model came there (``layer_map``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

Role = Literal["weight", "constants", "embedding", "norm", "lora", "buffer"]
Change = Literal["same", "new", "cast", "requires_grad"]
ROLES: Mapping[Role, str] = MappingProxyType(
    {
        "weight": "веса линейных слоёв",
        "constants": "константы квантования",
        "embedding": "эмбеддинги и голова",
        "norm": "нормы",
        "lora": "LoRA",
        "buffer": "буферы",
    }
)
CONSTANTS = ("absmax", "quant_map", "nested_absmax", "nested_quant_map", "nested_offset", "SCB")


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor. ``was`` is its type at the stage before, empty where it did not change or is new."""

    name: str
    role: Role
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    requires_grad: bool
    change: Change = "same"
    was: str = ""
    was_bytes: int = 0


def look(model: Any) -> tuple[Tensor, ...]:
    """All tensors of a model in its own order: parameters with their insides, then buffers."""
    seen: set[int] = set()
    found = []
    for name, value, owner in _all(model):
        if value.data_ptr() in seen:
            continue
        seen.add(value.data_ptr())
        found.append(
            Tensor(
                name=plain(name),
                role=_role(plain(name), owner),
                shape=tuple(value.shape),
                dtype=str(value.dtype).removeprefix("torch."),
                bytes=value.numel() * value.element_size(),
                requires_grad=bool(value.requires_grad),
            )
        )
    return tuple(found)


def compare(now: tuple[Tensor, ...], before: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """``now`` with what changed since ``before``."""
    known = {tensor.name: tensor for tensor in before}
    return tuple(_against(tensor, known.get(tensor.name)) for tensor in now)


def plain(name: str) -> str:
    """A name as the base model has it: what peft puts around it is dropped."""
    return name.removeprefix("base_model.model.").replace(".base_layer.", ".")


def _against(now: Tensor, before: Tensor | None) -> Tensor:
    if before is None:
        return replace(now, change="new")
    if (now.dtype, now.shape) != (before.dtype, before.shape):
        return replace(now, change="cast", was=before.dtype, was_bytes=before.bytes)
    changed = now.requires_grad != before.requires_grad
    return replace(now, change="requires_grad" if changed else "same", was_bytes=before.bytes)


def _all(model: Any) -> Iterator[tuple[str, Any, str]]:
    """Name, tensor and the class of the module that owns it."""
    owners = {name: type(module).__name__ for name, module in model.named_modules()}
    for name, value in model.named_parameters():
        owner = owners[name.rpartition(".")[0]]
        yield name, value, owner
        for part, inside in _inside(value):
            yield f"{name}.{part}", inside, owner
    for name, value in model.named_buffers():
        yield name, value, "buffer"


def _inside(parameter: Any) -> Iterator[tuple[str, Any]]:
    """What bitsandbytes keeps beside the codes of a weight."""
    if getattr(parameter, "SCB", None) is not None:
        yield "SCB", parameter.SCB
    state = getattr(parameter, "quant_state", None)
    if state is None:
        return
    yield "absmax", state.absmax
    yield "quant_map", state.code
    if state.nested:
        yield "nested_absmax", state.state2.absmax
        yield "nested_quant_map", state.state2.code
        yield "nested_offset", state.offset


def _role(name: str, owner: str) -> Role:
    if ".lora_" in name:
        return "lora"
    if name.rpartition(".")[2] in CONSTANTS:
        return "constants"
    if owner == "buffer":
        return "buffer"
    if owner == "Embedding" or "lm_head" in name:
        return "embedding"
    return "norm" if "norm" in owner.lower() else "weight"
