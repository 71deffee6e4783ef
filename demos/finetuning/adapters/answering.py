"""The same question to the base, to every adapter and to their blend: one batch where PEFT can, one by one where not.

Leaves out which adapter a request belongs to (``routing``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from common import numbers
from demos.finetuning.adapters import blending, store
from demos.finetuning.adapters.blending import Way
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.library import BASE, Shelf, logits
from demos.finetuning.adapters.routing import MOST_ADAPTERS, check_prompt, request
from demos.finetuning.quantized import open_base
from demos.finetuning.spec import RunSpec
from demos.params import Checked, parameter

if TYPE_CHECKING:
    from demos.finetuning.adapters.files import Adapter
    from demos.finetuning.skills import Message

MOST_TOKENS = 64
BLEND = "blend"


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Adapters (up to three), the request, and the blend: weights in the adapters' order, empty without one."""

    adapters: tuple[str, ...] = parameter((), "Адаптеры")
    prompt: str = parameter("переведи: большая кошка видит дом", "Запрос")
    system: str = parameter("", "Системное сообщение")
    base: Literal["none", "nf4"] = parameter("none", "База", choices=("none", "nf4"))
    weights: tuple[str, ...] = parameter((), "Доли в смеси")
    way: Way = parameter("cat", "Способ смешать", choices=tuple(blending.WAYS))


@dataclass(frozen=True, slots=True)
class Said:
    """One answer. ``name`` is an adapter's place («1»), ``base`` or ``blend``; ``shift`` the largest logit change."""

    name: str
    text: str
    shift: float  # of the first token's logits against the base


@dataclass(frozen=True, slots=True)
class Result:
    """All answers, the base's first. ``problem``: a sentence when there is none; ``blend_problem``: only no blend."""

    problem: str = ""
    blend_problem: str = ""
    said: tuple[Said, ...] = ()
    together: bool = False  # all in one batch, every row with its own adapter
    off_equals_base: bool = False  # switched off, logits bit for bit those of the base as it was loaded


def answer(params: Params) -> Result:
    """Ask everyone."""
    try:
        opened = {str(place): store.adapter(name) for place, name in enumerate(params.adapters, 1)}
        return _ask(params, opened)
    except AdapterError as problem:
        return Result(problem=str(problem))


def _ask(params: Params, opened: Mapping[str, Adapter]) -> Result:
    if not 1 <= len(opened) <= MOST_ADAPTERS:
        raise AdapterError(f"Выберите от одного до {MOST_ADAPTERS} адаптеров.")
    check_prompt(params.system, params.prompt)
    spec = RunSpec(quantization=params.base)
    prompts = [request(params.system, params.prompt)]
    base = open_base(spec)
    before = logits(base.model, base, prompts)
    if not _share(opened):
        return _one_by_one(spec, prompts, opened, params)
    shelf = Shelf(base, opened)
    off = shelf.logits(BASE, prompts)
    names, problem = list(opened), ""
    try:
        names += _blended(shelf, params)
    except AdapterError as error:
        problem = str(error)
    shifts = [float((shelf.logits(name, prompts) - before).abs().max()) for name in names]
    if shelf.plain:
        texts = shelf.mixed(prompts * (1 + len(names)), [BASE, *names], most=MOST_TOKENS)
    else:
        texts = [shelf.answer(name, prompts, most=MOST_TOKENS)[0] for name in (BASE, *names)]
    shown = ["base", *opened, *([BLEND] if len(names) > len(opened) else [])]
    said = tuple(Said(*each) for each in zip(shown, texts, [0.0, *shifts], strict=True))
    return Result("", problem, said, shelf.plain, bool((off == before).all()))


def _share(opened: Mapping[str, Adapter]) -> bool:
    return len(opened) == 1 or all(one.config.peft_type == "LORA" for one in opened.values())


def _one_by_one(
    spec: RunSpec, prompts: list[tuple[Message, ...]], opened: Mapping[str, Adapter], params: Params
) -> Result:
    """A base of its own for every adapter: methods of different kinds do not share one."""
    said: list[Said] = []
    same = True
    for name, adapter in opened.items():
        base = open_base(spec)
        before = logits(base.model, base, prompts)
        shelf = Shelf(base, {name: adapter})
        if not said:
            said.append(Said("base", shelf.answer(BASE, prompts, most=MOST_TOKENS)[0], 0.0))
        same = same and bool((shelf.logits(BASE, prompts) == before).all())
        shift = float((shelf.logits(name, prompts) - before).abs().max())
        said.append(Said(name, shelf.answer(name, prompts, most=MOST_TOKENS)[0], shift))
    problem = "Смешивать можно только адаптеры LoRA: у остальных методов складывать нечего." if params.weights else ""
    return Result("", problem, tuple(said), False, same)


def _blended(shelf: Shelf, params: Params) -> list[str]:
    if not params.weights:
        return []
    if len(params.weights) != len(shelf.names):
        raise AdapterError("Для смеси нужна доля каждого адаптера.")
    try:
        weights = [numbers.parse(text) for text in params.weights]
    except ValueError:
        raise AdapterError("Доли в смеси — числа от 0 до 2.") from None
    return [blending.blend(shelf, dict(zip(shelf.names, weights, strict=True)), params.way)]
