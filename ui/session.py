"""What one visitor's page asks for: who they are, the shared parts, and a few remembered values.

The one user of ``st.session_state``. Leaves out what outlives the tab: that is stored (``progress``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

import streamlit as st

import settings as course_settings
from graders.exercise import Exercise
from jobs.queue import Queue
from lessons.model import Course
from progress.database import Database
from progress.identity import LOCAL, Identity
from settings import Settings
from ui import resources

T = TypeVar("T")


def settings() -> Settings:
    """The settings of this process."""
    return course_settings.current()


def actor() -> Identity:
    """Who is looking. In local mode: whoever sits at the machine."""
    return LOCAL


def database() -> Database:
    """The course database."""
    return resources.database(settings().database)


def course() -> Course:
    """The course as it stands on disk."""
    return resources.materials(settings()).course


def faults() -> tuple[str, ...]:
    """What is wrong with the materials: for the author, shown on the course map."""
    return resources.materials(settings()).faults


def exercises() -> Mapping[str, Exercise]:
    """The exercises by slug."""
    return resources.materials(settings()).exercises


def queue() -> Queue:
    """The client of the job queue."""
    return resources.queue(settings(), settings().queue_database)


def recall(key: str, default: T) -> T:
    """What this tab remembers under ``key``."""
    return cast("T", st.session_state.get(key, default))


def remember(key: str, value: object) -> None:
    """Keep ``value`` under ``key`` for as long as this tab is open."""
    st.session_state[key] = value


def forget(key: str) -> None:
    """Drop what this tab remembers under ``key``."""
    st.session_state.pop(key, None)
