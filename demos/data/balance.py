"""The same task with balanced and with unbalanced training data: two recorded runs of one recipe side by side.

The runs are recorded by ``scripts/measure.py``; what is not recorded yet is said. Leaves out running.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from demos.finetuning import measured, tasks
from demos.finetuning.events import Finished, Score
from demos.finetuning.spec import RunSpec
from demos.params import Checked, parameter

SIDES: Mapping[str, str] = {"intents": "поровну", "intents_skewed": "с перекосом"}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which training data to look at closely."""

    task: str = parameter("intents_skewed", "Обучающие данные", words=SIDES)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a recorded run came to; loss is the mean over the answers of the balanced validation data."""

    score: Score
    loss: float
    date: str


@dataclass(frozen=True, slots=True)
class Side:
    """One kind of training data. ``outcome`` is None while the run is not recorded on the base model of now."""

    task: str
    title: str
    spec: RunSpec
    classes: tuple[tuple[str, int], ...]  # answer and how many training examples have it
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Result:
    """Both sides; ``chosen`` is looked at. ``guess``: what always naming the most frequent class would score."""

    chosen: str
    sides: tuple[Side, ...]
    guess: float


def balance(params: Params) -> Result:
    """Both kinds of data with what their runs came to."""
    sides = tuple(_side(task) for task in SIDES)
    return Result(params.task, sides, 1 / len(sides[0].classes))


def _side(task: str) -> Side:
    spec = RunSpec(task=task)
    found = measured.recorded(spec.fingerprint)
    end = found.story.finished if found else None
    outcome = Outcome(end.after, end.validation_after, found.made.date) if found and isinstance(end, Finished) else None
    return Side(task, SIDES[task], spec, _classes(task), outcome)


@cache
def _classes(task: str) -> tuple[tuple[str, int], ...]:
    """Counted in the data themselves."""
    found = Counter(chat[-1].content for chat in tasks.build(task).train)
    return tuple(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
