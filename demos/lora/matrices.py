"""The matrices of LoRA as they are: W of a real layer, a really trained A and B, B·A, W + s·B·A.

The update is the shipped adapter's, that of full fine-tuning on the same task, or random numbers of the same size; its
best approximation of the chosen rank is shown (Eckart–Young), split as B = U√Σ, A = √Σ Vᵀ. Maps are made small by
blocks: a cell is the entry of its block with the largest modulus, so no outlier is lost and none is made up. Energy is
the share of the squared singular values. Leaves out training (``scripts/train_update.py``, ``train_adapters.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Literal

from demos.finetuning.adapters import shipped
from demos.lora import real_layer, updates
from demos.lora.spectrum import rank_for
from demos.lora.updates import KINDS, WHOLE
from demos.params import Checked, ParamsError, parameter

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
Source = Literal["adapter", "full", "random"]
SOURCES = {"adapter": "обученный адаптер", "full": "полное дообучение", "random": "случайные числа"}
CELLS = 64
"""A map has at most so many cells a side."""
SEED = 0
NOTHING = 1e-5
"""A singular value so many times smaller than the first is rounding: float32 has seven digits."""
Grid = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which layer, whose update, how much of it."""

    layer: int = parameter(3, "Слой модели", low=0, high=3)
    kind: Kind = parameter("q_proj", "Матрица", choices=KINDS)
    source: Source = parameter("adapter", "Поправка", words=SOURCES)
    rank: int = parameter(4, "Ранг r", low=1, high=64)
    alpha: float = parameter(8, "Альфа", low=0, high=64)


@dataclass(frozen=True, slots=True)
class Map:
    """A matrix as cells. ``block`` says how many rows and columns of the matrix one cell stands for."""

    name: str
    rows: int
    columns: int
    block: tuple[int, int]
    cells: Grid
    largest: float  # modulus in the whole matrix
    norm: float  # Frobenius


@dataclass(frozen=True, slots=True)
class Spectrum:
    """How the energy of an update adds up, from rank 1."""

    name: str
    curve: tuple[float, ...]
    rank_for_90: int
    rank_for_99: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """Share of the adapter's directions that lies among the first ones of full fine-tuning, and of random ones.

    φ = ‖U₁ᵀ U₂‖² / r (Hu et al., 2021, §7.2), r directions of each; left ones are outputs, right ones inputs.
    """

    directions: int
    outputs: float
    inputs: float
    random_outputs: float  # expected of random directions: r over the size
    random_inputs: float


@dataclass(frozen=True, slots=True)
class Result:
    """Maps, and what numbers say of them. A score is the number of right answers of ``asked`` held-out requests."""

    title: str
    source: str
    trained_rank: int  # rank of the adapter
    rank: int  # of the update shown
    alpha: float
    scale: float  # s = α / (the adapter's rank)
    weight: Map
    a: Map
    b: Map
    update: Map  # s·B·A: what is added to W
    merged: Map
    ratio: float  # ‖s·B·A‖ / ‖W‖
    energy: float  # of the whole update that the rank keeps
    spectra: tuple[Spectrum, ...]  # full fine-tuning, adapter, random numbers
    overlap: Overlap | None  # where full ΔW is stored
    base_right: int
    adapter_right: int
    full_right: int
    asked: int


def matrices(params: Params) -> Result:
    """Look at one layer.

    Raises:
        ParamsError: full ΔW is not stored for this layer, or the trained files are not in their place.
    """
    weight = real_layer.weight(params.layer, params.kind)  # (out, in)
    trained_a, trained_b, trained_alpha = real_layer.factors(params.layer, params.kind)
    adapter = trained_b @ trained_a  # (out, in)
    random = _random(adapter)
    whole = {"adapter": adapter, "random": random}.get(params.source)
    full = updates.delta(params.layer, params.kind)
    if whole is None:
        whole = _stored(full) * len(trained_a) / trained_alpha  # so that s·B·A is ΔW at the adapter's own α
    b, a, energy = split(whole, params.rank)
    if params.source == "adapter" and params.rank >= len(trained_a):
        a, b = trained_a, trained_b
    scale = params.alpha / len(trained_a)
    update = scale * (b @ a)  # (out, in)
    known, tuned = updates.about(), shipped.facts(real_layer.ADAPTER).stored
    return Result(
        title=f"{params.kind}, слой {params.layer}",
        source=params.source,
        trained_rank=len(trained_a),
        rank=len(a),
        alpha=params.alpha,
        scale=scale,
        weight=picture("W", weight),
        a=picture("A", a),
        b=picture("B", b),
        update=picture("s·B·A", update),
        merged=picture("W + s·B·A", weight + update),
        ratio=float(update.norm() / weight.norm()),
        energy=energy,
        spectra=_spectra(params, adapter, random),
        overlap=None if full is None else overlap(adapter, full, len(trained_a)),
        base_right=known.before.right,
        adapter_right=tuned.right,
        full_right=known.after.right,
        asked=known.after.of,
    )


def split(whole: Tensor, rank: int) -> tuple[Tensor, Tensor, float]:
    """B (out, r) and A (r, in) of the best approximation of this rank, and the share of energy that it keeps."""
    import torch

    left, values, right = torch.linalg.svd(whole, full_matrices=False)  # (out, n), (n,), (n, in)
    rank = min(rank, int((values > values[0] * NOTHING).sum()))
    root, energy = values[:rank].sqrt(), values.double() ** 2
    return left[:, :rank] * root, root[:, None] * right[:rank], float(energy[:rank].sum() / energy.sum())


def overlap(one: Tensor, other: Tensor, directions: int) -> Overlap:
    """How much of the first directions two updates share; both (out, in)."""
    import torch

    first, second = (torch.linalg.svd(matrix, full_matrices=False) for matrix in (one, other))
    left = first.U[:, :directions].T @ second.U[:, :directions]  # (r, r)
    right = first.Vh[:directions] @ second.Vh[:directions].T  # (r, r)
    outputs, inputs = (float(part.square().sum()) / directions for part in (left, right))
    return Overlap(directions, outputs, inputs, directions / one.shape[0], directions / one.shape[1])


def picture(name: str, matrix: Tensor) -> Map:
    """Cells of a matrix: of each block the entry with the largest modulus, with its sign."""
    rows, columns = matrix.shape
    block = ceil(rows / CELLS), ceil(columns / CELLS)
    cells = tuple(tuple(map(float, row)) for row in _extremes(matrix, block).tolist())
    return Map(name, rows, columns, block, cells, float(matrix.abs().max()), float(matrix.norm()))


def _extremes(matrix: Tensor, block: tuple[int, int]) -> Tensor:
    from torch.nn.functional import pad

    rows, columns = matrix.shape
    high, wide = ceil(rows / block[0]), ceil(columns / block[1])
    whole = pad(matrix, (0, wide * block[1] - columns, 0, high * block[0] - rows))  # zeros never are the largest
    blocks = whole.reshape(high, block[0], wide, block[1]).transpose(1, 2).flatten(2)  # (high, wide, cells)
    return blocks.gather(2, blocks.abs().argmax(2, keepdim=True))[:, :, 0]


def _spectra(params: Params, adapter: Tensor, random: Tensor) -> tuple[Spectrum, ...]:
    import torch

    values = {
        "full": updates.singular(params.layer, params.kind),
        "adapter": torch.linalg.svdvals(adapter),
        "random": torch.linalg.svdvals(random),
    }
    return tuple(_spectrum(name, each) for name, each in values.items())


def _spectrum(name: str, values: Tensor) -> Spectrum:
    squares = values.double() ** 2
    curve = tuple((squares.cumsum(0) / squares.sum()).tolist())
    return Spectrum(name, curve, rank_for(curve, 0.90), rank_for(curve, 0.99))


def _random(like: Tensor) -> Tensor:
    """A Gaussian matrix of the same size and norm."""
    import torch

    drawn = torch.randn(like.shape, generator=torch.Generator().manual_seed(SEED))
    scaled: Tensor = drawn * (like.norm() / drawn.norm())
    return scaled


def _stored(full: Tensor | None) -> Tensor:
    if full is None:
        where = ", ".join(f"{kind} слоя {layer}" for layer, kind in WHOLE)
        raise ParamsError(f"Поправка полного дообучения целиком хранится только для {where}: выберите один из них.")
    return full
