"""Which adapter a request belongs to: nearest examples in the base's own hidden states, the base when none is near.

Every adapter brings a few requests of its kind; the base brings its skills. A request goes where its three nearest
examples are, and stays with the base when that is not clear. Leaves out answering (``answering``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from demos.finetuning import evaluate, skills
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.nearness import Places, Way, shares
from demos.finetuning.quantized import Base, open_base
from demos.finetuning.skills import Message
from demos.finetuning.spec import RunSpec
from demos.finetuning.tasks import TASKS, build
from demos.params import Checked, parameter

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

EXAMPLES = 8
"""Requests of an adapter's task that stand for it when no others are given."""
EACH_SKILL = 3
CERTAIN = 0.6
"""Below this share the router abstains: the base answers."""
MOST_EXAMPLES, MOST_ADAPTERS = 20, 3
BASE = "base"
LONGEST_PROMPT = 400
Prompt = Sequence[Message]


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """The request, and for every adapter its task's name or a few requests of its kind, one a line."""

    prompt: str = parameter("", "Запрос")
    system: str = parameter("", "Системное сообщение")
    tasks: tuple[str, ...] = parameter((), "Задачи адаптеров", note="имя задачи курса или «-», по порядку")
    examples1: str = parameter("", "Запросы для первого адаптера")
    examples2: str = parameter("", "Запросы для второго адаптера")
    examples3: str = parameter("", "Запросы для третьего адаптера")


@dataclass(frozen=True, slots=True)
class Share:
    """One place a request could go to: an adapter's place («1») or ``base``."""

    name: str
    share: float  # 0 to 1, all together 1
    cosine: float  # of its nearest examples, their mean


@dataclass(frozen=True, slots=True)
class Result:
    """Where the request goes. ``abstained``: not clear enough, so the base answers."""

    problem: str = ""
    chosen: str = BASE
    confidence: float = 0.0
    abstained: bool = False
    shares: tuple[Share, ...] = ()


def route(params: Params) -> Result:
    """Choose an adapter for one request."""
    try:
        known = _known(params)
    except AdapterError as problem:
        return Result(problem=str(problem))
    return Router(open_base(RunSpec(quantization="none")), known).route(request(params.system, params.prompt))


def _known(params: Params) -> dict[str, list[tuple[Message, ...]]]:
    if not 1 <= len(params.tasks) <= MOST_ADAPTERS:
        raise AdapterError(f"Выберите от одного до {MOST_ADAPTERS} адаптеров.")
    check_prompt(params.system, params.prompt)
    return {str(place): _examples(params, place - 1) for place in range(1, len(params.tasks) + 1)}


def check_prompt(system: str, prompt: str) -> None:
    """Refuse a request that is empty or too long for the course's model.

    Raises:
        AdapterError: see above.
    """
    if not prompt or len(prompt) > LONGEST_PROMPT or len(system) > LONGEST_PROMPT:
        raise AdapterError(f"Напишите запрос, не длиннее {LONGEST_PROMPT} знаков.")


def request(system: str, prompt: str) -> tuple[Message, ...]:
    """A request as messages."""
    return (*((Message("system", system),) if system else ()), Message("user", prompt))


class Router:
    """The examples in the base's hidden states; made once, asked often."""

    def __init__(self, base: Base, known: Mapping[str, Sequence[Prompt]], way: Way = "nearest") -> None:
        """``known``: for each adapter's name a few requests of its kind."""
        import numpy as np

        owners = {**known, BASE: own_requests()}
        states = iter(hidden(base, [prompt for prompts in owners.values() for prompt in prompts]).cpu().numpy())
        self._base, self._way = base, way
        self.places = Places({name: np.stack([next(states) for _ in of]) for name, of in owners.items()})

    def cosines(self, prompts: Sequence[Prompt]) -> np.ndarray:
        """How near each prompt is to each place, (prompts, places)."""
        return self.places.cosines(hidden(self._base, prompts).cpu().numpy(), self._way)

    def route(self, prompt: Prompt, certain: float = CERTAIN) -> Result:
        """Where ``prompt`` goes; below ``certain`` the base answers."""
        cosines = self.cosines([prompt])[0]
        found = zip(self.places.names, shares(cosines).tolist(), cosines.tolist(), strict=True)
        rows = [Share(*row) for row in found]
        best = max(rows, key=lambda row: row.share)
        unclear = best.share < certain
        return Result(
            chosen=BASE if unclear else best.name,
            confidence=best.share,
            abstained=unclear,
            shares=tuple(rows),
        )


def own_requests() -> list[tuple[Message, ...]]:
    """Requests that stand for the base: a few of each of its skills."""
    random = Random("router")
    return [skills.draw(random, "test", name).prompt for name in skills.SKILLS for _ in range(EACH_SKILL)]


def _examples(params: Params, index: int) -> list[tuple[Message, ...]]:
    typed = (params.examples1, params.examples2, params.examples3)[index] if index < 3 else ""
    lines = [line.strip() for line in typed.splitlines() if line.strip()]
    if len(lines) > MOST_EXAMPLES or any(len(line) > LONGEST_PROMPT for line in lines):
        raise AdapterError(f"Примеров запросов — не больше {MOST_EXAMPLES}, каждый короче {LONGEST_PROMPT} знаков.")
    if lines:
        return [request("", line) for line in lines]
    task = params.tasks[index]
    if task not in TASKS:
        raise AdapterError(
            f"Адаптер {index + 1} обучен не на задаче курса: напишите два–три запроса, на которые он должен отвечать."
        )
    return [_prompt(chat) for chat in build(task).train[:EXAMPLES]]


def _prompt(chat: Sequence[Message]) -> tuple[Message, ...]:
    return tuple(chat[:-1])


def hidden(base: Base, prompts: Sequence[Prompt]) -> Tensor:
    """The mean of the last hidden states over the tokens of each prompt, (prompts, width)."""
    import torch

    rows = evaluate.encode(base.tokenizer, prompts)
    padded = base.tokenizer.pad({"input_ids": rows}, padding_side="left", return_tensors="pt").to(base.device)
    ids, mask = padded["input_ids"], padded["attention_mask"]  # (prompts, length)
    with torch.inference_mode():
        states: Tensor = base.model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states[-1]
    seen = mask[..., None].float()  # (prompts, length, 1)
    mean: Tensor = (states.float() * seen).sum(1) / seen.sum(1)
    return mean
