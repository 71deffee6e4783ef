"""A run's events put together: what is known of the run so far. What charts, pages and notebooks read.

Pure and torch-free. Leaves out making events (``run``) and words for people (``ui``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demos.finetuning.events import Alarm, Evaluated, Event, Failed, Finished, Stage, Started, Step, from_json, latest

LEAD = 1.0
"""Seconds until a replayed recording shows the first point of its curve."""


@dataclass(frozen=True, slots=True)
class Story:
    """Events by kind, in the order they came."""

    stage: Stage | None = None  # the latest
    started: Started | None = None
    steps: tuple[Step, ...] = ()
    evaluated: tuple[Evaluated, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    finished: Finished | None = None
    failed: Failed | None = None

    @property
    def last(self) -> Step | None:
        """The latest step that was told."""
        return self.steps[-1] if self.steps else None

    @property
    def over(self) -> bool:
        """Nothing comes after this."""
        return self.finished is not None or self.failed is not None

    @property
    def planned(self) -> int:
        """Steps that the run will take, 0 while nobody has said so."""
        if self.started is not None:
            return self.started.steps
        return self.last.steps if self.last else 0


def tell(events: Iterable[Event]) -> Story:
    """The story of these events; what an attempt that was lost had told is left out."""
    kept: dict[type, list[Any]] = {}
    for event in latest(tuple(events)):
        kept.setdefault(type(event), []).append(event)
    return Story(
        stage=_last(kept, Stage),
        started=_last(kept, Started),
        steps=tuple(kept.get(Step, ())),
        evaluated=tuple(kept.get(Evaluated, ())),
        alarms=tuple(kept.get(Alarm, ())),
        finished=_last(kept, Finished),
        failed=_last(kept, Failed),
    )


def read(stored: Sequence[Mapping[str, Any]]) -> tuple[Event, ...]:
    """Events from their JSON; what a later version of the course wrote and this one cannot read is left out."""
    found = []
    for data in stored:
        try:
            found.append(from_json(data))
        except ValueError:
            continue
    return tuple(found)


def replayed(recorded: Sequence[Event], seconds: float) -> Story:
    """A recorded run as it looks ``seconds`` after somebody began to wait for their own.

    Whoever waits wants the curve: of the time before its first point only ``LEAD`` is kept.
    """
    first = next((event.seconds for event in recorded if isinstance(event, Step | Evaluated)), 0.0)
    upto = seconds + max(0.0, first - LEAD)
    return tell(event for event in recorded if getattr(event, "seconds", 0.0) <= upto)


def _last(kept: Mapping[type, list[Any]], kind: type) -> Any:
    told = kept.get(kind)
    return told[-1] if told else None
