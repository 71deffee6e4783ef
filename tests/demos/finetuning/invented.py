"""Recordings of runs that never took place, in the form of real ones: what figures and faults are tested on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path

from demos.finetuning import measured
from demos.finetuning.events import Answer, Evaluated, Event, Failed, Finished, Retention, Stage, Started, Step
from demos.finetuning.spec import RunSpec
from demos.finetuning.statistics import wilson

MADE = measured.Made("tests", "2026-01-01T00:00:00+00:00", {"torch": "0"}, {"cores": 2})
OF = 200
SKILLS, EACH = ("to_english", "add"), 20
"""Old skills and how many questions of each; the base answers all of the first and half of the second."""


def told(spec: RunSpec, right: int, *, steps: int = 160, kept: int | None = None) -> list[Event]:
    """A run that ends with ``right`` of ``OF`` answers, and ``kept`` of each old skill where these were asked."""
    known = (EACH, EACH // 2)
    old = (
        ()
        if kept is None
        else tuple(
            Retention(skill, wilson(before, EACH), wilson(min(kept, before), EACH))
            for skill, before in zip(SKILLS, known, strict=True)
        )
    )
    loss = 0.01 + 2 * (1 - right / OF)
    answer = Answer("переведи на английский: кот спит на тёплом окне", '{"ответ": 1}', "the cat", '{"ответ": 2}')
    return [
        Stage("load", "Загружаем базовую модель", 0.1),
        Started(1000, 2_300_000, 0.0004, 8000, 9_200_000, steps, 1000, 20_000, 60_000, 4.2, 4.2, 0.1, "‹{}›", (), 1.0),
        Evaluated(0, 4.2, 1.1),
        *(Step(n, steps, 4.2 / n, 0.005, 1.23456789, 5000.0, 500_000_000, n / 9, 1.0) for n in range(1, steps + 1)),
        Evaluated(steps, loss, 20.0),
        Finished(wilson(1, OF), wilson(right, OF), right, 0, 1e-9, 4.2, loss, old, True, 0.0, (answer,) * 40, steps,
                 False, 600_000_000, 44_000, 18.5, 25.0),
    ]  # fmt: skip


def record(
    specs: Iterable[RunSpec],
    folder: Path,
    right: Callable[[RunSpec], int | None],
    kept: Callable[[RunSpec], int | None] = lambda _: None,
) -> list[Path]:
    """A recording of each recipe; ``right`` says how many answers it gets, None: the training diverged."""
    written = []
    for spec in specs:
        count = right(spec)
        noise = random.Random(spec.seed).randint(-1, 1) if count is not None and 0 < count < OF else 0
        ending: list[Event] = [Failed("diverged", "Обучение разошлось.", 3.0)]
        written.append(
            measured.write(spec, ending if count is None else told(spec, count + noise, kept=kept(spec)), MADE, folder)
        )
    return written
