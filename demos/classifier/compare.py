"""Five ways to classify, by the number of examples: right answers with intervals, and two of them answer for answer.

From the recording (``recorded``). Leaves out thresholds (``threshold``) and training (``training``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from demos.classifier import parts, recorded
from demos.classifier.parts import LESSON_SIZE, NAMES, SIZES
from demos.classifier.recorded import SEEDS, Recording, Trained
from demos.classifier.training import METHODS
from demos.finetuning import measured, statistics
from demos.finetuning.events import Score
from demos.finetuning.measured import Origin, Stale
from demos.params import Checked, parameter

if TYPE_CHECKING:
    import numpy as np

TITLES = {name: one.title for name, one in METHODS.items()}
COUNTS = {str(size): str(size) for size in SIZES}
EXAMS = {"all": "весь, 500", "hundred": "как в коде урока, 100"}
Kind = Literal["words", "probe", "head", "lora", "longer"]


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which two to compare, on how many training examples and which exam."""

    first: Kind = parameter("probe", "Первый способ", words=TITLES)
    second: Kind = parameter("lora", "Второй способ", words=TITLES)
    examples: Literal["20", "60", "200", "900"] = parameter("200", "Обучающих примеров", words=COUNTS)
    exam: Literal["all", "hundred"] = parameter("all", "Экзамен", words=EXAMS)


@dataclass(frozen=True, slots=True)
class Point:
    """One kind trained on so many examples, with the first seed."""

    examples: int
    score: Score
    fitted: Score  # on its own training examples
    seconds: float

    @property
    def share(self) -> float:
        """Share of right answers."""
        return self.score.right / self.score.of


@dataclass(frozen=True, slots=True)
class Line:
    """One kind. ``seeds``: right answers of the exam with each seed, at the lesson's number of examples."""

    method: str
    title: str
    short: str
    points: tuple[Point, ...]
    seeds: tuple[int, ...]

    @property
    def least(self) -> int:
        """Right answers with the worst seed."""
        return min(self.seeds)

    @property
    def most(self) -> int:
        """Right answers with the best seed."""
        return max(self.seeds)


@dataclass(frozen=True, slots=True)
class Changed:
    """A request on which the two differ."""

    text: str
    right: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Result:
    """All kinds; of the chosen two, what the second mends and spoils, with McNemar's exact test."""

    problem: str = ""
    examples: int = 0
    of: int = 0
    lines: tuple[Line, ...] = ()
    first: Line | None = None
    second: Line | None = None
    first_now: Point | None = None  # at the chosen number of examples
    second_now: Point | None = None
    both: int = 0  # right in both
    neither: int = 0
    gained: int = 0
    lost: int = 0
    p_value: float = 1.0
    changed: tuple[Changed, ...] = ()
    seed_size: int = LESSON_SIZE
    origin: Origin | None = None


def compare(params: Params) -> Result:
    """The recording, counted."""
    try:
        found = recorded.recording()
    except Stale as problem:
        return Result(problem=str(problem))
    size, whole = int(params.examples), params.exam == "all"
    lines = {method: _line(found, method, whole=whole) for method in METHODS}
    rows = parts.parts().test
    places = tuple(range(len(rows))) if whole else parts.parts().hundred
    asked = [rows[place] for place in places]
    first, second = (
        recorded.unpack(found.one(method, size).test)[list(places)].argmax(1)
        for method in (params.first, params.second)
    )
    return Result(
        examples=size,
        of=len(asked),
        lines=tuple(lines.values()),
        first=lines[params.first],
        second=lines[params.second],
        first_now=lines[params.first].points[SIZES.index(size)],
        second_now=lines[params.second].points[SIZES.index(size)],
        **_paired(asked, first, second),
        origin=measured.origin_of(found.made, SEEDS[0]),
    )


def _line(found: Recording, method: str, *, whole: bool) -> Line:
    about = METHODS[method]
    points = []
    for size in SIZES:
        one = found.one(method, size)
        points.append(Point(size, _score(one, whole=whole), statistics.wilson(one.fitted, one.examples), one.seconds))
    tried = [found.one(method, LESSON_SIZE, seed) for seed in (SEEDS if about.chance else SEEDS[:1])]
    seeds = tuple(_score(one, whole=whole).right for one in tried)
    return Line(method, about.title, about.short, tuple(points), seeds)


def _score(one: Trained, *, whole: bool) -> Score:
    every = parts.parts()
    if whole:
        return statistics.wilson(one.right, len(every.test))
    return statistics.wilson(one.hundred, len(every.hundred))


def _paired(asked: list[parts.Row], first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
    import numpy as np

    truth = np.array(parts.truth(asked))
    old, new = first == truth, second == truth
    gained, lost = int((new & ~old).sum()), int((old & ~new).sum())
    changed = tuple(
        Changed(text, label, NAMES[before], NAMES[after])
        for (text, label), before, after in zip(asked, first, second, strict=True)
        if before != after
    )
    return {
        "both": int((old & new).sum()),
        "neither": int((~old & ~new).sum()),
        "gained": gained,
        "lost": lost,
        "p_value": statistics.mcnemar(gained, lost),
        "changed": changed,
    }
