"""From the click that asks for a run to its stored result, through store, queue and worker; a step beside a bare loop.

The lesson's own QLoRA run for three seeds, three curves one after another, thirty learners who press at once (what each
sees is what its page would show: its own events, or a recorded run as far as it had got by then), steps by turns with a
bare PyTorch loop (``benchmarks.steps``) and, where there is a card, a model of hub size (``benchmarks.hub_size``).
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

from benchmarks import hub_size, steps, table
from benchmarks.school import School, school
from common import numbers
from demos.finetuning import events, measured, story, tasks
from demos.finetuning.events import Evaluated, Event, Finished, Step
from demos.finetuning.spec import THREE_CURVES, RunSpec
from jobs import queue, tuning
from progress import runs
from progress.identity import Identity
from settings import ROOT

EXERCISE = ROOT / "benchmarks" / "exercises" / "peft-adapter"
"""Any exercise: a worker wants a folder of them."""
SEEDS, CROWD, PATIENCE, LOOK = (0, 1, 2), 30, 600.0, 0.02
CLICK, FIRST, BEFORE, AFTER, CURVES, SEES, RATIO = 60.0, 2.0, 0.05, 0.90, 150.0, 5.0, 1.3
Row = tuple[str, str, str]
HEAD = ("what", "figure", "bound")


@dataclass(frozen=True, slots=True)
class Result:
    """A run as its learner waited for it. Seconds from the click."""

    first_event: float
    seconds: float
    finished: Finished

    @property
    def before(self) -> float:
        """Share of exact matches of the base."""
        return self.finished.before.right / self.finished.before.of

    @property
    def after(self) -> float:
        """Share of exact matches after tuning."""
        return self.finished.after.right / self.finished.after.of


def main() -> int:
    """Print the tables; 1 when a bound is missed."""
    with school(EXERCISE) as course:
        course.hire("first")
        click(course, Clicker(), replace(RunSpec(), steps=2, held_out=4))  # until the worker is warm: nobody's time
        kept = [
            shown("QLoRA on JSON answers, from the click", *of_clicks(course, RunSpec())),
            shown("Three curves, one after another", *of_curves(course, tuple(THREE_CURVES.values()))),
            shown(f"{CROWD} learners press at once", *of_crowd(course, RunSpec(), CROWD)),
        ]
    kept += [
        shown("A step of a run beside a bare PyTorch loop, by turns", *apart(of_steps, RunSpec())),
        shown(f"{hub_size.MODEL}, NF4, random weights, ten steps", *apart(of_card)),
    ]
    return 0 if all(kept) else 1


def shown(title: str, rows: Sequence[Row], kept: bool) -> bool:
    """Print one table; whether its bounds are kept."""
    table.show(f"{title}; {table.machine()}", HEAD, rows)
    return kept


class Clicker:
    """New learners, one after another: nobody meets the limits of one person."""

    def __init__(self) -> None:
        self._number = 0

    def __call__(self) -> Identity:
        self._number += 1
        return Identity(f"tuner-{self._number}-{time.monotonic_ns()}", f"Ученик {self._number}", instructor=False)


def press(course: School, learner: Identity, spec: RunSpec) -> int:
    """What the button does: the row, then the queue; the run's number.

    Raises:
        RuntimeError: the queue did not take it.
    """
    made = runs.create(course.database, learner, spec.to_json())
    if not course.queue.run(made.id):
        raise RuntimeError("the queue did not take the run")
    return made.id


def click(course: School, learners: Clicker, spec: RunSpec) -> Result:
    """Press and wait for the stored end."""
    started = time.perf_counter()
    return wait(course, press(course, learners(), spec), started)


def wait(course: School, number: int, started: float) -> Result:
    """Look until the run is over, as its page does.

    Raises:
        RuntimeError: it has not finished.
    """
    first = None
    while time.perf_counter() - started < PATIENCE:
        row = runs.run(course.database, number)
        if first is None and row.events:
            first = time.perf_counter() - started
        if row.state == "done":
            last = told(course, number)[-1]
            if not isinstance(last, Finished):
                raise RuntimeError(f"run {number} ended with {last}")
            return Result(first or 0.0, time.perf_counter() - started, last)
        time.sleep(LOOK)
    raise RuntimeError(f"run {number} has not ended in {PATIENCE} s")


def told(course: School, number: int) -> list[Event]:
    """Every stored event of a run."""
    return [events.from_json(event) for event in runs.events_since(course.database, number)]


def of_clicks(course: School, spec: RunSpec, seeds: Sequence[int] = SEEDS) -> tuple[list[Row], bool]:
    """One run for each seed; the worst of them stands beside the bounds."""
    learners = Clicker()
    done = {seed: click(course, learners, replace(spec, seed=seed)) for seed in seeds}
    rows = [
        (
            f"seed {seed}",
            f"{result.seconds:.1f} s; exact match {result.before:.1%} -> {result.after:.1%}, "
            f"first event {result.first_event:.2f} s, training {result.finished.train_seconds:.1f} s",
            "",
        )
        for seed, result in done.items()
    ]
    results = list(done.values())
    return judged(
        rows,
        ("worst: click to stored result, s", max(one.seconds for one in results), CLICK, False),
        ("worst: first event, s", max(one.first_event for one in results), FIRST, False),
        ("worst: exact match before", max(one.before for one in results), BEFORE, False),
        ("worst: exact match after", min(one.after for one in results), AFTER, True),
    )


def of_curves(course: School, specs: Sequence[RunSpec]) -> tuple[list[Row], bool]:
    """One learner presses for all of them; they go one after another."""
    learner, started = Clicker()(), time.perf_counter()
    results = [wait(course, number, started) for number in [press(course, learner, spec) for spec in specs]]
    rows = [
        (spec.title, f"done after {result.seconds:.1f} s; {result.before:.1%} -> {result.after:.1%}", "")
        for spec, result in zip(specs, results, strict=True)
    ]
    return judged(rows, ("all three, s", results[-1].seconds, CURVES, False))


def of_crowd(course: School, spec: RunSpec, many: int) -> tuple[list[Row], bool]:
    """So many press at once: seconds until each sees a curve, live or recorded; then all are cancelled."""
    learners = [Clicker()() for _ in range(many)]
    began = {learner: time.perf_counter() for learner in learners}
    numbers_of = {learner: press(course, learner, spec) for learner in learners}
    seen: dict[Identity, float] = {}
    while len(seen) < many and time.perf_counter() - min(began.values()) < 4 * SEES:
        for learner in learners:
            if learner not in seen and sees(course, numbers_of[learner], spec, time.perf_counter() - began[learner]):
                seen[learner] = time.perf_counter() - began[learner]
        time.sleep(LOOK)
    for learner, number in numbers_of.items():
        course.queue.cancel(learner, number)
    worst = max(seen.values(), default=0.0) if len(seen) == many else float("inf")
    rows = [("see a curve", f"{len(seen)} of {many}", ""), ("median, s", _median(seen.values()), "")]
    return judged(rows, ("the last of them, s", worst, SEES, False))


def sees(course: School, number: int, spec: RunSpec, age: float) -> bool:
    """Whether the run's page shows a point of a curve ``age`` seconds after the click."""
    if any(isinstance(event, Step | Evaluated) for event in told(course, number)):
        return True
    recorded = queue.replay(course.queue.run_place(number), spec, measured.events_of) or ()
    shown = story.replayed(story.read(recorded), age)
    return bool(shown.steps or shown.evaluated)


def of_steps(spec: RunSpec, count: int = steps.STEPS, turns: int = steps.TURNS) -> tuple[list[Row], bool]:
    """Full, LoRA and QLoRA, each beside its own bare loop, in as many threads as runs have."""
    import torch

    torch.set_num_threads(tuning.threads())
    data = tasks.build(spec.task)
    small = replace(data, validation=data.validation[:4], test=data.test[:4])
    rows, bounds = [], []
    for kind in THREE_CURVES.values():
        ours, bare = steps.compare(replace(kind, task=spec.task, batch=spec.batch, steps=count), small, turns=turns)
        rows.append((kind.title, f"{1000 * ours:.1f} ms, bare loop {1000 * bare:.1f} ms", ""))
        bounds.append((f"{kind.title}: times the bare loop", ours / bare, RATIO, False))
    return judged(rows, *bounds)


def of_card() -> tuple[list[Row], bool]:
    """Ten steps of a model of hub size, recorded; a row that says so where there is no card."""
    if hub_size.card() is None:
        return [("no GPU here", "not measured", "")], True
    found = hub_size.measure()
    kept = hub_size.record(found).relative_to(ROOT)
    rows = [
        ("peak memory", f"{found.peak / 1e9:.2f} GB, calculated {found.calculated_peak / 1e9:.2f}", ""),
        ("weights", f"{found.weights / 1e9:.2f} GB, calculated {found.calculated_weights / 1e9:.2f}", ""),
        (f"{found.steps} steps on {found.device}", f"{found.seconds:.1f} s", str(kept)),
    ]
    return rows, True


def apart(measure: Callable[..., tuple[list[Row], bool]], *arguments: object) -> tuple[list[Row], bool]:
    """The same in a fresh process: torch and its threads are nobody else's."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(measure, *arguments).result()


def judged(rows: Sequence[Row], *bounds: tuple[str, float, float, bool]) -> tuple[list[Row], bool]:
    """``rows`` with a row for each bound (title, figure, bound, whether at least), and whether all are kept."""
    kept = [value >= bound if at_least else value <= bound for _, value, bound, at_least in bounds]
    more = [
        (title, f"{value:.2f}", table.verdict(value, bound, at_least=at_least))
        for title, value, bound, at_least in bounds
    ]
    return [*rows, *more], all(kept)


def _median(seconds: Iterable[float]) -> str:
    ordered = sorted(seconds)
    return numbers.decimal(ordered[len(ordered) // 2]) if ordered else "none"


if __name__ == "__main__":
    raise SystemExit(main())
