"""A LoRA adapter looked through and shrunk: the singular values of every s·B A, and the best update of a lower rank.

By the theorem of Eckart and Young (1936) no matrix of rank k is nearer to s·B A than its first k singular directions.
B A is never multiplied out: QR of B and of Aᵀ leaves an r × r matrix with the same singular values. What is kept may be
stored in 16 bits. Leaves out methods that are no plain B A (DoRA scales columns, VeRA shares its matrices).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from demos.finetuning import evaluate
from demos.finetuning.adapters import expected, merging, opening, store
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.files import CONFIG, PREFIX, WEIGHTS, Adapter, array, open_adapter
from demos.finetuning.adapters.library import Shelf
from demos.finetuning.quantized import open_base
from demos.finetuning.spec import RunSpec
from demos.params import Checked, parameter

if TYPE_CHECKING:
    import numpy as np

REQUESTS = 24
"""Held-out requests that the adapter answers before and after."""
ENOUGH = 0.9
"""Share of the squared length for which directions are counted."""
ONLY_LORA = "Сжать так можно только обычную LoRA: у этого метода поправка — не просто произведение B и A."


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's update: singular values of s·B A, the largest first."""

    name: str
    values: tuple[float, ...]

    def kept(self, rank: int) -> float:
        """Share of the squared length ‖s·B A‖² that the first ``rank`` directions hold, 0 to 1."""
        whole = sum(value**2 for value in self.values)
        return sum(value**2 for value in self.values[:rank]) / whole if whole else 1.0

    @property
    def enough(self) -> int:
        """How many directions hold nine tenths."""
        return next(rank for rank in range(1, len(self.values) + 1) if self.kept(rank) >= ENOUGH - 1e-12)


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Every layer in the order of the model; or a sentence why there is nothing to see."""

    problem: str = ""
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which adapter, what is kept of it, and how the answers are compared."""

    adapter: str = parameter("", "Адаптер")
    rank: int = parameter(2, "Оставить направлений (ранг)", low=1, high=256)
    dtype: Literal["float32", "float16"] = parameter("float16", "Тип чисел", choices=("float32", "float16"))
    quantization: Literal["none", "nf4", "fp4"] = parameter("none", "Квантование базы", choices=("none", "nf4", "fp4"))
    double_quantization: bool = parameter(True, "Двойное квантование")
    task: str = parameter("", "Задача", note="чьи запросы задать; пусто — запросы базовой модели")


@dataclass(frozen=True, slots=True)
class Result:
    """The adapter before and after. ``adapter`` names the shrunk one's files; ``problem`` says why there is none."""

    problem: str = ""
    rank: int = 0
    kept: float = 0.0  # mean over the layers of the share of ‖s·B A‖² that is left
    bytes_before: int = 0  # of the weights' file
    bytes_after: int = 0
    requests: int = 0
    right_before: int = 0
    right_after: int = 0
    same: int = 0  # answers that are letter for letter the same
    adapter: str = ""


def look(params: opening.Params) -> Spectrum:
    """Singular values of every layer's update."""
    try:
        return Spectrum(layers=layers(_plain(store.adapter(params.adapter))))
    except AdapterError as problem:
        return Spectrum(problem=str(problem))


def shrink(params: Params) -> Result:
    """Cut every update to its first directions, keep the file, and ask both adapters the same."""
    try:
        adapter = _plain(store.adapter(params.adapter))
        config, weights = cut(adapter, params.rank, params.dtype)
        name = store.put({CONFIG: config, WEIGHTS: weights})
        small = open_adapter(config, weights)
    except AdapterError as problem:
        return Result(problem=str(problem))
    spec = RunSpec(quantization=params.quantization, double_quantization=params.double_quantization)
    asked = merging.requests(params.task, REQUESTS)
    shelf = Shelf(open_base(spec), {"whole": adapter, "small": small})
    most = evaluate.longest(shelf.base.tokenizer, asked.right)
    before, after = (shelf.answer(one, asked.prompts, most=most) for one in shelf.names)
    found = layers(adapter)
    return Result(
        rank=small.config.rank,
        kept=sum(layer.kept(params.rank) for layer in found) / len(found),
        bytes_before=len(adapter.weights),
        bytes_after=len(weights),
        requests=len(asked.prompts),
        right_before=merging.right(before, asked),
        right_after=merging.right(after, asked),
        same=sum(one == other for one, other in zip(before, after, strict=True)),
        adapter=name,
    )


def layers(adapter: Adapter) -> tuple[Layer, ...]:
    """Singular values of every s·B A of a plain LoRA adapter."""
    return tuple(Layer(name, tuple(map(float, _factored(*pair)[1]))) for name, pair in _pairs(adapter).items())


def cut(adapter: Adapter, rank: int, dtype: str = "float16") -> tuple[bytes, bytes]:
    """Config and weights of the nearest adapter of ``rank`` at most; its α equals its r, so that s is 1.

    Each new factor takes the root of the singular values: B' = Q_B U √S, A' = √S Vᵀ Q_Aᵀ.
    """
    import numpy as np
    from safetensors.numpy import save

    pairs = _pairs(adapter)
    kept = min(rank, max(a.shape[0] for _, a in pairs.values()))
    tensors: dict[str, np.ndarray] = {}
    for name, (b, a) in pairs.items():
        left, values, right = _factored(b, a)
        root = np.zeros(kept, "<f4")
        root[: len(values)] = np.sqrt(values[:kept])
        narrow = len(values[:kept])
        outer, inner = np.zeros((b.shape[0], kept), "<f4"), np.zeros((kept, a.shape[1]), "<f4")
        outer[:, :narrow] = left[:, :narrow] * root[:narrow]  # (outputs, kept)
        inner[:narrow] = root[:narrow, None] * right[:narrow]  # (kept, inputs)
        tensors[f"{PREFIX}{name}.lora_B.weight"] = outer.astype(dtype)
        tensors[f"{PREFIX}{name}.lora_A.weight"] = inner.astype(dtype)
    return _config(adapter, kept), save(tensors)


def _plain(adapter: Adapter) -> Adapter:
    if not adapter.config.plain_lora or adapter.config.pissa:
        raise AdapterError(ONLY_LORA)
    return adapter


def _config(adapter: Adapter, rank: int) -> bytes:
    said = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "inference_mode": True,
        "r": rank,
        "lora_alpha": rank,
        "target_modules": list(adapter.config.targets),
    }
    return json.dumps(said, indent=2).encode()


def _pairs(adapter: Adapter) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """s·B (outputs, r) and A (r, inputs) of every layer, in the order of the file's names."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for one in adapter.tensors:
        layer, part = expected.place(one.name)
        if part in ("lora_A", "lora_B"):
            found.setdefault(layer, {})[part] = array(adapter.weights, one)
    return {
        layer: (expected.scale(adapter.config, layer) * parts["lora_B"], parts["lora_A"])
        for layer, parts in sorted(found.items())
    }


def _factored(b: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The singular value decomposition of B A: (outputs, r), (r,), (r, inputs)."""
    import numpy as np

    left, first = np.linalg.qr(b.astype("<f8"))  # (outputs, r), (r, r)
    right, second = np.linalg.qr(a.T.astype("<f8"))  # (inputs, r), (r, r)
    u, values, v = np.linalg.svd(first @ second.T)
    return left @ u, values, v @ right.T
