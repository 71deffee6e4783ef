"""One request asked again, right now, in all four ways; and whether the answers are those of the recording.

An adapter for a rule is trained on the spot: three examples, fifteen steps. Leaves out the counting (``compare``).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.evaluate import is_right
from demos.finetuning.measured import Stale
from demos.params import Checked, parameter
from demos.ways import recorded, tasks
from demos.ways.compare import TASKS
from demos.ways.tasks import WAYS, Item, Task, Way

if TYPE_CHECKING:
    from demos.ways.asking import Asker


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which request of which task; a number beyond the last starts anew."""

    task: Literal["rules", "codes", "json", "new_rules"] = parameter("rules", "Задача", words=TASKS)
    item: int = parameter(1, "Номер запроса", low=1, high=1000)


@dataclass(frozen=True, slots=True)
class Found:
    """A text that the search brought, and how well it fits."""

    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One way: what was asked, what was said, how long it took (training apart)."""

    way: str
    title: str
    prompt: str
    text: str
    right: bool
    prompt_tokens: int
    seconds: float
    training_seconds: float
    recorded: str | None  # the recording's answer; None without one


@dataclass(frozen=True, slots=True)
class Result:
    """All four. ``problem`` is a sentence when one could not be asked."""

    problem: str = ""
    number: int = 0
    of: int = 0
    request: str = ""
    right: str = ""
    found: tuple[Found, ...] = ()
    answers: tuple[Answer, ...] = ()


def once(params: Params) -> Result:
    """Ask."""
    from demos.finetuning.quantized import quiet
    from demos.ways.asking import Asker

    task = tasks.tasks()[params.task]
    place = (params.item - 1) % len(task.items)
    item, asker = task.items[place], Asker()
    known = _recorded(task, place)
    with quiet():
        try:
            answers = tuple(_ask(asker, task, way, item, known) for way in WAYS)
        except AdapterError as problem:
            return Result(problem=str(problem))
    index = task.index(item)
    _, found = tasks.prompt(task, "retrieval", item)
    return Result(
        number=place + 1,
        of=len(task.items),
        request=item.request,
        right=item.right,
        found=tuple(Found(index.texts[each.place], each.score) for each in found),
        answers=answers,
    )


def _ask(asker: Asker, task: Task, way: Way, item: Item, known: dict[str, str]) -> Answer:
    from demos.finetuning import evaluate

    begun = time.perf_counter()
    model = asker.tuned(task, item) if way == "tuned" else asker.base
    trained = time.perf_counter() - begun if way == "tuned" else 0.0
    prompt, _ = tasks.prompt(task, way, item)
    asked = [tasks.messages(prompt)]
    most = evaluate.longest(asker.tokenizer, [each.right for each in task.items])
    begun = time.perf_counter()
    (text,) = evaluate.greedy(model, asker.tokenizer, asked, most=most)
    seconds = time.perf_counter() - begun
    size = len(evaluate.encode(asker.tokenizer, asked)[0])
    return Answer(way, WAYS[way], prompt, text, is_right(text, item.right), size, seconds, trained, known.get(way))


def _recorded(task: Task, place: int) -> dict[str, str]:
    try:
        ways = recorded.recording().tasks[task.name].ways
    except Stale:
        return {}
    return {way: said.wrong.get(place, task.items[place].right) for way, said in ways.items()}
