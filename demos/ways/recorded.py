"""The recording behind the comparison, content/measured/ways.json: wrong answers, tokens, seconds, how it was made.

Torch-free. A recording of another base model or of other requests is not shown. Leaves out making it
(``scripts/measure_ways.py``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from demos import kept
from demos.finetuning import measured
from demos.finetuning.measured import Made, Stale
from demos.ways import tasks
from demos.ways.tasks import WAYS
from settings import ROOT

FILE = ROOT / "content" / "measured" / "ways.json"
AGAIN = "Запустите scripts/measure_ways.py."


@dataclass(frozen=True, slots=True)
class Answers:
    """One task in one way. ``wrong``: what was said instead, by the request's number; the others are right."""

    wrong: Mapping[int, str]
    prompt_tokens: float  # means over the requests
    answer_tokens: float
    seconds: float  # median of one request alone, the search included
    search_seconds: float
    training_tokens: int = 0
    training_seconds: float = 0.0
    trained: int = 0  # adapters


@dataclass(frozen=True, slots=True)
class Recorded:
    """One task. ``by_shots``: right answers with so many examples; ``turns``: with examples as a conversation."""

    ways: Mapping[str, Answers]
    by_shots: Mapping[int, int]
    turns: int


@dataclass(frozen=True, slots=True)
class Recording:
    """All tasks and how they were measured."""

    base: str
    requests: str  # tasks.fingerprint() of then
    seed: int
    made: Made
    tasks: Mapping[str, Recorded]


def recording(file: Path = FILE) -> Recording:
    """What was measured on the model and the requests of now.

    Raises:
        demos.finetuning.measured.Stale: nothing was.
    """
    found = measured.current(file, _parsed, AGAIN)
    if found.requests != _requests():
        raise Stale(f"Измерено на других запросах. {AGAIN}")
    return found


def faults(file: Path = FILE) -> list[str]:
    """What is wrong with the recording, a Russian sentence each."""
    try:
        found = recording(file)
    except Stale as problem:
        return [f"content/measured/{file.name}: {problem}"]
    return [
        f"content/measured/{file.name}: задача «{name}», способ «{way}» не измерены. {AGAIN}"
        for name in tasks.tasks()
        for way in WAYS
        if name not in found.tasks or way not in found.tasks[name].ways
    ]


def write(found: Recording, file: Path = FILE) -> None:
    """Store it, one way a line."""
    head = {"base": found.base, "requests": found.requests, "seed": found.seed, **dataclasses.asdict(found.made)}
    parts = [f"{kept.line(name)}:{{{_inside(task)}}}" for name, task in found.tasks.items()]
    body = ",\n".join(parts)
    kept.write(file, f'{kept.line(head)[:-1]},\n"tasks":{{\n{body}\n}}}}\n')


def _inside(task: Recorded) -> str:
    plain = {"by_shots": task.by_shots, "turns": task.turns}
    plain |= {way: dataclasses.asdict(said) for way, said in task.ways.items()}
    return ",\n".join(f"{kept.line(name)}:{kept.line(value)}" for name, value in plain.items())


def _parsed(data: Any) -> Recording:
    read = {name: _task(said) for name, said in data["tasks"].items()}
    return Recording(str(data["base"]), str(data["requests"]), int(data["seed"]), measured.made_of(data), read)


def _task(said: Mapping[str, object]) -> Recorded:
    ways: dict[str, Answers] = {}
    for way in WAYS:
        fields = dict(said[way])  # type: ignore[call-overload]
        wrong = {int(place): str(text) for place, text in fields.pop("wrong").items()}
        ways[way] = Answers(wrong, **fields)
    shots = {int(count): int(right) for count, right in said["by_shots"].items()}  # type: ignore[attr-defined]
    return Recorded(ways, shots, int(said["turns"]))  # type: ignore[call-overload]


@lru_cache(maxsize=1)
def _requests() -> str:
    return tasks.fingerprint()
