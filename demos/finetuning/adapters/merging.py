"""Three ways to merge a QLoRA adapter, compared: into the 4-bit weights, into the original, into the dequantized base.

The adapter was trained on the dequantized 4-bit values, so only they plus s·B A give the tuned model back. Merging into
4-bit weights rounds the sum again; merging into the original changes the base under the adapter. Leaves out writing the
result to disk (``export``).
"""

from __future__ import annotations

import copy
import dataclasses
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal

from demos.finetuning import evaluate, skills
from demos.finetuning.adapters import library, store
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.files import Adapter
from demos.finetuning.adapters.library import Shelf
from demos.finetuning.quantized import Base, open_base, quiet, stored_bytes
from demos.finetuning.skills import Message
from demos.finetuning.spec import RunSpec
from demos.finetuning.tasks import TASKS, build
from demos.params import Checked, parameter

if TYPE_CHECKING:
    from torch import Tensor

REQUESTS = 12
"""Requests that every merged model answers beside the tuned one."""
WAYS = {
    "4bit": "В 4-битные веса (merge_and_unload)",
    "dequantized": "В деквантованную базу, float32",
    "original": "В исходную базу, float32",
    "original16": "В исходную базу, bfloat16",
}
"""Where the adapter is merged into."""
NOT_WEIGHTS = "Виртуальные токены — это не веса: сливать их не с чем, они остаются рядом с моделью."


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which adapter, the 4-bit type of the base it was trained on, and the task whose requests are asked."""

    adapter: str = parameter("", "Адаптер")
    quantization: Literal["nf4", "fp4"] = parameter("nf4", "Квантование базы", choices=("nf4", "fp4"))
    double_quantization: bool = parameter(True, "Двойное квантование")
    task: str = parameter("", "Задача", note="чьи запросы задать; пусто — запросы базовой модели")


@dataclass(frozen=True, slots=True)
class Merged:
    """One merged model beside the tuned one (4-bit base with the adapter beside it)."""

    way: str
    title: str
    largest: float  # logit difference to the tuned model over all requests and the vocabulary
    mean: float
    same: int  # answers that are letter for letter those of the tuned model
    right: int  # answers that are right
    bytes: int  # of its weights


@dataclass(frozen=True, slots=True)
class Result:
    """What each way costs. ``problem`` is a sentence when nothing could be compared; then the rest is empty."""

    problem: str = ""
    requests: int = 0
    tuned_right: int = 0
    tuned_bytes: int = 0  # 4-bit base and adapter
    merged: tuple[Merged, ...] = ()
    merge_error: float = 0.0  # float32: largest logit difference after merge_adapter
    restore_error: float = 0.0  # and after unmerge_adapter
    four_bit_restore_error: float = 0.0  # the same on the 4-bit base


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests with their right answers."""

    prompts: tuple[tuple[Message, ...], ...]
    right: tuple[str, ...]


def compare(params: Params) -> Result:
    """Merge in every way and ask all of them the same."""
    try:
        adapter = _fit(store.adapter(params.adapter))
    except AdapterError as problem:
        return Result(problem=str(problem))
    spec = RunSpec(quantization=params.quantization, double_quantization=params.double_quantization)
    return three_ways(adapter, spec, requests(params.task))


def _fit(adapter: Adapter) -> Adapter:
    if not adapter.merges:
        raise AdapterError(NOT_WEIGHTS)
    if adapter.config.peft_type != "LORA":
        raise AdapterError(
            f"В 4 бита PEFT сливает только LoRA, а это {adapter.config.title}: сравнивать нечего. "
            "Слить его с весами в float32 можно — файл ниже."
        )
    if adapter.config.pissa:
        raise AdapterError("PiSSA обучают на неквантованной базе: сравнивать слияние в 4 бита здесь не с чем.")
    return adapter


def requests(task: str, count: int = REQUESTS) -> Asked:
    """Held-out requests of a task; of the base's own skills when the task is not the course's."""
    if task in TASKS:
        chats = build(task).test[:count]
        return Asked(tuple(chat[:-1] for chat in chats), tuple(chat[-1].content for chat in chats))
    random = Random("merge")
    drawn = [skills.draw(random, "test") for _ in range(count)]
    return Asked(tuple(one.prompt for one in drawn), tuple(one.answer for one in drawn))


def three_ways(adapter: Adapter, spec: RunSpec, asked: Asked) -> Result:
    """Every merged model against the tuned one, the 4-bit base of ``spec`` with the adapter beside it."""
    low, high = open_base(spec), open_base(spec, original=True)
    base_bytes = stored_bytes(low.model)
    exact = dequantized(low, high)
    shelf = Shelf(low, {"tuned": adapter})
    most = evaluate.longest(low.tokenizer, asked.right)
    tuned = _Said(shelf.logits("tuned", asked.prompts), shelf.answer("tuned", asked.prompts, most=most))
    original = Shelf(copied(high), {"tuned": adapter})
    there, back = original.merge_and_back(asked.prompts)
    in_four, spoilt = _into_four_bits(shelf, tuned, asked, most)
    rows = [
        _row("4bit", in_four, tuned, asked, base_bytes),
        _measured("dequantized", into_weights(Shelf(exact, {"tuned": adapter})), tuned, asked, most),
        _measured("original", (whole := into_weights(original)), tuned, asked, most),
        _measured("original16", _in_16_bits(whole), tuned, asked, most),
    ]
    return Result(
        requests=len(asked.prompts),
        tuned_right=right(tuned.answers, asked),
        tuned_bytes=base_bytes + len(adapter.weights),
        merged=tuple(rows),
        merge_error=there,
        restore_error=back,
        four_bit_restore_error=spoilt,
    )


def merged(adapter: Adapter, spec: RunSpec) -> Base:
    """The float32 model that answers as the run did: the adapter in the weights that it was trained beside.

    Raises:
        AdapterError: virtual tokens are no weights, there is nothing to merge.
    """
    if not adapter.merges:
        raise AdapterError(NOT_WEIGHTS)
    high = open_base(spec, original=True)
    base = dequantized(open_base(spec), high) if spec.quantization in ("nf4", "fp4") else high
    return into_weights(Shelf(base, {"tuned": adapter}))


def dequantized(low: Base, high: Base) -> Base:
    """A copy of ``high`` with every weight that is quantized in ``low`` replaced by what its 4 bits mean."""
    import bitsandbytes
    import torch

    exact = copied(high)
    with torch.no_grad():
        for name, layer in low.model.named_modules():
            if isinstance(layer, bitsandbytes.nn.Linear4bit):
                state = layer.weight.quant_state
                weight = bitsandbytes.functional.dequantize_4bit(layer.weight.data, state)  # (outputs, inputs)
                exact.model.get_submodule(name).weight.copy_(weight)
    return exact


@dataclass(frozen=True, slots=True)
class _Said:
    logits: Tensor  # (requests, vocabulary)
    answers: list[str]


def _into_four_bits(shelf: Shelf, tuned: _Said, asked: Asked, most: int) -> tuple[_Said, float]:
    """What the merged 4-bit model says, and how far the tuned one is from itself after unmerging. Spoils the base."""
    with quiet():
        warnings.filterwarnings("ignore", message=".*lora module to 4-bit linear")  # that is what is measured
        shelf.model.merge_adapter()
        said = _ask(Base(shelf.model, shelf.base.tokenizer, shelf.base.device, shelf.base.dtype), asked, most)
        shelf.model.unmerge_adapter()
    back = shelf.logits("tuned", asked.prompts)
    return said, float((back - tuned.logits).abs().max())


def _measured(way: str, base: Base, tuned: _Said, asked: Asked, most: int) -> Merged:
    return _row(way, _ask(base, asked, most), tuned, asked, stored_bytes(base.model))


def _row(way: str, said: _Said, tuned: _Said, asked: Asked, size: int) -> Merged:
    gap = (said.logits - tuned.logits).abs()
    same = sum(one == other for one, other in zip(said.answers, tuned.answers, strict=True))
    return Merged(way, WAYS[way], float(gap.max()), float(gap.mean()), same, right(said.answers, asked), size)


def _ask(base: Base, asked: Asked, most: int) -> _Said:
    answers = evaluate.greedy(base.model, base.tokenizer, asked.prompts, most=most)
    return _Said(library.logits(base.model, base, asked.prompts), answers)


def into_weights(shelf: Shelf) -> Base:
    """The model with the shelf's adapter merged by PEFT's ``merge_and_unload``; the shelf is used up."""
    model = shelf.model.merge_and_unload()
    return Base(model.eval(), shelf.base.tokenizer, shelf.base.device, shelf.base.dtype)


def copied(base: Base) -> Base:
    """The same base with a model of its own."""
    return dataclasses.replace(base, model=copy.deepcopy(base.model))


def _in_16_bits(base: Base) -> Base:
    import torch

    return dataclasses.replace(base, model=base.model.to(torch.bfloat16), dtype=torch.bfloat16)


def right(answers: Sequence[str], asked: Asked) -> int:
    """How many answers are right."""
    return sum(map(evaluate.is_right, answers, asked.right))
