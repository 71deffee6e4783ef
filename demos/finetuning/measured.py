"""Recorded runs, content/measured/runs/: what each asked, on which base, how it was made, and every event it told.

One JSON file a run, named by the spec's fingerprint. A recording of another base model is not shown. Torch-free. Leaves
out which runs are wanted (``plan``) and making them (``scripts/measure.py``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from demos import kept
from demos.finetuning import base_model, events, story
from demos.finetuning.events import Event, Finished, Step
from demos.finetuning.spec import RunSpec
from demos.finetuning.story import Story
from demos.params import ParamsError
from settings import ROOT

FOLDER = ROOT / "content" / "measured" / "runs"
VERSION = 1
MOST_STEPS, MOST_ANSWERS = 60, 12
LARGEST = 40_000
"""Bytes of one recording."""
T = TypeVar("T")


class Stale(ValueError):
    """There is no recording to show; the message is a Russian sentence."""


class OfBase(Protocol):
    """What was measured on a base model."""

    @property
    def base(self) -> str:
        """``base()`` of then."""


Of = TypeVar("Of", bound=OfBase)


class Unreadable(ValueError):
    """A file that is no recording of this version."""


@dataclass(frozen=True, slots=True)
class Made:
    """How a recording came about."""

    script: str
    date: str  # ISO 8601
    versions: Mapping[str, str]  # of torch and the libraries
    machine: Mapping[str, Any]  # cores, processor, threads


@dataclass(frozen=True, slots=True)
class Recording:
    """A run that took place. ``events`` are what it told as JSON, ``story`` is the same read."""

    spec: RunSpec
    base: str  # base_model.fingerprint() of then
    made: Made
    events: tuple[Mapping[str, Any], ...]
    story: Story


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a figure's numbers come from: its recordings taken together."""

    recordings: int
    scripts: tuple[str, ...]
    first: str  # ISO 8601
    last: str
    seeds: tuple[int, ...]
    versions: tuple[tuple[str, str], ...]  # library and its version; two versions are two pairs
    processors: tuple[str, ...]
    threads: tuple[int, ...]  # of each run


def origin(fingerprints: Iterable[str]) -> Origin | None:
    """Where the recordings of these specs come from; None when there are none."""
    found = [one for each in dict.fromkeys(fingerprints) if (one := recorded(each))]
    if not found:
        return None
    made = [one.made for one in found]
    dates = sorted(each.date for each in made)
    return Origin(
        recordings=len(found),
        scripts=tuple(sorted({each.script for each in made})),
        first=dates[0],
        last=dates[-1],
        seeds=tuple(sorted({one.spec.seed for one in found})),
        versions=tuple(sorted({pair for each in made for pair in each.versions.items()})),
        processors=tuple(sorted({str(each.machine["processor"]) for each in made if "processor" in each.machine})),
        threads=tuple(sorted({int(each.machine["threads"]) for each in made if "threads" in each.machine})),
    )


def origin_of(made: Made, seed: int) -> Origin:
    """Where the numbers of a single measurement come from."""
    versions, machine = tuple(sorted(made.versions.items())), made.machine
    threads, processor = int(machine["threads"]), str(machine["processor"])
    return Origin(1, (made.script,), made.date, made.date, (seed,), versions, (processor,), (threads,))


def recorded(fingerprint: str, folder: Path | None = None) -> Recording | None:
    """The recording of the spec with this fingerprint on the base model of now; None when there is none to show."""
    try:
        found = _read((folder or FOLDER) / f"{fingerprint}.json")
    except (OSError, Unreadable):
        return None
    return found if found.base == base() and found.spec.fingerprint == fingerprint else None


def events_of(fingerprint: str) -> Sequence[Mapping[str, Any]] | None:
    """The events of the recorded run of a spec, as plain data: what is replayed to those who wait; or None."""
    found = recorded(fingerprint)
    return found.events if found else None


def stamp() -> tuple[str, int]:
    """Changes whenever a recording comes or goes."""
    return str(FOLDER), FOLDER.stat().st_mtime_ns if FOLDER.exists() else 0


def recordings(folder: Path | None = None) -> tuple[Recording, ...]:
    """Everything recorded on the base model of now."""
    found = (recorded(file.stem, folder) for file in files(folder))
    return tuple(each for each in found if each is not None)


def faults(folder: Path | None = None) -> list[str]:
    """What is wrong with the files themselves, a Russian sentence each."""
    said, stale = [], []
    for file in files(folder):
        try:
            found = _read(file)
        except (OSError, Unreadable) as error:
            said.append(f"{_name(file)}: запись не читается ({error}). Удалите файл и запустите scripts/measure.py.")
            continue
        if file.stem != found.spec.fingerprint:
            said.append(f"{_name(file)}: имя не совпадает с рецептом: должно быть {found.spec.fingerprint}.json.")
        if file.stat().st_size > LARGEST:
            said.append(f"{_name(file)}: запись больше {LARGEST // 1000} КБ.")
        if found.base != base():
            stale.append(file)
    if stale:
        said.append(
            f"{_name(stale[0])} и другие, всего {len(stale)}: записаны на другой базовой модели. "
            "Запустите scripts/measure.py: он перепишет их."
        )
    return said


def write(spec: RunSpec, told: Iterable[Event], made: Made, folder: Path | None = None) -> Path:
    """Store a recording, whole or not at all."""
    target = (folder or FOLDER) / f"{spec.fingerprint}.json"
    head = {
        "version": VERSION,
        "fingerprint": spec.fingerprint,
        "base": base(),
        "seed": spec.seed,
        **dataclasses.asdict(made),
        "spec": spec.to_json(),
    }
    lines = ",\n".join(kept.line(kept.rounded(events.to_json(event))) for event in thin(tuple(told)))
    kept.write(target, f'{kept.line(head)[:-1]},\n"events":[\n{lines}\n]}}\n')
    return target


def thin(told: Sequence[Event]) -> list[Event]:
    """The same events with fewer steps and fewer answers, the first and the last of them kept."""
    steps = [place for place, event in enumerate(told) if isinstance(event, Step)]
    left_out = set(steps) - set(_spread(steps, MOST_STEPS))
    kept = [event for place, event in enumerate(told) if place not in left_out]
    return [
        dataclasses.replace(event, answers=tuple(_spread(event.answers, MOST_ANSWERS)))
        if isinstance(event, Finished)
        else event
        for event in kept
    ]


def base() -> str:
    """The fingerprint of the bundled model; empty while there is none."""
    try:
        return base_model.fingerprint()
    except OSError:
        return ""


def current(file: Path, parse: Callable[[Any], Of], again: str) -> Of:
    """What a file of content/measured holds, when it was measured on the base model of now.

    Raises:
        Stale: it is not there, not readable, or of another base model; ``again`` says how to measure it.
    """
    try:
        found = kept.read(file, parse)
    except FileNotFoundError:
        raise Stale(f"Измерений пока нет. {again}") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise Stale(f"Запись не читается. {again}") from None
    if found.base != base():
        raise Stale(f"Измерено на другой базовой модели. {again}")
    return found


def _spread(items: Sequence[T], most: int) -> list[T]:
    if len(items) <= most:
        return list(items)
    return [items[round(turn * (len(items) - 1) / (most - 1))] for turn in range(most)]


def files(folder: Path | None = None) -> list[Path]:
    """Every recording's file, by name."""
    return sorted((folder or FOLDER).glob("*.json"))


def _name(file: Path) -> str:
    return "/".join(file.parts[-4:]) if file.is_relative_to(ROOT) else file.name


def made_of(data: Mapping[str, Any]) -> Made:
    """How a measurement came about, from a file that says it among its own keys.

    Raises:
        KeyError: it does not.
    """
    return Made(**{item.name: data[item.name] for item in dataclasses.fields(Made)})


def _read(file: Path) -> Recording:
    """A file's content.

    Raises:
        OSError: there is no such file.
        Unreadable: it is no recording of this version.
    """
    try:
        return kept.read(file, _parsed)
    except ParamsError as error:
        raise Unreadable(str(error)) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("это не запись запуска") from None


def _parsed(data: Any) -> Recording:
    if data["version"] != VERSION:
        raise Unreadable("другая версия")
    stored = tuple(data["events"])
    told = [events.from_json(event) for event in stored]
    return Recording(RunSpec.from_json(data["spec"]), str(data["base"]), made_of(data), stored, story.tell(told))
