"""Adapter arithmetic: w₁·ΔW₁ + w₂·ΔW₂ by PEFT's ``add_weighted_adapter``, and what the sum can still do of both tasks.

Live: the sum for any weights and way, how far it is from the exact one, and both tasks' exact match on a few requests.
Measured beforehand: the way from one adapter to the other (``scripts/measure_merging.py``). A second adapter of a lower
rank is the same one cut by its singular values, so that ways which demand equal ranks have something to refuse. Leaves
out which weights are good: only trying tells.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from demos.finetuning import evaluate, statistics
from demos.finetuning.adapters import blending, shipped
from demos.finetuning.adapters.blending import Way
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.files import Adapter
from demos.finetuning.adapters.library import Shelf
from demos.finetuning.events import Score
from demos.finetuning.quantized import open_base
from demos.finetuning.skills import Message
from demos.merging import models, stored, weights
from demos.merging.answers import Asked, requests
from demos.merging.stored import Blend
from demos.params import Checked, ParamsError, parameter

if TYPE_CHECKING:
    from torch import Tensor

Name = Literal["json", "polite", "intents"]
NAMES: Mapping[str, str] = {name: shipped.TITLES[name] for name in get_args(Name)}
LIVE = 12
"""Requests of each task that a blend answers live."""
MOST = 48


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Two adapters of the course, their weights, and how PEFT sums them."""

    first: Name = parameter("json", "Первый адаптер", words=NAMES)
    second: Name = parameter("polite", "Второй адаптер", words=NAMES)
    first_weight: float = parameter(0.5, "Доля первого", low=0, high=blending.MOST_WEIGHT)
    second_weight: float = parameter(0.5, "Доля второго", low=0, high=blending.MOST_WEIGHT)
    way: Way = parameter("cat", "Способ сложить", words=blending.WAYS)
    density: float = parameter(0.5, "Оставить чисел", low=0.05, high=1, note="только ties и dare")
    second_rank: int = parameter(4, "Ранг второго", low=1, high=4, note="4 — как обучен, меньше — обрезан по SVD")

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        if self.first == self.second:
            raise ParamsError("Выберите два разных адаптера: сумма одного с самим собой — просто его усиление.")


@dataclass(frozen=True, slots=True)
class Side:
    """One task under the blend."""

    name: str
    title: str
    alone: Score  # its own adapter on 200 held-out requests, measured
    blend: Score  # the blend, live, on the first few of them
    prompt: str  # one of them
    right: str
    said: str


@dataclass(frozen=True, slots=True)
class Result:
    """What the sum is and does. ``problem``: PEFT's refusal in words; then the rest is empty."""

    problem: str = ""
    way: str = ""
    first_weight: float = 0.0
    second_weight: float = 0.0
    rank: int = 0  # of the blend
    error: float = 0.0  # ‖blend − exact sum‖ / ‖exact sum‖ over all layers
    overlap: float = 0.0  # cosine between the two updates over all layers
    sides: tuple[Side, ...] = ()
    path: tuple[Blend, ...] = ()  # measured: from the second adapter to the first
    path_of: int = 0  # requests of each task on the path


def arithmetic(params: Params) -> Result:
    """Blend two adapters and ask for both tasks.

    Raises:
        ParamsError: nothing was measured on the base model of now.
    """
    opened: dict[str, Adapter] = {
        params.first: shipped.adapter(params.first),
        params.second: cut(shipped.adapter(params.second), params.second_rank),
    }
    shares: dict[str, float] = {params.first: params.first_weight, params.second: params.second_weight}
    shelf = Shelf(open_base(models.PLAIN), opened)
    try:
        name = blending.blend(shelf, shares, params.way, density=params.density)
    except AdapterError as refusal:
        return Result(problem=str(refusal))
    exact: dict[str, dict[str, Tensor]] = {task: weights.deltas(one) for task, one in opened.items()}
    return Result(
        "",
        params.way,
        params.first_weight,
        params.second_weight,
        int(shelf.model.peft_config[name].r),
        _error(shelf, name, exact, shares),
        _overlap(*exact.values()),
        _sides(shelf, name, tuple(opened)),
        *_path(params),
    )


def cut(adapter: Adapter, rank: int) -> Adapter:
    """The adapter with each layer's B A cut to its first ``rank`` singular directions; itself at its own rank."""
    import torch
    from safetensors.torch import save

    if rank >= adapter.config.rank:
        return adapter
    found: dict[str, Tensor] = {}
    for layer, delta in weights.deltas(adapter).items():
        u, s, vt = torch.linalg.svd(delta, full_matrices=False)  # (out, n), (n,), (n, in)
        found[f"base_model.model.{layer}.lora_B.weight"] = (u[:, :rank] * s[:rank]).contiguous()  # (out, rank)
        found[f"base_model.model.{layer}.lora_A.weight"] = vt[:rank].contiguous()  # (rank, in)
    said = dataclasses.replace(
        adapter.config,
        rank=rank,
        alpha=float(rank),  # the scale is in B already
        fields={**adapter.config.fields, "r": rank, "lora_alpha": rank},
    )
    return dataclasses.replace(adapter, config=said, weights=save(found))


def chats(asked: Asked) -> list[tuple[Message, ...]]:
    """Requests with their right answers, as the model would have to continue them."""
    return [(*prompt, Message("assistant", answer)) for prompt, answer in zip(asked.prompts, asked.right, strict=True)]


def _sides(shelf: Shelf, name: str, tasks: Sequence[str]) -> tuple[Side, ...]:
    """Both tasks under the blend, their first requests answered in one batch."""
    tokenizer, asked = shelf.base.tokenizer, [requests(task, LIVE) for task in tasks]
    with shelf.using(name) as model:
        right = [evaluate.knows(model, tokenizer, chats(one)) for one in asked]
        said = evaluate.greedy(model, tokenizer, [one.prompts[0] for one in asked], most=MOST)
    return tuple(
        Side(
            task,
            shipped.TITLES[task],
            shipped.facts(task).stored,
            statistics.wilson(sum(known), len(known)),
            one.prompts[0][-1].content,
            one.right[0],
            text,
        )
        for task, one, known, text in zip(tasks, asked, right, said, strict=True)
    )


def _error(shelf: Shelf, name: str, exact: Mapping[str, Mapping[str, Tensor]], shares: Mapping[str, float]) -> float:
    """How far PEFT's blend is from the exact weighted sum of the updates."""
    wrong, whole = 0.0, 0.0
    for layer in next(iter(exact.values())):
        first, second = (shares[task] * one[layer] for task, one in exact.items())
        both = first + second  # (out, in)
        blended = shelf.model.base_model.model.get_submodule(layer).get_delta_weight(name)  # (out, in)
        wrong += float((blended - both).double().square().sum())
        whole += float(both.double().square().sum())
    return float((wrong / whole) ** 0.5)


def _overlap(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    def product(left: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> float:
        return sum(float((left[layer].double() * right[layer].double()).sum()) for layer in left)

    return float(product(one, other) / (product(one, one) * product(other, other)) ** 0.5)


def _path(params: Params) -> tuple[tuple[Blend, ...], int]:
    """The measured way between the two adapters, turned so that the weight is of ``first``."""
    store = stored.load()
    if store is None:
        return (), 0
    there, back = f"{params.first}+{params.second}", f"{params.second}+{params.first}"
    if there in store.blends:
        return tuple(one for one in store.blends[there] if one.way == params.way), store.of_blends
    found = [one for one in store.blends.get(back, ()) if one.way == params.way]
    return tuple(Blend(one.way, 1 - one.weight, one.second, one.first) for one in reversed(found)), store.of_blends
