"""Training a model and answering on one's own GPU against an API with a price per million tokens.

Hours are tokens by throughput; throughput is the learner's own, or a card's peak at a stated utilisation (MFU) over the
operations of a token (6 a trained weight, 4 a frozen one; 2 to answer). Money is hours by price. Prices are the
learner's: the ones here are an example with a date, and no more than that. Leaves out taxes, people, storage, traffic,
idle cards beside the stated utilisation, and discounts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Literal

from demos.lora import flops
from demos.lora.models import ALL_LINEAR, ARCHITECTURES
from demos.params import Checked, ParamsError, parameter

MILLION, HOUR = 10**6, 3600
EXAMPLE_DATE = "2026-11-01"
"""Of the example prices below: invented round numbers of a usual order, nobody's offer."""
CARDS = {
    "t4": ("T4", 65e12),
    "l4": ("L4", 121e12),
    "rtx-3090": ("RTX 3090", 71e12),
    "rtx-4090": ("RTX 4090", 165e12),
    "a100": ("A100", 312e12),
    "h100": ("H100 SXM", 989e12),
    "h200": ("H200", 989e12),
}
"""Peak of dense 16-bit arithmetic with float32 sums, operations a second, from the data sheets."""
POINTS = 41
"""Of the chart's curves."""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Data, model, card and prices. ``speed`` of zero means: from the card's peak."""

    examples: int = parameter(1000, "Примеров", low=1, high=10**9)
    tokens: int = parameter(300, "Токенов в примере", low=1, high=10**6)
    epochs: float = parameter(3.0, "Эпох", low=0.01, high=1000.0)
    hour: float = parameter(1.5, "Цена часа GPU", low=0.0, high=10.0**5, note="Ваша цена за одну карту.")
    priced: str = parameter(EXAMPLE_DATE, "Цены на дату", note="ГГГГ-ММ-ДД: цены быстро стареют.", longest=10)
    currency: str = parameter("$", "Валюта", longest=5)
    architecture: str = parameter("mistral-7b", "Модель", choices=tuple(ARCHITECTURES))
    method: Literal["full", "lora"] = parameter("lora", "Метод", words={"full": "полное", "lora": "LoRA или QLoRA"})
    checkpointing: bool = parameter(True, "Чекпоинтинг активаций")
    card: str = parameter("a100", "Видеокарта", words={name: title for name, (title, _) in CARDS.items()})
    cards: int = parameter(1, "Карт", low=1, high=100_000)
    mfu: float = parameter(0.35, "MFU: доля пиковой скорости", low=0.001, high=1.0)
    speed: float = parameter(
        0.0, "Своя скорость обучения, токенов/с", low=0.0, high=10.0**9, note="0 — оценить по пику карты и MFU."
    )
    requests: int = parameter(10_000, "Запросов в месяц", low=0, high=10**12)
    prompt: int = parameter(500, "Токенов в запросе", low=0, high=10**7)
    answer: int = parameter(200, "Токенов в ответе", low=0, high=10**7)
    api_input: float = parameter(0.5, "API: цена млн входных токенов", low=0.0, high=10.0**6)
    api_output: float = parameter(1.5, "API: цена млн выходных токенов", low=0.0, high=10.0**6)
    serving: float = parameter(
        2000.0, "Свой сервер: токенов/с при ответах", low=0.001, high=10.0**9, note="Вход и выход вместе, все запросы."
    )
    always_on: bool = parameter(True, "Карта для ответов занята круглосуточно")
    months: int = parameter(12, "Месяцев", low=1, high=120)


@dataclass(frozen=True, slots=True)
class Result:
    """Money in the learner's currency, time in hours."""

    currency: str
    priced: str
    example: bool  # the prices are the example ones
    trained_tokens: int
    operations: float  # for one trained token
    speed: float  # tokens a second of all cards, in training
    estimated: bool  # the speed is from the peak
    hours: float  # of one card
    wall_hours: float
    training: float
    month_own: float
    month_api: float
    total_own: float
    total_api: float
    own_each: float  # one more request on one's own card
    api_each: float  # one more request of the API
    even: float  # requests in a month at which both totals are equal; infinite when never
    capacity: float  # requests in a month that one card can answer
    servers: int  # cards for these requests
    months: int
    requests: int
    curve: tuple[tuple[float, float, float], ...]  # requests a month, total own, total API


HOURS_IN_MONTH = 730.0


def cost(params: Params) -> Result:
    """What training costs, and both ways of answering.

    Raises:
        ParamsError: the date is none.
    """
    _check(params)
    trained = round(params.examples * params.tokens * params.epochs)
    each = operations(params)
    speed = params.speed or CARDS[params.card][1] * params.mfu * params.cards / each
    wall = trained / speed / HOUR
    training = wall * params.cards * params.hour
    own, api = request(params)
    bill = _Bill(training, params.months, own, api, _fixed(params), capacity(params))
    return Result(
        currency=params.currency,
        priced=params.priced,
        example=_example(params),
        trained_tokens=trained,
        operations=each,
        speed=speed,
        estimated=not params.speed,
        hours=wall * params.cards,
        wall_hours=wall,
        training=training,
        month_own=bill.month(params.requests),
        month_api=api * params.requests,
        total_own=bill.own(params.requests),
        total_api=bill.api(params.requests),
        own_each=own,
        api_each=api,
        even=bill.even(),
        capacity=bill.capacity,
        servers=bill.servers(params.requests),
        months=params.months,
        requests=params.requests,
        curve=_curve(bill, params.requests),
    )


def operations(params: Params) -> float:
    """Floating-point operations for one trained token; checkpointing computes the forward pass twice."""
    counted = flops.flops(flops.Params(params.architecture, 16, (ALL_LINEAR,)))
    again = 2 * counted.weights if params.checkpointing else 0
    return float((counted.full if params.method == "full" else counted.lora) + again)


def request(params: Params) -> tuple[float, float]:
    """Money for one more request: on one's own card, of the API. A card that is paid anyway answers for nothing."""
    own = (params.prompt + params.answer) / params.serving / HOUR * params.hour
    api = (params.prompt * params.api_input + params.answer * params.api_output) / MILLION
    return (0.0 if params.always_on else own), api


def _fixed(params: Params) -> float:
    return HOURS_IN_MONTH * params.hour if params.always_on else 0.0


def capacity(params: Params) -> float:
    """Requests in a month that one card can answer."""
    return HOURS_IN_MONTH * HOUR * params.serving / max(1, params.prompt + params.answer)


@dataclass(frozen=True, slots=True)
class _Bill:
    """Both bills as functions of requests in a month."""

    training: float
    months: int
    each: float  # one more request on one's own card that is paid by the second
    each_api: float
    fixed: float  # a card for a month; 0 when it is paid by the second
    capacity: float

    def servers(self, requests: float) -> int:
        return max(1, math.ceil(requests / self.capacity)) if self.fixed else 1

    def month(self, requests: float) -> float:
        return self.servers(requests) * self.fixed + self.each * requests

    def own(self, requests: float) -> float:
        return self.training + self.months * self.month(requests)

    def api(self, requests: float) -> float:
        return self.months * self.each_api * requests

    def even(self) -> float:
        """Requests in a month at which the API begins to cost as much; infinite when it never does."""
        once = self.training / self.months
        if not self.fixed:
            return once / (self.each_api - self.each) if self.each_api > self.each else math.inf
        gain = self.capacity * self.each_api - self.fixed  # of one more full card
        if gain <= 0:
            return math.inf
        return (once + max(1, math.ceil(once / gain)) * self.fixed) / self.each_api


def _curve(bill: _Bill, requests: int) -> tuple[tuple[float, float, float], ...]:
    even = bill.even()
    last = max(2 * requests, 2 * even if math.isfinite(even) else 0, 10)
    points = [last * place / (POINTS - 1) for place in range(POINTS)]
    return tuple((x, bill.own(x), bill.api(x)) for x in points)


def _example(params: Params) -> bool:
    usual = Params()
    names = ("hour", "api_input", "api_output", "priced")
    return all(getattr(params, name) == getattr(usual, name) for name in names)


def _check(params: Params) -> None:
    try:
        date.fromisoformat(params.priced)
    except ValueError:
        raise ParamsError(f"Цены на дату: нужна дата вида 2026-11-01, а получено «{params.priced}».") from None
    if not params.currency or not all(letter.isalpha() or letter in "$€₽£¥₸" for letter in params.currency):
        raise ParamsError("Валюта: нужен знак или код валюты, например $ или ₽.")
