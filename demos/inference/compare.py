"""The same request to the base, to the base with an adapter beside it, and to the adapter merged into the weights.

Base and adapter answer together, in one batch. The merged model need not answer: one pass over the tuned answer tells
whether it would say the same at every token. Leaves out merging into 4 bits (``demos.finetuning.adapters.merging``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from demos.finetuning.adapters import shipped
from demos.finetuning.adapters.container import AdapterError
from demos.inference import decoding
from demos.inference.sample import check_prompt, encoded
from demos.params import Checked, parameter

if TYPE_CHECKING:
    from torch import Tensor

    from demos.finetuning.quantized import Base

TUNED = {name: shipped.TITLES[name] for name in ("json", "polite", "intents")}
TITLES = {"base": "база", "tuned": "база и адаптер рядом", "merged": "адаптер влит в веса"}
BEST = 5
MOST = 64


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """The request, the adapter, and the type of the merged weights."""

    prompt: str = parameter("переведи в JSON: большая кошка видит старый дом", "Запрос")
    adapter: Literal["json", "polite", "intents"] = parameter("json", "Адаптер", words=TUNED)
    merged: Literal["float32", "bfloat16"] = parameter("float32", "Слитые веса", choices=("float32", "bfloat16"))

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        check_prompt(self.prompt)


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an answer and its probability when it was chosen."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What one of them says."""

    name: str  # base, tuned, merged
    text: str
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate for the first token and its probability in each of the three, in the order of ``TITLES``."""

    text: str
    probabilities: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Result:
    """Three answers. ``problem`` is a sentence when there are none."""

    problem: str = ""
    adapter: str = ""
    merged: str = "float32"
    answers: tuple[Answer, ...] = ()
    first: tuple[Choice, ...] = ()
    same: bool = False  # the merged model says the tuned answer, token for token
    parted: int = 0  # if not, at which token of the answer it parts, from 1
    gap: float = 0.0  # largest logit difference of merged to tuned over the whole answer and the vocabulary
    shift: float = 0.0  # the same of tuned to base
    weights: int = 0  # parameters of the merged model: those of the base
    beside: int = 0  # parameters of the adapter


def compare(params: Params) -> Result:
    """Ask all three."""
    import torch

    try:
        adapter = shipped.adapter(params.adapter)
    except AdapterError as problem:
        return Result(problem=str(problem))
    from demos.finetuning.adapters.library import BASE, Shelf
    from demos.finetuning.quantized import open_base, quiet

    base = open_base(shipped.SPECS[params.adapter])
    weights = sum(each.numel() for each in base.model.parameters())
    ids = encoded(base, params.prompt)
    if len(ids) + MOST > base.positions:
        return Result(problem=f"В запросе {len(ids)} токенов, модель помнит {base.positions}: напишите короче.")
    shelf = Shelf(base, {"tuned": adapter})
    with torch.inference_mode():
        said = _answers(shelf.model, base, ids, [BASE, "tuned"])
        with shelf.using(BASE) as model:
            of_base = _after(model, ids, said[0])
            apart = _after(model, ids, said[1])
        beside = _after(shelf.model, ids, said[1])  # (tokens, vocabulary)
        with quiet():
            merged = shelf.model.merge_and_unload().to(getattr(torch, params.merged))
        together = _after(merged, ids, said[1])
    parted = _first_difference(together, said[1])
    own = said[1] if parted is None else _greedy(merged, base, ids)
    answers = (
        _told("base", base, said[0], of_base),
        _told("tuned", base, said[1], beside),
        _told("merged", base, own, together if parted is None else _after(merged, ids, own)),
    )
    return Result(
        adapter=params.adapter,
        merged=params.merged,
        answers=answers,
        first=_first(base, (of_base[0], beside[0], together[0])),
        same=parted is None,
        parted=0 if parted is None else parted + 1,
        gap=float((together - beside).abs().max()),
        shift=float((apart - beside).abs().max()),
        weights=weights,
        beside=sum(piece.parameters for piece in _pieces(adapter)),
    )


def _answers(model: Any, base: Base, ids: list[int], names: list[str]) -> list[list[int]]:
    """Greedy answers to one request, every row with its own adapter; the end token included."""
    import torch

    end = base.tokenizer.eos_token_id
    given = torch.tensor([ids] * len(names))  # (names, prompt)
    said: list[list[int]] = [[] for _ in names]
    cache = None
    for _ in range(MOST):
        out = model(input_ids=given, past_key_values=cache, use_cache=True, adapter_names=names)
        cache, chosen = out.past_key_values, out.logits[:, -1].argmax(-1).tolist()
        for row, token in zip(said, chosen, strict=True):
            if row[-1:] != [end]:
                row.append(token)
        if all(row[-1] == end for row in said):
            break
        given = torch.tensor([[token] for token in chosen])
    return said


def _greedy(model: Any, base: Base, ids: list[int]) -> list[int]:
    steps = decoding.steps(model, ids, decoding.Rules(), seed=0, most=MOST, end=base.tokenizer.eos_token_id)
    return [token for token, _ in steps]


def _after(model: Any, ids: list[int], said: list[int]) -> Tensor:
    """Logits before every token of an answer, (tokens, vocabulary), in float32: one pass."""
    import torch

    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([[*ids, *said]]), use_cache=False).logits[0]
    after: Tensor = logits[len(ids) - 1 : -1].float()
    return after


def _first_difference(logits: Tensor, said: list[int]) -> int | None:
    chosen = logits.argmax(-1).tolist()
    return next((place for place, (one, other) in enumerate(zip(chosen, said, strict=True)) if one != other), None)


def _told(name: str, base: Base, said: list[int], logits: Tensor) -> Answer:
    shares = logits.softmax(-1)
    tokens = tuple(
        Token(decoding.shown(base.tokenizer, token), float(shares[place, token])) for place, token in enumerate(said)
    )
    return Answer(name, base.tokenizer.decode(said, skip_special_tokens=True).strip(), tokens)


def _first(base: Base, logits: tuple[Tensor, Tensor, Tensor]) -> tuple[Choice, ...]:
    """The likeliest first tokens of each, together."""
    one, two, three = (each.softmax(-1) for each in logits)
    wanted = dict.fromkeys(token for each in (one, two, three) for token in each.topk(BEST).indices.tolist())
    order = sorted(wanted, key=lambda token: -float(max(one[token], two[token], three[token])))
    return tuple(
        Choice(decoding.shown(base.tokenizer, token), (float(one[token]), float(two[token]), float(three[token])))
        for token in order[: BEST + 1]
    )


def _pieces(adapter: Any) -> tuple[Any, ...]:
    from demos.finetuning.adapters import files

    return files.describe(adapter).pieces
