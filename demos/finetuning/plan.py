"""Which recorded runs make which figure: learning rates, three curves, ranks, alphas, methods, the lessons' own runs,
the map of rate, rank and alpha, forgetting, how many examples and how dirty.

Learning rates come first: what is recorded of them decides the rate of the rest. Torch-free. Leaves out how a recording
looks (``measured``), making them (``scripts/measure.py``) and drawing them (``sweeps``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from common import numbers
from demos.finetuning import base_model, configuration, measured
from demos.finetuning.events import Finished
from demos.finetuning.measured import Recording
from demos.finetuning.presets import PRESETS
from demos.finetuning.spec import THREE_CURVES, Method, RunSpec
from demos.finetuning.tasks import variants
from demos.lora.matching import match

Find = Callable[[str], Recording | None]
"""A spec's fingerprint → its recording."""
SEEDS = (0, 1, 2)
RATES = (0.1, 0.3, 1.0, 3.0)
"""Learning rates of the sweep, as parts of the lesson's rate of each method."""
RANK_TASKS: Mapping[str, int] = {"habit": 160, "reference": 480}
"""One direction is enough for the first; for the second rank matters. Steps of each: facts need many repetitions."""
RANK_TARGETS = ("all-linear",)
SMALL = 0.15
"""Ranks stop where the adapter of a layer has more than this share of the layer's own parameters."""
SCALES = (0.25, 1.0, 4.0, 16.0)
"""α/r of the alpha sweep."""
SCALE_RANK = 8
OTHERS: Mapping[Method, tuple[float, ...]] = {
    "dora": (2e-3, 5e-3),
    "rslora": (1e-3, 2.5e-3),  # its scale α/√r is four times as large at r = 16
    "pissa": (5e-4, 2e-3),
    "adalora": (5e-3, 1.5e-2),
    "vera": (1e-2, 5e-2, 0.2),
    "ia3": (1e-2, 5e-2, 0.2),
    "bottleneck": (1e-3, 5e-3),
    "prefix": (1e-2, 5e-2, 0.2),
    "ptuning": (2e-3, 1e-2, 5e-2),
    "prompt": (3e-2, 0.2, 1.0),
}
"""The other methods, each at several learning rates: more of them where the largest of two was the better."""
MAP_RANKS, MAP_SCALES = (1, 4, 16), (0.5, 2.0, 8.0)
"""Ranks and α/r of the map; its rates are those of the sweep."""
GENTLE = 0.3
"""Part of the lesson's rate at which forgetting is measured: at the whole rate nothing is left to compare."""
FORGETTING_STEPS, FORGETTING_RANKS, REPLAYS = (40, 80, 160, 320), (1, 4, 16), (0.0, 0.02, 0.1, 0.3, 0.5)
SIZES = (10, 30, 100, 300, 1000, 3000)
"""Numbers of training examples; the steps are the same for all."""
DRAWS = ("json_large", "json_other")
"""Each size is measured on the first examples of both sets: other sentences, another seed."""
DIRTY_SEEDS = (0, 1)


@dataclass(frozen=True, slots=True)
class Point:
    """One run of a figure: the line it belongs to and where on it."""

    series: str
    x: float
    spec: RunSpec


@dataclass(frozen=True, slots=True)
class Wanted:
    """A figure's runs. Without an ``optional`` one the figure says what is missing, and ``faults`` says nothing."""

    title: str
    points: tuple[Point, ...]
    optional: bool = False

    @property
    def specs(self) -> tuple[RunSpec, ...]:
        """Every recipe once."""
        return tuple({point.spec.fingerprint: point.spec for point in self.points}.values())


def sets(find: Find = measured.recorded) -> dict[str, Wanted]:
    """Every figure's runs by its name, in the order in which they are to be recorded."""
    makers: Mapping[str, Callable[[Find], Wanted]] = {
        "rates": lambda _: rates(),
        "curves": curves,
        "presets": lambda _: presets(),
        "ranks": ranks,
        "alphas": alphas,
        "methods": methods,
        "forgetting": lambda _: forgetting(),
        "data_size": lambda _: data_size(),
        "dirty": lambda _: dirty(),
        "map": lambda _: grid(),
    }
    return {name: make(find) for name, make in makers.items()}


def rates() -> Wanted:
    """Each of the three methods at several learning rates."""
    points = [
        Point(series, rate, dataclasses.replace(spec, learning_rate=rate))
        for series, spec in THREE_CURVES.items()
        for rate in _rates(spec)
    ]
    return Wanted("Скорость обучения", tuple(points))


def curves(find: Find) -> Wanted:
    """Each of the three methods at its best learning rate, with several seeds."""
    return Wanted("Три кривые", tuple(_seeds((series, 0, best(series, find)) for series in THREE_CURVES)))


def presets() -> Wanted:
    """The runs that lessons start, so that a class that waits sees one at once."""
    specs = [spec for preset in PRESETS.values() for spec in preset.specs]
    return Wanted("Запуски уроков", tuple(Point(spec.title, 0, spec) for spec in specs))


def ranks(find: Find) -> Wanted:
    """LoRA of every small rank on a task that needs one direction and on one that needs many; α = 2r throughout."""
    first = dataclasses.replace(best("lora", find), targets=RANK_TARGETS)
    points = [
        (task, rank, dataclasses.replace(first, task=task, steps=steps, rank=rank, alpha=2.0 * rank))
        for task, steps in RANK_TASKS.items()
        for rank in small_ranks()
    ]
    return Wanted("Ранг", tuple(_seeds(points)))


def alphas(find: Find) -> Wanted:
    """LoRA of one rank with the update scaled up and down."""
    first = dataclasses.replace(best("lora", find), rank=SCALE_RANK)
    points = [("lora", scale, dataclasses.replace(first, alpha=scale * SCALE_RANK)) for scale in SCALES]
    return Wanted("Альфа", tuple(_seeds(points)))


def methods(find: Find) -> Wanted:
    """Every other method at its learning rates beside the three at their best."""
    known = [Point(series, best(series, find).learning_rate, best(series, find)) for series in THREE_CURVES]
    rank = {"vera": 64}  # its vectors are so short that a small rank says nothing
    others = [
        Point(method, rate, RunSpec(method=method, quantization="none", rank=rank.get(method, 16), learning_rate=rate))
        for method, pair in OTHERS.items()
        for rate in pair
    ]
    return Wanted("Все методы", (*known, *others), optional=True)


def grid() -> Wanted:
    """LoRA at every rate, rank and α/r of the map; a line is «α/r, rank»."""
    points = [
        Point(f"{scale:g} {rank}", rate, dataclasses.replace(first, rank=rank, alpha=scale * rank, learning_rate=rate))
        for first in (THREE_CURVES["lora"],)
        for scale in MAP_SCALES
        for rank in MAP_RANKS
        for rate in _rates(first)
    ]
    return Wanted("Карта гиперпараметров", tuple(points))


def forgetting() -> Wanted:
    """What is left of the old skills, one thing changed at a time."""
    first = dataclasses.replace(THREE_CURVES["lora"], learning_rate=_rate(THREE_CURVES["lora"], GENTLE))
    lines: Mapping[str, list[tuple[float, RunSpec]]] = {
        "steps": [(steps, dataclasses.replace(first, steps=steps)) for steps in FORGETTING_STEPS],
        "rank": [(rank, dataclasses.replace(first, rank=rank, alpha=2.0 * rank)) for rank in FORGETTING_RANKS],
        "rate": [(rate, dataclasses.replace(first, learning_rate=rate)) for rate in _rates(THREE_CURVES["lora"])],
        "full": [
            (rate, dataclasses.replace(THREE_CURVES["full"], learning_rate=rate))
            for rate in _rates(THREE_CURVES["full"])
        ],
        "replay": [(share, dataclasses.replace(first, replay=share)) for share in REPLAYS],
    }
    points = [Point(name, x, spec) for name, line in lines.items() for x, spec in line]
    return Wanted("Забывание", tuple(points))


def data_size() -> Wanted:
    """LoRA on more and more examples, as many steps on each; twice, with other sentences and another seed."""
    points = [
        Point("size", size, dataclasses.replace(THREE_CURVES["lora"], task=task, examples=size, seed=seed))
        for size in SIZES
        for seed, task in enumerate(DRAWS)
    ]
    return Wanted("Сколько данных", tuple(points))


def dirty() -> Wanted:
    """A clean set beside dirtier and dirtier ones, a balanced set beside an unbalanced one."""
    first, intents = THREE_CURVES["lora"], RunSpec(task="intents")
    lines = [
        ("clean", 0.0, first),
        *(
            (kind, share, dataclasses.replace(first, task=variants.name_of(kind, share)))
            for kind in variants.SPOILT
            for share in variants.SHARES
        ),
        ("balanced", 0.0, intents),
        ("skewed", 0.0, dataclasses.replace(intents, task="intents_skewed")),
    ]
    points = [Point(name, x, dataclasses.replace(spec, seed=seed)) for name, x, spec in lines for seed in DIRTY_SEEDS]
    return Wanted("Грязные данные", tuple(points))


def best(series: str, find: Find) -> RunSpec:
    """The lesson's recipe of a method at its best recorded rate.

    The lesson's own rate stays unless another is better beyond chance (its interval lies above) or it diverged.
    """
    lesson = THREE_CURVES[series]
    ends = {point.spec: finished(find(point.spec.fingerprint)) for point in rates().points if point.series == series}
    known = {spec: end for spec, end in ends.items() if end is not None}
    if not known:
        return lesson
    top = max(known, key=lambda spec: (known[spec].after.right, -known[spec].validation_after))
    same = lesson in known and known[lesson].after.high >= known[top].after.low
    return lesson if same or find(lesson.fingerprint) is None else top


def finished(recording: Recording | None) -> Finished | None:
    """How a run ended; None when it is not recorded or diverged."""
    return recording.story.finished if recording else None


def small_ranks(targets: tuple[str, ...] = RANK_TARGETS) -> tuple[int, ...]:
    """Powers of two whose r·(d + k) is at most ``SMALL`` of d·k in every target layer of the bundled model."""
    described = configuration.describe(base_model.FOLDER, "мини-переводчик")
    layers = [layer for layer, _ in match(described.architecture, targets).layers]
    bound = min(SMALL * layer.weights / (layer.inputs + layer.outputs) for layer in layers)
    return tuple(2**power for power in range(12) if 2**power <= bound)


def missing(wanted: Wanted, find: Find = measured.recorded) -> tuple[RunSpec, ...]:
    """The recipes of a figure that are not recorded on the base model of now."""
    return tuple(spec for spec in wanted.specs if find(spec.fingerprint) is None)


def faults(folder: Path | None = None) -> list[str]:
    """Everything wrong with the recordings, in Russian: missing, unwanted, unreadable, misnamed, of another base."""
    find = partial(measured.recorded, folder=folder)
    said, known = measured.faults(folder), sets(find)
    for name, wanted in known.items():
        absent = missing(wanted, find)
        if absent and not wanted.optional:
            many = numbers.plural(len(absent), "записи", "записей", "записей")
            said.append(f"«{wanted.title}»: нет {many} из {len(wanted.specs)}. Запустите scripts/measure.py {name}.")
    said += [
        f"{file.name}: запись не нужна ни одной фигуре. Запустите scripts/measure.py --prune." for file in idle(folder)
    ]
    return said


def idle(folder: Path | None = None) -> list[Path]:
    """Files that no figure needs."""
    known = sets(partial(measured.recorded, folder=folder)).values()
    needed = {spec.fingerprint for wanted in known for spec in wanted.specs}
    return [file for file in measured.files(folder) if file.stem not in needed]


def _seeds(points: Iterable[tuple[str, float, RunSpec]]) -> list[Point]:
    return [Point(series, x, dataclasses.replace(spec, seed=seed)) for series, x, spec in points for seed in SEEDS]


def _rate(spec: RunSpec, part: float) -> float:
    """A part of a recipe's learning rate, rounded: it is a key."""
    return float(f"{part * spec.learning_rate:.6g}")


def _rates(spec: RunSpec) -> tuple[float, ...]:
    return tuple(_rate(spec, part) for part in RATES)
