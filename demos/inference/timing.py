"""Measures one point: time to the first token, tokens a second after it, the cache's bytes, the weights' bytes.

Everything else is equal: the same tokens, no early end. A cache-less model reads the whole text again for every token.
Leaves out what was recorded (``speed``).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from demos.finetuning.adapters.container import AdapterError
from demos.params import Checked, parameter

if TYPE_CHECKING:
    from torch import Tensor

Clock = Callable[[], float]
Form = Literal["float32", "bfloat16", "int8", "nf4", "adapter", "merged"]
FORMS = {
    "float32": "float32",
    "bfloat16": "bfloat16",
    "int8": "INT8",
    "nf4": "NF4",
    "adapter": "float32 и адаптер рядом",
    "merged": "float32, адаптер влит",
}
ADAPTER, SEED = "json", 0
NEW = 16
"""Tokens after the first that are timed."""
BUDGET = 6.0
"""Seconds after which a point is not repeated again."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What is measured. ``repeats``: the median of so many."""

    form: Form = parameter("float32", "Веса", words=FORMS)
    batch: int = parameter(1, "Запросов в пачке", low=1, high=32)
    prompt: int = parameter(64, "Токенов в запросе", low=1, high=256)
    cache: bool = parameter(True, "KV-кэш")
    repeats: int = parameter(3, "Повторов", low=1, high=15)


@dataclass(frozen=True, slots=True)
class Result:
    """One point. Seconds and bytes. ``problem`` is a sentence when there is none."""

    problem: str = ""
    first: float = 0.0  # to the first token of every request
    each: float = 0.0  # one further token of every request
    rate: float = 0.0  # tokens a second of the whole batch, after the first
    cache_bytes: int = 0  # at the end
    weights: int = 0
    repeats: int = 0
    tokens: tuple[int, ...] = ()  # of the first request: the same with the cache and without


def measure(params: Params) -> Result:
    """Open the model and measure."""
    try:
        model = opened(params.form)
    except AdapterError as problem:
        return Result(problem=str(problem))
    return point(model, params)


def point(model: Any, params: Params, clock: Clock = time.perf_counter) -> Result:
    """The median of several repeats by ``clock``; one unmeasured before them warms up."""
    from demos.finetuning.quantized import quiet, stored_bytes

    ids = _prompt(model.config.vocab_size, params.batch, params.prompt)
    times, began = [], time.perf_counter()
    with quiet():
        _once(model, ids, 2, clock, cache=params.cache)
        for _ in range(params.repeats):
            times.append(_once(model, ids, 1 + NEW, clock, cache=params.cache))
            if time.perf_counter() - began > BUDGET:
                break
    first, each = (statistics.median(getattr(one, name) for one in times) for name in ("first", "each"))
    last = times[-1]
    return Result(
        first=first,
        each=each,
        rate=params.batch / each,
        cache_bytes=last.cache_bytes,
        weights=stored_bytes(model),
        repeats=len(times),
        tokens=tuple(last.tokens),
    )


@cache
def opened(form: str) -> Any:
    """The model in this form; kept, so that a script measures many points of it.

    Raises:
        AdapterError: the adapter's files are not there.
    """
    from demos.finetuning.adapters import shipped
    from demos.finetuning.adapters.library import Shelf
    from demos.finetuning.quantized import open_base
    from demos.finetuning.spec import RunSpec

    if form in ("adapter", "merged"):
        shelf = Shelf(open_base(RunSpec(quantization="none", dtype="float32")), {ADAPTER: shipped.adapter(ADAPTER)})
        return shelf.model if form == "adapter" else shelf.model.merge_and_unload()
    if form in ("int8", "nf4"):
        return open_base(RunSpec(quantization=form, dtype="float32")).model  # type: ignore[arg-type]
    return open_base(RunSpec(quantization="none", dtype=form)).model  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Once:
    first: float
    each: float
    cache_bytes: int
    tokens: list[int]


def _prompt(vocabulary: int, batch: int, length: int) -> Tensor:
    """Random tokens, the same always, (batch, length): time does not depend on which they are."""
    import torch

    return torch.randint(6, vocabulary, (batch, length), generator=torch.Generator().manual_seed(SEED))


def _once(model: Any, ids: Tensor, tokens: int, clock: Clock, *, cache: bool) -> _Once:
    import torch

    past, given, chosen, marks = None, ids, [], [clock()]
    with torch.inference_mode():
        for _ in range(tokens):
            out = model(input_ids=given, past_key_values=past, use_cache=cache, logits_to_keep=1)
            past = out.past_key_values if cache else None
            fresh = out.logits[:, -1].argmax(-1, keepdim=True)  # (batch, 1)
            chosen.append(int(fresh[0, 0]))
            given = fresh if cache else torch.cat([given, fresh], 1)
            marks.append(clock())
    return _Once(marks[1] - marks[0], (marks[-1] - marks[1]) / (tokens - 1), _bytes(past), chosen)


def _bytes(past: Any) -> int:
    if past is None:
        return 0
    return sum(part.numel() * part.element_size() for layer in past.layers for part in (layer.keys, layer.values))
