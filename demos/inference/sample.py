"""An answer of the bundled model token by token: what else could have come, and how it was cut.

Leaves out comparing models (``compare``) and time (``speed``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from demos.finetuning import evaluate
from demos.finetuning.adapters import shipped
from demos.finetuning.adapters.container import AdapterError
from demos.inference import decoding
from demos.inference.decoding import Cut, Rules
from demos.params import Checked, ParamsError, parameter

if TYPE_CHECKING:
    from demos.finetuning.quantized import Base

Model = Literal["base", "nf4", "int8", "json", "polite", "intents"]
MODELS = {
    "base": "базовая",
    "nf4": "базовая в NF4",
    "int8": "базовая в INT8",
    **{name: f"с адаптером «{shipped.TITLES[name]}»" for name in ("json", "polite", "intents")},
}
CHOICES = {"sample": "по вероятностям", "greedy": "всегда самый вероятный (greedy)"}
LONGEST = 300
"""Characters of a request."""
SHOWN = 12
"""Candidates kept of a step."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """The request, who answers, and the rules by which a token is chosen."""

    prompt: str = parameter("переведи: шлюмп будет читать зелёную фырку", "Запрос")
    decoding: Literal["sample", "greedy"] = parameter("sample", "Выбор токена", words=CHOICES)
    temperature: float = parameter(1.0, "Температура T", low=0.05, high=5)
    top_p: float = parameter(0.9, "Порог top-p", low=0.01, high=1, note="1 — не отсекать")
    top_k: int = parameter(0, "Запас top-k", low=0, high=2048, note="0 — не отсекать")
    seed: int = parameter(0, "Зерно", low=0, high=2**31 - 1)
    model: Model = parameter("base", "Модель", words=MODELS)
    most: int = parameter(32, "Не больше токенов", low=1, high=64)

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        check_prompt(self.prompt)

    @property
    def rules(self) -> Rules:
        """The rules alone."""
        return Rules(self.decoding == "greedy", self.temperature, self.top_k, self.top_p)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One token that could have come. Shares of one."""

    token: str
    plain: float  # as the model gives it, T = 1
    heated: float  # after the temperature
    left: float  # after the cuts, all that is left making one
    cumulative: float  # after top-k, this token and all likelier ones: what top-p is compared with
    chosen: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One token of the answer. Candidates by falling probability; the chosen one is always among them."""

    token: str
    place: int  # of the chosen token by probability, 1 is the likeliest
    kept: int  # tokens that are left to draw from
    entropy: float  # bits, of the model's own distribution
    candidates: tuple[Candidate, ...]

    @property
    def chosen(self) -> Candidate:
        """The candidate that came."""
        return next(one for one in self.candidates if one.chosen)


@dataclass(frozen=True, slots=True)
class Result:
    """The answer and its steps. ``problem`` is a sentence when there is none."""

    problem: str = ""
    model: str = ""
    text: str = ""
    prompt_tokens: int = 0
    vocabulary: int = 0
    ended: bool = False  # the model said that it was done
    greedy: bool = False
    top_p: float = 1.0
    top_k: int = 0
    temperature: float = 1.0
    steps: tuple[Step, ...] = ()


def check_prompt(prompt: str) -> None:
    """Refuse a request that is empty or too long.

    Raises:
        ParamsError: see above.
    """
    if not prompt.strip() or len(prompt) > LONGEST:
        raise ParamsError(f"Напишите запрос, не длиннее {LONGEST} знаков.")


def sample(params: Params) -> Result:
    """Answer, writing down every step."""
    try:
        base = opened(params.model)
    except AdapterError as problem:
        return Result(problem=str(problem))
    ids = encoded(base, params.prompt)
    if len(ids) + params.most > base.positions:
        return Result(problem=f"В запросе {len(ids)} токенов, модель помнит {base.positions}: напишите короче.")
    end = base.tokenizer.eos_token_id
    told, tokens = [], []
    for chosen, made in decoding.steps(base.model, ids, params.rules, seed=params.seed, most=params.most, end=end):
        tokens.append(chosen)
        told.append(_step(base.tokenizer, chosen, made))
    return Result(
        model=MODELS[params.model],
        text=base.tokenizer.decode(tokens, skip_special_tokens=True).strip(),
        prompt_tokens=len(ids),
        vocabulary=base.model.config.vocab_size,
        ended=tokens[-1] == end,
        greedy=params.rules.greedy,
        top_p=params.top_p,
        top_k=params.top_k,
        temperature=params.temperature,
        steps=tuple(told),
    )


def opened(model: str) -> Base:
    """The model of that name, ready to answer.

    Raises:
        AdapterError: the adapter's files are not there.
    """
    from demos.finetuning.adapters.library import Shelf
    from demos.finetuning.quantized import open_base
    from demos.finetuning.spec import RunSpec

    if model in shipped.SPECS:
        adapter, base = shipped.adapter(model), open_base(shipped.SPECS[model])
        Shelf(base, {model: adapter})
        return base
    return open_base(RunSpec(quantization="none" if model == "base" else model))  # type: ignore[arg-type]


def encoded(base: Base, prompt: str) -> list[int]:
    """Token ids of the request, ready for the assistant."""
    from demos.finetuning.skills import Message

    return evaluate.encode(base.tokenizer, [(Message("user", prompt.strip()),)])[0]


def _step(tokenizer: Any, chosen: int, made: Cut) -> Step:
    plain = made.plain
    order = made.heated.argsort(descending=True, stable=True).tolist()
    place = order.index(chosen)
    best = [*order[:SHOWN], *([chosen] if place >= SHOWN else [])]
    entropy = float(-(plain.double() * plain.double().clamp_min(1e-45).log2()).sum())
    return Step(
        token=decoding.shown(tokenizer, chosen),
        place=place + 1,
        kept=int((made.left > 0).sum()),
        entropy=max(0.0, entropy),
        candidates=tuple(
            Candidate(
                decoding.shown(tokenizer, token),
                float(plain[token]),
                float(made.heated[token]),
                float(made.left[token]),
                min(1.0, float(made.cumulative[token])),
                token == chosen,
            )
            for token in best
        ),
    )
