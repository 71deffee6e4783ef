"""What is wrong with data before it is trained on: faults by line, tokens, repeats, leaks, the balance of answers.

Leaves out reading (``child``, in a process of its own) and rules for one example (``demos.finetuning.linter``).
"""

from __future__ import annotations

from dataclasses import dataclass

from demos.data import reading
from demos.data.samples import OWN, SAMPLES, TITLES
from demos.params import Checked, parameter


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """A ready sample, or texts of one's own: JSONL, one example a line."""

    sample: str = parameter("repeated", "Набор", words=TITLES)
    longest: int = parameter(
        128, "Окно (max_length), токенов", low=8, high=512, note="у мини-переводчика не больше 512"
    )
    train: str = parameter("", "Обучение (JSONL)", longest=reading.LONGEST)
    validation: str = parameter("", "Проверка (JSONL)", longest=reading.LONGEST, note="можно оставить пустой")


@dataclass(frozen=True, slots=True)
class Finding:
    """``level`` is ``error`` (the file will be refused) or ``warning``."""

    level: str
    kind: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """``lengths``: tokens of each training example with its line. ``answers``: the most frequent with their counts."""

    findings: tuple[Finding, ...]
    more: int  # findings that are not listed
    errors: int
    warnings: int
    train: int
    validation: int
    longest: int
    lengths: tuple[tuple[int, int], ...]
    trained: int  # tokens of answers, ends included
    answers: tuple[tuple[str, int], ...]
    different: int

    @property
    def tokens(self) -> int:
        """All tokens of the training examples."""
        return sum(length for _, length in self.lengths)

    @property
    def too_long(self) -> int:
        """Training examples that will be cut."""
        return sum(length > self.longest for _, length in self.lengths)


def lint(params: Params) -> Result:
    """Everything that can be said without training.

    Raises:
        ParamsError: the text cannot be read in time and memory.
    """
    train, validation = texts(params)
    said = reading.ask("lint", {"train": train, "validation": validation, "longest": params.longest})
    return Result(
        findings=tuple(Finding(**row) for row in said["findings"]),
        more=said["more"],
        errors=said["errors"],
        warnings=said["warnings"],
        train=said["examples"]["train"],
        validation=said["examples"]["validation"],
        longest=params.longest,
        lengths=tuple((line, length) for line, length in said["lengths"]),
        trained=said["trained"],
        answers=tuple((text, count) for text, count in said["answers"]),
        different=said["different"],
    )


def texts(params: Params) -> tuple[str, str]:
    """What is looked at: the sample's texts or the learner's."""
    if params.sample == OWN:
        return params.train, params.validation
    chosen = SAMPLES[params.sample]
    return chosen.train, chosen.validation
