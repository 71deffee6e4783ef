"""Four ways on four tasks: exact match with intervals, tokens, time and money; which way wins, and whether for sure.

From the recording (``recorded``); prices are the learner's own. Leaves out asking the model (``once``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from demos.finetuning import measured, statistics
from demos.finetuning.events import Score
from demos.finetuning.measured import Origin, Stale
from demos.params import Checked, parameter
from demos.ways import recorded, tasks
from demos.ways.recorded import Answers, Recorded
from demos.ways.tasks import WAYS, Task

MILLION = 10**6
SURE = 0.05
"""A difference counts when McNemar's exact test gives less."""
TASKS = {
    "rules": "Правило из трёх примеров",
    "codes": "Справочник, который меняется",
    "json": "Ответ в JSON",
    "new_rules": "Правило, которого модель не видела",
}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """The task, the prices, and how many requests there will be."""

    task: Literal["rules", "codes", "json", "new_rules"] = parameter("rules", "Задача", words=TASKS)
    requests: int = parameter(100_000, "Запросов всего", low=1, high=10**9)
    price_prompt: float = parameter(
        100, "Цена миллиона токенов запроса", low=0, high=10**9, note="в вашей валюте, из вашего договора"
    )
    price_answer: float = parameter(400, "Цена миллиона токенов ответа", low=0, high=10**9)
    price_training: float = parameter(
        800, "Цена миллиона токенов обучения", low=0, high=10**9, note="сколько раз прочитан, столько раз и оплачен"
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One way on the chosen task. Tokens are means of a request, seconds the median of one request alone."""

    way: str
    title: str
    score: Score
    parts: tuple[tuple[str, Score], ...]  # the task's parts, where it has some
    prompt_tokens: float
    answer_tokens: float
    seconds: float
    search_seconds: float
    training_tokens: int
    training_seconds: float
    adapters: int
    request_cost: float  # of one request
    training_cost: float
    total_cost: float  # training and all requests


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who won a task. ``sure``: better than the next by McNemar's test on the same requests."""

    task: str
    title: str
    scores: tuple[Score, ...]  # in the order of WAYS
    winner: str  # a way
    second: str
    p_value: float
    sure: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One request as it was put in each way, and what was said: request, prompt, answer."""

    request: str
    right: str
    prompts: tuple[str, ...]  # in the order of WAYS
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The chosen task, and the verdict on every task. ``problem`` is a sentence when nothing was measured."""

    problem: str = ""
    task: str = ""
    title: str = ""
    summary: str = ""
    collection: str = ""
    tuning: str = ""
    rows: tuple[Row, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    by_shots: tuple[tuple[int, Score], ...] = ()
    turns: Score | None = None  # examples as an earlier conversation instead of one line
    example: Shown | None = None
    requests: int = 0
    break_even: float | None = None  # requests after which tuning is cheaper than few-shot; None: never
    origin: Origin | None = None


def compare(params: Params) -> Result:
    """The recording, counted and priced."""
    try:
        found = recorded.recording()
    except Stale as problem:
        return Result(problem=str(problem), task=params.task)
    task, said = tasks.tasks()[params.task], found.tasks[params.task]
    rows = tuple(_row(task, way, said.ways[way], params) for way in WAYS)
    return Result(
        task=task.name,
        title=task.title,
        summary=task.summary,
        collection=task.collection,
        tuning=task.tuning,
        rows=rows,
        verdicts=tuple(_verdict(tasks.tasks()[name], each) for name, each in found.tasks.items()),
        by_shots=tuple((count, statistics.wilson(right, len(task.items))) for count, right in said.by_shots.items()),
        turns=statistics.wilson(said.turns, len(task.items)),
        example=_example(task, said),
        requests=params.requests,
        break_even=_break_even(rows),
        origin=measured.origin_of(found.made, found.seed),
    )


def _row(task: Task, way: str, said: Answers, params: Params) -> Row:
    parts = tuple(
        (name, _score(said, [place for place, item in enumerate(task.items) if item.group == group]))
        for group, name in task.groups.items()
    )
    each = (said.prompt_tokens * params.price_prompt + said.answer_tokens * params.price_answer) / MILLION
    training = said.training_tokens * params.price_training / MILLION
    return Row(
        way,
        WAYS[way],  # type: ignore[index]
        _score(said, list(range(len(task.items)))),
        parts,
        said.prompt_tokens,
        said.answer_tokens,
        said.seconds,
        said.search_seconds,
        said.training_tokens,
        said.training_seconds,
        said.trained,
        each,
        training,
        training + each * params.requests,
    )


def _score(said: Answers, places: list[int]) -> Score:
    return statistics.wilson(sum(place not in said.wrong for place in places), len(places))


def _verdict(task: Task, said: Recorded) -> Verdict:
    everything = list(range(len(task.items)))
    scores = {way: _score(said.ways[way], everything) for way in WAYS}
    winner, second = sorted(WAYS, key=lambda way: -scores[way].right)[:2]
    lost, won = set(said.ways[winner].wrong), set(said.ways[second].wrong)
    p_value = statistics.mcnemar(len(won - lost), len(lost - won))
    return Verdict(task.name, task.title, tuple(scores.values()), winner, second, p_value, p_value < SURE)


def _example(task: Task, said: Recorded) -> Shown:
    item = task.items[0]
    prompts = tuple(tasks.prompt(task, way, item)[0] for way in WAYS)
    return Shown(item.request, item.right, prompts, tuple(said.ways[way].wrong.get(0, item.right) for way in WAYS))


def _break_even(rows: tuple[Row, ...]) -> float | None:
    by_way = {row.way: row for row in rows}
    saved = by_way["few"].request_cost - by_way["tuned"].request_cost
    return by_way["tuned"].training_cost / saved if saved > 0 else None
