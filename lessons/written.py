"""The files of content/ as authors write them, where they differ from what pages get (``model``)."""

from __future__ import annotations

from dataclasses import dataclass

from lessons.model import ChecklistItem, FrequentError, Map, Myth, NextStep, Phase, Term


@dataclass(frozen=True, slots=True)
class WrittenLesson:
    """lesson.toml: a lesson without its flow and its questions."""

    id: str
    number: str
    title: str
    summary: str
    goal: str
    outcomes: tuple[str, ...]
    map: Map
    anchor: str
    bridge: str
    terms: tuple[Term, ...]
    phases: tuple[Phase, ...]
    myths: tuple[Myth, ...]
    errors: tuple[FrequentError, ...]
    checklist: tuple[ChecklistItem, ...]
    next: tuple[NextStep, ...]
    prerequisites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenCourse:
    """course.toml."""

    title: str
    lead: str
    planned: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()  # the way through the course, week by week
