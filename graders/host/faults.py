"""What can go wrong between a check and the submission, as exceptions that carry plain data.

A check may catch ``SubmissionError`` and raise ``Mistake``; the rest goes through it to the judge. Leaves out the
sentences that a learner reads for them (``graders.host.sentences``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Mistake(Exception):
    """An error that the check recognises. ``misconception`` may be empty; ``sentence`` is Russian, for the learner."""

    def __init__(self, misconception: str, sentence: str, *, expected: str = "", got: str = "") -> None:
        super().__init__(sentence)
        self.misconception, self.sentence, self.expected, self.got = misconception, sentence, expected, got


class SubmissionError(Exception):
    """The learner's code raised. All fields are the learner's text: ``type``, ``message``, ``line`` (0: not theirs)."""

    def __init__(self, details: Mapping[str, Any]) -> None:
        self.type, self.message = str(details.get("type", "?")), str(details.get("message", ""))
        line = details.get("line", 0)
        self.line = line if type(line) is int else 0
        self.file = str(details.get("file", ""))[:40]  # a cell's name, where there are cells
        self.traceback, self.signature = str(details.get("traceback", "")), str(details.get("signature", ""))
        super().__init__(f"{self.type}: {self.message}")

    def details(self) -> dict[str, Any]:
        """The fields as plain data."""
        return {name: getattr(self, name) for name in ("type", "message", "line", "file", "traceback", "signature")}


class MissingName(Exception):
    """The submission does not define ``name``; ``names`` are those it defines."""

    def __init__(self, name: str, names: list[str]) -> None:
        super().__init__(name)
        self.name, self.names = name, names


class Refused(Exception):
    """The answer cannot leave the sandbox by value; the message says what it was."""


class Gone(Exception):
    """The sandbox is no more: ended by itself, by a limit or by the deadline."""


class Broken(Exception):
    """Ours, not the learner's: the sandbox did not open, given.py or a check is out of order. For the log."""
