"""Data from one form to another, line by line: what is written, what does not fit, what comes back the same.

Leaves out reading (``child``, in a process of its own) and the forms themselves (``demos.finetuning.formats``).
"""

from __future__ import annotations

from dataclasses import dataclass

from demos.data import reading
from demos.data.lint import Finding
from demos.data.samples import OWN, SAMPLES, TITLES
from demos.finetuning.formats import FORMS
from demos.params import Checked, parameter

FORM_TITLES = {name: form.title for name, form in FORMS.items()}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """A ready sample or a text of one's own, and the form to write it in."""

    sample: str = parameter("clean", "Набор", words=TITLES)
    target: str = parameter("messages", "Во что", words=FORM_TITLES)
    text: str = parameter("", "Свои данные (JSONL)", longest=reading.LONGEST)


@dataclass(frozen=True, slots=True)
class Result:
    """``lines``: number of the line and its record in the new form. ``same``: records that read back as they were."""

    target: str
    source: str  # the text that was read
    forms: tuple[tuple[str, int], ...]  # form and its records
    lines: tuple[tuple[int, str], ...]
    faults: tuple[Finding, ...]
    same: int

    @property
    def jsonl(self) -> str:
        """The file to take away."""
        return "".join(f"{text}\n" for _, text in self.lines)


def convert(params: Params) -> Result:
    """The same chats in another form.

    Raises:
        ParamsError: the text cannot be read in time and memory.
    """
    text = params.text if params.sample == OWN else SAMPLES[params.sample].train
    said = reading.ask("convert", {"text": text, "target": params.target})
    return Result(
        target=params.target,
        source=text,
        forms=tuple(said["forms"].items()),
        lines=tuple((line, record) for line, record in said["lines"]),
        faults=tuple(Finding(**row) for row in said["faults"]),
        same=said["same"],
    )
