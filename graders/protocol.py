"""What a grading is told and what it answers: frozen, versioned, plain. Standard library only.

The same types serve the queue, the store, the pages and the command line. Leaves out how a verdict is reached
(``graders.host``) and the frames between judge and sandbox (``graders.wire``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

VERSION = 1
WALLS = {
    "world": "своя файловая система",
    "namespaces": "отдельные процессы и сеть",
    "scratch": "своя временная папка",
    "bounds": "никаких прав",
    "identity": "отдельный пользователь",
    "mortality": "конец вместе с проверкой",
    "privileges": "никаких прав",
    "limits": "пределы времени и памяти",
    "landlock": "Landlock",
    "seccomp": "запрет опасных вызовов",
    "cgroup": "учёт памяти ядром (cgroup)",
    "socket names": "Landlock для сокетов с именем файла",
}
"""The sandbox's layers, for people."""


class Outcome(StrEnum):
    """How a submission, or one check, ended. ``INFRA_ERROR`` is ours: requeued, no attempt charged."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    NOT_ATTEMPTED = "not_attempted"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASHED = "crashed"
    FORBIDDEN = "forbidden"
    PROTOCOL = "protocol"
    INVALID_FILE = "invalid_file"
    INFRA_ERROR = "infra_error"

    @property
    def counts(self) -> bool:
        """Whether an attempt that ended so is counted."""
        return self not in {Outcome.NOT_ATTEMPTED, Outcome.INVALID_FILE, Outcome.INFRA_ERROR}


CHECK_OUTCOMES = frozenset(Outcome) - {
    Outcome.PARTIAL,
    Outcome.NOT_ATTEMPTED,
    Outcome.INVALID_FILE,
    Outcome.INFRA_ERROR,
}
"""The outcomes that a single check may have."""


@dataclass(frozen=True, slots=True)
class Job:
    """One grading: which exercise, which text. ``source`` is what the learner sent, undecoded."""

    exercise: str
    source: bytes
    filename: str = "solution.py"


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found, in words for the learner. What the learner's code wrote is unescaped here."""

    id: str
    title: str
    concept: str
    points: float
    earned: float
    outcome: Outcome
    message: str = ""  # what is wrong, one sentence
    expected: str = ""
    got: str = ""
    hint: str = ""
    misconception: str = ""  # id in content/misconceptions.toml
    traceback: str = ""  # of the learner's own lines only
    output: str = ""  # what the learner's code printed during this check, capped


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole answer to a submission."""

    exercise: str
    outcome: Outcome
    message: str  # one sentence that sums up
    checks: tuple[Check, ...] = ()
    output: str = ""  # what the learner's code printed outside the checks, mostly while it was loaded; capped
    traceback: str = ""  # when the file did not load: the learner's own lines
    seconds: float = 0.0
    exercise_version: str = ""  # hash of the exercise's folder
    notices: tuple[str, ...] = ()  # what was noticed about the file; costs nothing
    version: int = VERSION

    @property
    def points(self) -> float:
        """Points earned."""
        return sum(check.earned for check in self.checks)

    @property
    def possible(self) -> float:
        """Points that could be earned."""
        return sum(check.points for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Plain data for the store; ``Verdict.from_json`` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        """The verdict that ``to_json`` wrote.

        Raises:
            ValueError: the form is of another version.
        """
        if data.get("version") != VERSION:
            raise ValueError(f"verdict of version {data.get('version')!r}, this code reads {VERSION}")
        checks = tuple(Check(**{**check, "outcome": Outcome(check["outcome"])}) for check in data["checks"])
        notices = tuple(data.get("notices", ()))
        return cls(**{**data, "outcome": Outcome(data["outcome"]), "checks": checks, "notices": notices})


@dataclass(frozen=True, slots=True)
class Trial:
    """What «Запустить» answers: the learner's code on a public example or a call of their own. Nothing is counted."""

    outcome: Outcome  # PASSED: it ran to the end
    message: str = ""
    output: str = ""
    value: str = ""  # repr of the last call, capped
    traceback: str = ""
    seconds: float = 0.0
    notices: tuple[str, ...] = ()
    version: int = VERSION

    def to_json(self) -> dict[str, Any]:
        """Plain data for the store."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Trial:
        """The trial that ``to_json`` wrote.

        Raises:
            ValueError: the form is of another version.
        """
        if data.get("version") != VERSION:
            raise ValueError(f"trial of version {data.get('version')!r}, this code reads {VERSION}")
        return cls(**{**data, "outcome": Outcome(data["outcome"]), "notices": tuple(data.get("notices", ()))})
