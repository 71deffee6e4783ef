"""The same task with balanced and with unbalanced training data: two recorded runs of one recipe side by side.

The runs are recorded by ``scripts/measure.py``; what is not recorded yet is said. Leaves out running.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from demos.finetuning import measured, plan, tasks
from demos.finetuning.events import Score
from demos.finetuning.plan import DIRTY_SEEDS
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

    seed: int
    score: Score
    loss: float
    date: str  # ISO 8601


@dataclass(frozen=True, slots=True)
class Side:
    """One kind of training data. ``outcomes``: the recorded runs on the base model of now, none or one a seed."""

    task: str
    title: str
    spec: RunSpec
    classes: tuple[tuple[str, int], ...]  # answer and how many training examples have it
    outcomes: tuple[Outcome, ...]

    @property
    def accuracy(self) -> float:
        """Mean share of right answers; 0 without a recorded run."""
        shares = [end.score.right / end.score.of for end in self.outcomes]
        return sum(shares) / len(shares) if shares else 0.0


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
    found = [_outcome(dataclasses.replace(spec, seed=seed)) for seed in DIRTY_SEEDS]
    return Side(task, SIDES[task], spec, _classes(task), tuple(end for end in found if end))


def _outcome(spec: RunSpec) -> Outcome | None:
    found = measured.recorded(spec.fingerprint)
    end = plan.finished(found)
    return Outcome(spec.seed, end.after, end.validation_after, found.made.date) if found and end else None


@cache
def _classes(task: str) -> tuple[tuple[str, int], ...]:
    """Counted in the data themselves."""
    found = Counter(chat[-1].content for chat in tasks.build(task).train)
    return tuple(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
