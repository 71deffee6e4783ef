"""What a run says while it goes: frozen events with a versioned JSON form. Stored as they are, drawn as they come.

Imports no torch. Leaves out who makes them (``run``) and where they are kept (``progress.runs``).
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

VERSION = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """What is being done now, before and after the steps: «Загружаем базовую модель»."""

    kind: ClassVar[str] = "stage"
    name: str  # load | data | preflight | before | train | after | save
    title: str
    seconds: float  # since the run began


@dataclass(frozen=True, slots=True)
class Started:
    """The preflight is over: what is trained, on what, and what it takes. Sizes in bytes."""

    kind: ClassVar[str] = "started"
    trainable: int
    total: int
    share: float
    optimizer_bytes: int  # AdamW's two moments, as they will be
    base_bytes: int  # weights as loaded, quantization constants included
    steps: int
    train_examples: int
    trained_tokens: int  # of one pass over the training data: only these enter the loss
    all_tokens: int
    first_loss: float  # of the first batch, before any step
    base_loss: float  # the same batch through the base as loaded
    overfit_loss: float  # one batch after a few steps of a throw-away copy
    label: str  # a decoded example: what is trained on stands between ‹ and ›
    layers: tuple[str, ...]  # names of the adapted layers, one of each kind
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """Progress of training; at most four a second."""

    kind: ClassVar[str] = "step"
    step: int
    steps: int
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens_per_second: float
    memory: int  # peak resident bytes of the process (or of the GPU) so far
    seconds: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Loss on the validation examples at a step; step 0 is before training."""

    kind: ClassVar[str] = "evaluated"
    step: int
    loss: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that the learner should know; ``fatal`` ones end the run. The text is a Russian sentence."""

    kind: ClassVar[str] = "alarm"
    code: str  # no_trained_tokens | plateau | divergence | partial_targets | truncated | overfitting | early_stop | ...
    text: str
    step: int
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One held-out example: what was asked, what is right, what both models said."""

    prompt: str
    right: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Score:
    """Exact match: ``right`` of ``of``, with Wilson's 95 % interval."""

    right: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Share of right answers; nought of nought is nought."""
        return self.right / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Retention:
    """One old skill before and after."""

    skill: str
    before: Score
    after: Score


@dataclass(frozen=True, slots=True)
class Finished:
    """What changed and what it cost. Sizes in bytes."""

    kind: ClassVar[str] = "finished"
    before: Score
    after: Score
    gained: int  # wrong before, right after
    lost: int  # right before, wrong after
    p_value: float  # McNemar's exact test, two-sided
    validation_before: float
    validation_after: float
    retention: tuple[Retention, ...]
    adapter_off_equals_base: bool | None  # logits bit for bit with the base as loaded; None where there is no switch
    adapter_off_difference: float | None  # largest logit difference to the original, unquantized base
    answers: tuple[Answer, ...]
    steps: int
    stopped_early: bool
    peak_memory: int
    file_bytes: int  # what is saved: the adapter, or the whole model after full tuning
    train_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The run cannot go on; the text is a Russian sentence that says what to do."""

    kind: ClassVar[str] = "failed"
    code: str  # refused | memory | diverged | no_trained_tokens | unavailable | fault | cancelled
    text: str
    seconds: float


RESTARTED = "restarted"
"""Code of the alarm after which everything is said anew: the process was killed, and the run began again."""
Event = Stage | Started | Step | Evaluated | Alarm | Finished | Failed
KINDS: Mapping[str, type[Any]] = {event.kind: event for event in typing.get_args(Event)}
LAST = (Finished, Failed)
"""Events after which nothing comes."""


def latest(told: Sequence[Event]) -> tuple[Event, ...]:
    """What belongs to a picture of the run: the events since it last began anew, that alarm included."""
    anew = [place for place, event in enumerate(told) if isinstance(event, Alarm) and event.code == RESTARTED]
    return tuple(told[anew[-1] if anew else 0 :])


def to_json(event: Event) -> dict[str, Any]:
    """Plain JSON data; not-a-number and infinity become null, for JSON has neither."""
    return {"version": VERSION, "kind": event.kind, **_plain(dataclasses.asdict(event))}


def from_json(data: Mapping[str, Any]) -> Event:
    """The event that ``to_json`` wrote; unknown fields of a later version are left out.

    Raises:
        ValueError: an unknown kind, or a field is missing.
    """
    kind = KINDS.get(str(data.get("kind")))
    if kind is None:
        raise ValueError(f"unknown event {data.get('kind')!r}")
    return typing.cast("Event", _build(kind, data))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124
        return None
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return {name: hint for name, hint in typing.get_type_hints(kind).items() if name != "kind"}


def _build(kind: Any, data: Mapping[str, Any]) -> Any:
    hints = _hints(kind)
    missing = (
        hints.keys()
        - data.keys()
        - {item.name for item in dataclasses.fields(kind) if item.default is not dataclasses.MISSING}
    )
    if missing:
        raise ValueError(f"{kind.__name__}: {', '.join(sorted(missing))} missing")
    return kind(**{name: _value(hint, data[name]) for name, hint in hints.items() if name in data})


def _value(hint: Any, data: Any) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(data, Mapping):
        return _build(typing.cast("type[Any]", hint), data)
    if typing.get_origin(hint) is tuple and isinstance(data, Sequence):
        inner = typing.get_args(hint)[0]
        return tuple(_value(inner, item) for item in data)
    if hint is float and data is None:
        return float("nan")
    return data
