"""What recorded runs kept of the old skills while they learned the new one, one thing changed at a time.

Old skills are counted together: held-out questions of every skill that ``evaluate`` asks, answered exactly. A model
that translates rightly but writes it as JSON has forgotten how to answer a plain request: it counts as wrong. Leaves
out which runs there are (``plan.forgetting``) and drawing (``charts.forgetting``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from demos.finetuning import measured, plan, sweeps
from demos.finetuning.events import Retention, Score
from demos.finetuning.measured import Origin
from demos.finetuning.plan import Point
from demos.finetuning.spec import RunSpec
from demos.finetuning.statistics import wilson
from demos.params import Checked, parameter

Factor = Literal["steps", "rate", "rank", "replay", "full"]
FACTORS: Mapping[str, str] = {
    "steps": "шаги",
    "rate": "скорость обучения",
    "rank": "ранг",
    "replay": "доля старых данных",
    "full": "полное дообучение",
}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """What is changed from point to point."""

    factor: Factor = parameter("replay", "Что меняем", words=FACTORS)


@dataclass(frozen=True, slots=True)
class Kept:
    """A run: the new skill and the old ones after it. Without a recording, or when it diverged, there are none."""

    x: float
    spec: RunSpec
    recorded: bool
    new: Score | None = None
    old: Score | None = None  # of all old skills together
    before: Score | None = None  # the same questions before tuning
    skills: tuple[Retention, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """The runs in which one thing changes."""

    name: str  # of FACTORS
    title: str
    points: tuple[Kept, ...]

    @property
    def known(self) -> tuple[Kept, ...]:
        """The points that have both scores."""
        return tuple(point for point in self.points if point.new and point.old)


@dataclass(frozen=True, slots=True)
class Result:
    """Every line; ``factor`` is the one that was asked for."""

    factor: Factor
    lines: tuple[Line, ...]
    wanted: int
    missing: int
    notice: str
    origin: Origin | None

    @property
    def line(self) -> Line:
        """The line that was asked for."""
        return next(line for line in self.lines if line.name == self.factor)


def forgetting(params: Params) -> Result:
    """New and old skills of every recorded run of the figure."""
    wanted = plan.forgetting()
    missing = len(plan.missing(wanted))
    return Result(
        factor=params.factor,
        lines=tuple(
            Line(name, title, tuple(_kept(point) for point in wanted.points if point.series == name))
            for name, title in FACTORS.items()
        ),
        wanted=len(wanted.specs),
        missing=missing,
        notice=sweeps.notice(missing, len(wanted.specs)),
        origin=measured.origin(spec.fingerprint for spec in wanted.specs),
    )


def _kept(point: Point) -> Kept:
    found = measured.recorded(point.spec.fingerprint)
    end = found.story.finished if found else None
    if end is None:
        return Kept(point.x, point.spec, recorded=found is not None)
    return Kept(
        x=point.x,
        spec=point.spec,
        recorded=True,
        new=end.after,
        old=together([row.after for row in end.retention]),
        before=together([row.before for row in end.retention]),
        skills=end.retention,
    )


def together(scores: Sequence[Score]) -> Score:
    """Scores of several skills as one, with Wilson's interval for all questions."""
    return wilson(sum(score.right for score in scores), sum(score.of for score in scores))
