"""Which numbers are quantized: a layer of the course's model, somebody's file, a known distribution, one's own.

The synthetic ones say so: a model of two million parameters has no outliers of its own, those of large models are
described in LLM.int8() (arXiv 2208.07339). Leaves out reading a file's header (``checkpoint``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from common import numbers
from demos.finetuning import base_model
from demos.finetuning.adapters.container import short
from demos.params import Checked, ParamsError, nearest, parameter
from demos.quantization import checkpoint, uploads
from demos.quantization.checkpoint import Entry

if TYPE_CHECKING:
    from torch import Tensor

Source = Literal["model", "normal", "heavy", "outliers", "own", "file"]
SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "model": "Модель курса",
        "normal": "Нормальные",
        "heavy": "С тяжёлыми хвостами",
        "outliers": "С выбросами",
        "own": "Свои числа",
        "file": "Свой файл",
    }
)
FIRST_TENSOR = "model.layers.1.mlp.down_proj.weight"
MOST = 2**22
"""Numbers looked at; of a larger tensor the first ones."""
LARGEST, SMALLEST = 1e30, 1e-30
"""Sizes between which float32 and all schemes work without surprises."""
DEGREES = 3
"""Of freedom in Student's distribution: tails so heavy that its fourth moment is infinite."""
_TITLES = {
    "normal": "нормальное распределение",
    "heavy": "тяжёлые хвосты",
    "outliers": "нормальное с выбросами",
    "own": "свои числа",
}


@dataclass(frozen=True, slots=True)
class Weights(Checked):
    """The numbers to quantize; which fields count depends on ``source``."""

    source: Source = parameter("model", "Откуда числа", words=SOURCES)
    tensor: str = parameter(FIRST_TENSOR, "Тензор")
    file: str = parameter("", "Загруженный файл")
    own: str = parameter("0,12 -0,35 0,08 0,51 -0,07 0,22 -0,18 0,03 -0,44 0,29 0,15 -0,11", "Свои числа")
    count: int = parameter(65_536, "Сколько чисел", low=64, high=MOST)
    outliers: int = parameter(16, "Сколько выбросов", low=0, high=10_000)
    sigmas: float = parameter(50, "Размер выброса, σ", low=1, high=1000)
    seed: int = parameter(0, "Зерно", low=0, high=2**31)


@dataclass(frozen=True, slots=True)
class Origin:
    """What was quantized, in words and numbers."""

    title: str
    synthetic: bool
    shape: tuple[int, ...]
    count: int
    whole: int  # numbers in the tensor, of which ``count`` were taken
    mean: float
    sigma: float  # standard deviation
    absmax: float

    @property
    def peak(self) -> float:
        """The largest number in standard deviations."""
        return self.absmax / self.sigma if self.sigma else 1.0


def load(params: Weights) -> tuple[Tensor, Origin]:
    """The numbers (n,) float32 and where they come from.

    Raises:
        ParamsError: no such tensor, a file that cannot be read, numbers that cannot be quantized.
    """
    values, shape, title = _LOADERS[params.source](params)
    taken = values.flatten()[:MOST].float()
    check(taken, title)
    return taken, describe(taken, title, shape, synthetic=params.source in ("normal", "heavy", "outliers"))


def describe(values: Tensor, title: str, shape: tuple[int, ...], *, synthetic: bool) -> Origin:
    """Words and numbers for ``values`` (n,) out of a tensor of ``shape``."""
    exact = values.double()
    return Origin(
        title,
        synthetic,
        shape,
        len(values),
        math.prod(shape),
        float(exact.mean()),
        float(exact.std(correction=0)),
        float(exact.abs().max()),
    )


def check(values: Tensor, title: str) -> None:
    """Refuse numbers that cannot be quantized.

    Raises:
        ParamsError: NaN or infinity among them, all zeros, too large or too small.
    """
    bad = int((~values.isfinite()).sum())
    if bad:
        raise ParamsError(
            f"{_upper(title)}: {numbers.plural(bad, 'значение', 'значения', 'значений')} NaN или бесконечность — "
            "у такого блока нет absmax, и квантовать его нельзя."
        )
    largest = float(values.abs().max())
    if not largest:
        raise ParamsError(f"{_upper(title)}: все числа — нули, квантовать нечего.")
    if not SMALLEST <= largest <= LARGEST:
        raise ParamsError(f"{_upper(title)}: самое большое число не помещается между 10⁻³⁰ и 10³⁰.")


@cache
def model_tensors() -> tuple[Entry, ...]:
    """The tensors of the course's model."""
    return entries(base_model.FOLDER / "model.safetensors", limit=False)


def entries(place: Path, *, limit: bool = True) -> tuple[Entry, ...]:
    """The float tensors of a safetensors file.

    Raises:
        CheckpointError: it cannot be looked at.
    """
    size = place.stat().st_size
    with place.open("rb") as file:
        start = file.read(checkpoint.LENGTH)
        start += file.read(min(int.from_bytes(start, "little"), checkpoint.LARGEST_HEADER))
    return checkpoint.read(start, size if limit else min(size, checkpoint.LARGEST_FILE))


def parse(text: str) -> tuple[float, ...]:
    """Numbers as a person types them: separated by spaces, new lines or semicolons, with a comma or a point inside.

    Raises:
        ParamsError: none at all, or one of them is not a finite number.
    """
    pieces = [piece.rstrip(",") for piece in re.split(r"[;\s]+", text) if piece.strip(",")]
    if not pieces:
        raise ParamsError("Свои числа: впишите хотя бы одно, через пробел.")
    found: list[float] = []
    for piece in pieces:
        try:
            found.append(numbers.parse(piece))
        except ValueError:
            shown = piece if len(piece) <= 20 else f"{piece[:19]}…"
            raise ParamsError(
                f"Свои числа: «{shown}» — не конечное число; разделяйте числа пробелами, дробную часть — запятой."
            ) from None
    return tuple(found)


def _model(params: Weights) -> tuple[Tensor, tuple[int, ...], str]:
    return _from_file(base_model.FOLDER / "model.safetensors", model_tensors(), params.tensor)


def _file(params: Weights) -> tuple[Tensor, tuple[int, ...], str]:
    if not params.file:
        raise ParamsError("Загрузите файл .safetensors с весами — или выберите другие числа.")
    place = uploads.path(params.file)
    found = entries(place)
    first = params.tensor in {one.name for one in found}
    return _from_file(place, found, params.tensor if first else found[0].name)


def _from_file(place: Path, found: tuple[Entry, ...], name: str) -> tuple[Tensor, tuple[int, ...], str]:
    import torch

    known = {one.name: one for one in found}
    if name not in known:
        raise ParamsError(f"Нет тензора «{short(name)}»{nearest(name, known)}.")
    entry = known[name]
    with place.open("rb") as file:
        file.seek(entry.start)
        content = bytearray(file.read(entry.end - entry.start))
    dtype: torch.dtype = getattr(torch, checkpoint.FLOATS[entry.dtype])
    return torch.frombuffer(content, dtype=dtype), entry.shape, name


def _normal(params: Weights) -> tuple[Tensor, tuple[int, ...], str]:
    import torch

    values = torch.randn(params.count, generator=torch.Generator().manual_seed(params.seed))
    return values, (params.count,), _TITLES[params.source]


def _heavy(params: Weights) -> tuple[Tensor, tuple[int, ...], str]:
    """Student's t: a normal number over the length of ``DEGREES`` others."""
    import torch

    generator = torch.Generator().manual_seed(params.seed)
    top, below = (torch.randn(n, params.count, generator=generator) for n in (1, DEGREES))
    return top[0] / below.square().mean(0).sqrt(), (params.count,), _TITLES["heavy"]


def _outliers(params: Weights) -> tuple[Tensor, tuple[int, ...], str]:
    """Normal numbers, some of them replaced by ±``sigmas`` at random places."""
    import torch

    if params.outliers > params.count:
        raise ParamsError("Выбросов больше, чем чисел: уменьшите их число.")
    generator = torch.Generator().manual_seed(params.seed)
    values = torch.randn(params.count, generator=generator)
    places = torch.randperm(params.count, generator=generator)[: params.outliers]
    signs = torch.randint(0, 2, (params.outliers,), generator=generator) * 2 - 1
    values[places] = signs * float(params.sigmas)
    return values, (params.count,), _TITLES["outliers"]


def _own(params: Weights) -> tuple[Tensor, tuple[int, ...], str]:
    import torch

    values = torch.tensor(parse(params.own), dtype=torch.float64)
    return values, (len(values),), _TITLES["own"]


def _upper(title: str) -> str:
    return title[:1].upper() + title[1:]


_LOADERS = {
    "model": _model,
    "normal": _normal,
    "heavy": _heavy,
    "outliers": _outliers,
    "own": _own,
    "file": _file,
}
