"""What an adapter file is: opened from bytes, checked against the base layer by layer, described tensor by tensor.

Never pickle, no code, no path or address followed. Works on numbers alone and imports no torch; still, whoever opens a
stranger's file does so in a process that may be killed. Leaves out putting it on a model (``library``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from demos.finetuning import base_model
from demos.finetuning.adapters import config, expected
from demos.finetuning.adapters.config import Config
from demos.finetuning.adapters.container import BYTES, NAMES, AdapterError, Stored, plain_json, read, short

if TYPE_CHECKING:
    import numpy as np

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."


@dataclass(frozen=True, slots=True)
class Piece:
    """One tensor of the file. ``layer`` is empty where a tensor belongs to no single layer."""

    name: str
    layer: str
    part: str
    shape: tuple[int, ...]
    dtype: str
    parameters: int
    bytes: int
    norm: float  # Frobenius


@dataclass(frozen=True, slots=True)
class Kind:
    """All layers with one name, over the blocks: «q_proj»."""

    name: str
    layers: int
    parameters: int
    bytes: int
    update: float  # mean over the layers of ‖s·B A‖ / ‖W‖; 0 where it has no B A


@dataclass(frozen=True, slots=True)
class Description:
    """What the file holds. Sizes in bytes."""

    method: str
    rank: int
    alpha: float
    scale: float
    targets: tuple[str, ...]
    plain_lora: bool  # can be blended and share a batch
    merges: bool  # can be merged into the weights
    parameters: int
    share: float  # of the base's parameters
    weights_bytes: int
    header_bytes: int
    config_bytes: int
    kinds: tuple[Kind, ...]
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Adapter:
    """A checked adapter: safe to hand to PEFT."""

    config: Config
    weights: bytes  # the safetensors file
    tensors: tuple[Stored, ...]
    config_bytes: int

    @property
    def merges(self) -> bool:
        """Whether it can be merged into the weights: virtual tokens are not weights."""
        return self.config.peft_type not in config.VIRTUAL


def open_adapter(config_file: bytes, weights_file: bytes, base: Path = base_model.FOLDER) -> Adapter:
    """The adapter in these two files, checked against the base model of a folder.

    Raises:
        AdapterError: something is wrong with the files, or they belong to another base.
    """
    said = config.read(config_file)
    tensors = read(weights_file)
    wanted = expected.shapes(said, base_shapes(base))
    _compare({one.name: one.shape for one in tensors}, wanted)
    for one in tensors:
        if not _finite(weights_file, one):
            raise AdapterError(
                f"В тензоре {short(one.name)} есть NaN или бесконечность: обучение разошлось — "
                "возьмите другой запуск или уменьшите скорость обучения."
            )
    return Adapter(said, weights_file, tensors, len(config_file))


def describe(adapter: Adapter, base: Path = base_model.FOLDER) -> Description:
    """Tensors, shapes, types and bytes of a checked adapter, with the size of what it adds to each kind of layer."""
    pieces = tuple(_piece(adapter, one) for one in sorted(adapter.tensors, key=lambda one: _order(one.name)))
    total = sum(piece.parameters for piece in pieces)
    said, weights = adapter.config, adapter.weights
    return Description(
        method=said.title,
        rank=said.rank,
        alpha=said.alpha,
        scale=said.scale,
        targets=said.targets,
        plain_lora=said.plain_lora,
        merges=adapter.merges,
        parameters=total,
        share=total / sum(math.prod(shape) for shape in base_shapes(base).values()),
        weights_bytes=len(weights),
        header_bytes=8 + int.from_bytes(weights[:8], "little"),
        config_bytes=adapter.config_bytes,
        kinds=_kinds(adapter, pieces, base),
        pieces=pieces,
    )


@cache
def base_shapes(base: Path = base_model.FOLDER) -> Mapping[str, tuple[int, ...]]:
    """Shapes of the base's weights by name, from the header of its file. We wrote that file: no checks."""
    with (base / "model.safetensors").open("rb") as file:
        header = plain_json(file.read(int.from_bytes(file.read(8), "little")), "model.safetensors")
    return {name: tuple(said["shape"]) for name, said in header.items() if name != "__metadata__"}


def array(content: bytes, one: Stored) -> np.ndarray:
    """The numbers of a tensor in float32."""
    import numpy as np

    raw = content[one.start : one.end]
    if one.dtype == "BF16":  # the upper half of a float32
        numbers = (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
    else:
        numbers = np.frombuffer(raw, {"F32": "<f4", "F16": "<f2"}[one.dtype]).astype("<f4")
    return numbers.reshape(one.shape)


def _compare(found: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]) -> None:
    for name in found:
        if name not in wanted:
            raise AdapterError(
                f"В файле есть тензор {_short(name)}, которому в базовой модели курса нет места: "
                "адаптер обучен на другой модели или описание не от него."
            )
    for name, shape in wanted.items():
        if name not in found:
            raise AdapterError(f"В файле нет тензора {_short(name)}, который обещает описание: файл неполный.")
        if found[name] != shape:
            raise AdapterError(
                f"Тензор {_short(name)}: форма {_shape(found[name])}, а базе и описанию подходит {_shape(shape)} — "
                "адаптер от другой модели или с другим рангом."
            )


def _finite(content: bytes, one: Stored) -> bool:
    import numpy as np

    with np.errstate(all="ignore"):
        return bool(np.isfinite(array(content, one)).all())


def _piece(adapter: Adapter, one: Stored) -> Piece:
    import numpy as np

    layer, part = expected.place(one.name)
    count = math.prod(one.shape)
    norm = float(np.linalg.norm(array(adapter.weights, one)))
    return Piece(_short(one.name), layer, part, one.shape, NAMES[one.dtype], count, count * BYTES[one.dtype], norm)


def _kinds(adapter: Adapter, pieces: tuple[Piece, ...], base: Path) -> tuple[Kind, ...]:
    grouped: dict[str, list[Piece]] = {}
    for piece in pieces:
        grouped.setdefault(piece.layer.rpartition(".")[2], []).append(piece)
    return tuple(
        Kind(
            name,
            len({piece.layer for piece in of}),
            sum(piece.parameters for piece in of),
            sum(piece.bytes for piece in of),
            _update(adapter, {piece.layer for piece in of}, base),
        )
        for name, of in grouped.items()
    )


def _update(adapter: Adapter, layers: set[str], base: Path) -> float:
    import numpy as np

    if adapter.config.peft_type != "LORA" or adapter.config.pissa:
        return 0.0
    by_name = {one.name: one for one in adapter.tensors}
    norms = _base_norms(base)
    sizes = []
    for layer in layers:
        a, b = (by_name.get(f"{PREFIX}{layer}.lora_{letter}.weight") for letter in "AB")
        if a is not None and b is not None:
            scale = expected.scale(adapter.config, layer)
            product = scale * (array(adapter.weights, b) @ array(adapter.weights, a))
            sizes.append(float(np.linalg.norm(product)) / norms[layer])
    return sum(sizes) / len(sizes) if sizes else 0.0


@cache
def _base_norms(base: Path) -> Mapping[str, float]:
    """Frobenius norm of each weight matrix of the base, by its layer's name."""
    import numpy as np

    content = (base / "model.safetensors").read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    header = plain_json(content[8:begin], "model.safetensors")
    header.pop("__metadata__", None)
    stored = (
        Stored(name, said["dtype"], tuple(said["shape"]), *(begin + place for place in said["data_offsets"]))
        for name, said in header.items()
    )
    return {one.name.removesuffix(".weight"): float(np.linalg.norm(array(content, one))) for one in stored}


def _order(name: str) -> tuple[object, ...]:
    """By block, then by name: «layers.10» comes after «layers.9»."""
    return tuple(f"{int(part):06}" if part.isdecimal() else part for part in name.split("."))


def _short(name: str) -> str:
    return short(name.removeprefix(PREFIX).removeprefix("model."))


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
