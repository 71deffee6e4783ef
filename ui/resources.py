"""What the whole process shares: the database, the course, the exercises, the queue. The one user of cache_resource.

Leaves out everything that belongs to one visitor (``ui.session``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from demos import registry
from demos.finetuning import presets
from graders import exercise, similarity
from graders.exercise import Exercise, ExerciseError
from graders.similarity import Comparison
from jobs.queue import Queue
from lessons.loader import Known, load_leniently
from lessons.model import Course
from progress.database import Database
from settings import Settings

FRESH_FOR = 1.0
"""Seconds for which a folder's stamp is believed: a page with forty fragments looks at the disk once."""

log = logging.getLogger("course.app")


@dataclass(frozen=True, slots=True)
class Materials:
    """The course and its exercises as they stand on disk, and what keeps some of them out."""

    course: Course
    exercises: Mapping[str, Exercise]
    faults: tuple[str, ...]


@st.cache_resource(show_spinner=False)
def database(url: str) -> Database:
    """The course database of this process."""
    return Database(url)


@st.cache_resource(show_spinner=False)
def queue(_settings: Settings, url: str) -> Queue:  # noqa: ARG001 - what tells one queue from another
    """The queue's client of this process."""
    return Queue(_settings, database(_settings.database))


@st.cache_resource(show_spinner=False, max_entries=16)
def likeness(starter: str, texts: tuple[str, ...]) -> Comparison:
    """Which of these solutions are alike.

    Raises:
        CannotCompare: one Russian sentence; nothing is remembered.
    """
    return similarity.compare(starter, texts)


def materials(settings: Settings) -> Materials:
    """The course and the exercises, read again when a file has changed."""
    content, tasks = settings.content_dir, settings.exercises_dir
    return _materials(str(content), str(tasks), _stamp(content), _stamp(tasks))


@st.cache_resource(show_spinner=False, max_entries=2)
def _materials(content: str, tasks: str, written: int, tasks_written: int) -> Materials:
    log.info("reading the course, stamp %d-%d", written, tasks_written)
    exercises, broken = _exercises(Path(tasks))
    known = Known(
        demos={name: registry.fields(name) for name in registry.DEMOS},
        runs={name: preset.fields for name, preset in presets.PRESETS.items()},
        exercises=frozenset(exercises),
        checks={slug: frozenset(check.id for check in task.checks) for slug, task in exercises.items()},
    )
    course, faults = load_leniently(Path(content), known)
    return Materials(course, exercises, (*broken, *map(str, faults)))


def _exercises(folder: Path) -> tuple[Mapping[str, Exercise], list[str]]:
    """Every exercise that is in order; one that is not must not take the others with it."""
    sound: dict[str, Exercise] = {}
    broken: list[str] = []
    for path in sorted(folder.glob("*/exercise.toml")):
        try:
            sound[path.parent.name] = exercise.load(path.parent)
        except ExerciseError as error:
            broken.append(str(error))
    return sound, broken


_stamps: dict[Path, tuple[float, int]] = {}


def _stamp(folder: Path) -> int:
    """A number that changes when a file under ``folder`` is added, removed or written."""
    looked, stamp = _stamps.get(folder, (-FRESH_FOR, 0))
    now = time.monotonic()
    if now - looked < FRESH_FOR:
        return stamp
    stamp = sum(_weight(path) for path in folder.rglob("*") if "__pycache__" not in path.parts)
    _stamps[folder] = (now, stamp)
    return stamp


def _weight(path: Path) -> int:
    try:
        return hash((str(path), path.stat().st_mtime_ns)) % 2**40
    except FileNotFoundError:  # an editor's temporary file: gone between the listing and this look
        return 0
