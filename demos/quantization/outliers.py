"""LLM.int8(): a few columns of the activations are huge, and splitting them off saves the product.

Activations are those of the course's model on a phrase, taken at the input of the chosen layer; the outlier columns
are planted (the same sign for every token, as the paper found them in large models) and say so. The products are
bitsandbytes' own ``int8_vectorwise_quant`` and ``int8_mixed_scaled_mm``. Source: arXiv 2208.07339, threshold 6.
Leaves out speed: that takes a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos.params import Checked, ParamsError, nearest, parameter
from demos.quantization.errors import Errors, measure
from demos.quantization.weights import model_tensors

if TYPE_CHECKING:
    from torch import Tensor

PHRASE = "переведи: большая кошка видит дом"
THRESHOLDS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0, 100.0)


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """The layer, the planted columns and the threshold; 0 splits nothing off."""

    layer: str = parameter("model.layers.2.mlp.gate_proj", "Слой")
    planted: int = parameter(4, "Столбцов с выбросами", low=0, high=32)
    size: float = parameter(40, "Размер выброса", low=1, high=100)
    threshold: float = parameter(6, "Порог", low=0, high=100, note="0 — ничего не отделять. В статье 6.")
    phrase: str = parameter(PHRASE, "Фраза", longest=200)
    seed: int = parameter(0, "Зерно", low=0, high=2**31)


@dataclass(frozen=True, slots=True)
class Point:
    """One threshold: columns split off, error of the product."""

    threshold: float
    columns: int
    relative: float


@dataclass(frozen=True, slots=True)
class Result:
    """The product X Wᵀ in 8 bits against float32, with all columns together and with large ones split off."""

    layer: str
    tokens: int
    features: int
    outputs: int
    threshold: float
    planted: tuple[int, ...]  # columns
    natural: float  # the largest activation before planting
    columns: tuple[float, ...]  # the largest |x| of each
    split: tuple[int, ...]  # columns above the threshold
    plain: Errors  # all in 8 bits
    mixed: Errors  # with the split
    weights: Errors  # of the restored weights alone: what no split repairs
    curve: tuple[Point, ...]


def outliers(params: Params) -> Result:
    """Multiply in 8 bits, with and without the split.

    Raises:
        ParamsError: no such layer, no phrase, more planted columns than the layer has.
    """
    found, weight = _activations(params)
    natural = float(found.abs().max())
    x, planted = _plant(found, params)
    exact = (x.double() @ weight.double().T).flatten()  # (tokens · outputs,)
    products = {threshold: _product(x, weight, threshold) for threshold in {*THRESHOLDS, params.threshold}}
    errors = {threshold: measure(exact, product.flatten()) for threshold, (product, _) in products.items()}
    return Result(
        layer=params.layer,
        tokens=len(x),
        features=x.shape[1],
        outputs=len(weight),
        threshold=params.threshold,
        planted=planted,
        natural=natural,
        columns=tuple(x.abs().amax(0).tolist()),
        split=products[params.threshold][1],
        plain=errors[0.0],
        mixed=errors[params.threshold],
        weights=measure(exact, (x @ _restored(weight).T).flatten()),
        curve=tuple(Point(t, len(products[t][1]), errors[t].relative) for t in sorted(products) if t),
    )


def layers() -> tuple[str, ...]:
    """The linear layers of the course's model."""
    return tuple(one.name.removesuffix(".weight") for one in model_tensors() if "_proj." in one.name)


def _activations(params: Params) -> tuple[Tensor, Tensor]:
    """What comes into the layer (tokens, features) and its weight (outputs, features), float32."""
    if params.layer not in layers():
        raise ParamsError(f"Слой: нет слоя «{params.layer[:60]}»{nearest(params.layer, layers())}.")
    if not params.phrase:
        raise ParamsError("Фраза: впишите несколько слов, чтобы модели было что читать.")
    import torch

    from demos.finetuning import base_model
    from demos.finetuning.quantized import quiet

    kept: list[Tensor] = []
    with quiet():
        model = base_model.load()
    layer = model.get_submodule(params.layer)
    layer.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0][0]))
    ids = base_model.tokenizer()(f"<|user|>{params.phrase}<|end|><|assistant|>", return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        model(input_ids=ids)
    return kept[0].clone(), layer.weight.detach().clone()


def _plant(found: Tensor, params: Params) -> tuple[Tensor, tuple[int, ...]]:
    """Large columns in random places: the same number for every token, plus what was there."""
    import torch

    generator = torch.Generator().manual_seed(params.seed)
    places = torch.randperm(found.shape[1], generator=generator)[: params.planted]
    signs = torch.randint(0, 2, (len(places),), generator=generator) * 2.0 - 1
    x = found.clone()
    x[:, places] += signs * params.size
    return x, tuple(sorted(places.tolist()))


def _product(x: Tensor, weight: Tensor, threshold: float) -> tuple[Tensor, tuple[int, ...]]:
    """X Wᵀ (tokens, outputs) as ``Linear8bitLt`` computes it, and the columns that went separately."""
    from bitsandbytes.functional import int8_vectorwise_quant
    from torch import ops

    codes, rows, columns = int8_vectorwise_quant(x.clone(), threshold)
    weight_codes, outputs, _ = int8_vectorwise_quant(weight.clone())
    product, _ = ops.bitsandbytes.int8_mixed_scaled_mm(x, codes, weight_codes, rows, outputs, columns)
    return product, () if columns is None else tuple(columns.tolist())


def _restored(weight: Tensor) -> Tensor:
    from bitsandbytes.functional import int8_vectorwise_dequant, int8_vectorwise_quant

    codes, scale, _ = int8_vectorwise_quant(weight.clone())
    found: Tensor = int8_vectorwise_dequant(codes, scale)
    return found
