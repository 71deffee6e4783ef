"""What the whole process shares: the database, the course, the exercises, the queue. The one user of cache_resource.

Leaves out everything that belongs to one visitor (``ui.session``).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

import graders.exercise
from demos import registry
from graders.exercise import Exercise
from jobs.queue import Queue
from lessons.faults import Fault
from lessons.loader import Known, load_leniently
from lessons.model import Course
from progress.database import Database
from settings import Settings

FRESH_FOR = 1.0
"""Seconds for which a folder's stamp is believed: a page with forty fragments looks at the disk once."""


@st.cache_resource(show_spinner=False)
def database(url: str) -> Database:
    """The course database of this process."""
    return Database(url)


@st.cache_resource(show_spinner=False)
def queue(_settings: Settings, _key: str) -> Queue:
    """The queue's client of this process."""
    return Queue(_settings)


def course(settings: Settings) -> tuple[Course, tuple[Fault, ...]]:
    """The course as it stands on disk, and the faults of lessons left out. Loaded again when a file has changed."""
    content, tasks = settings.content_dir, settings.exercises_dir
    return _course(str(content), str(tasks), _stamp(content), _stamp(tasks))


def exercises(settings: Settings) -> Mapping[str, Exercise]:
    """The exercises as they stand on disk. Loaded again when a file has changed."""
    return _exercises(str(settings.exercises_dir), _stamp(settings.exercises_dir))


@st.cache_resource(show_spinner=False, max_entries=2)
def _course(content: str, tasks: str, stamp: float, tasks_stamp: float) -> tuple[Course, tuple[Fault, ...]]:
    known_exercises = _exercises(tasks, tasks_stamp)
    known = Known(
        demos={name: registry.fields(name) for name in registry.DEMOS},
        exercises=frozenset(known_exercises),
        checks={slug: frozenset(check.id for check in task.checks) for slug, task in known_exercises.items()},
    )
    return load_leniently(Path(content), known)


@st.cache_resource(show_spinner=False, max_entries=2)
def _exercises(folder: str, stamp: float) -> Mapping[str, Exercise]:
    return graders.exercise.load_all(Path(folder))


_stamps: dict[Path, tuple[float, float]] = {}


def _stamp(folder: Path) -> float:
    """A number that changes when any file under ``folder`` is added, removed or written."""
    looked, stamp = _stamps.get(folder, (-FRESH_FOR, 0.0))
    now = time.monotonic()
    if now - looked < FRESH_FOR:
        return stamp
    stamp = sum(_weight(path) for path in folder.rglob("*") if "__pycache__" not in path.parts)
    _stamps[folder] = (now, stamp)
    return stamp


def _weight(path: Path) -> float:
    return hash((str(path), path.stat().st_mtime_ns)) % 2**40
