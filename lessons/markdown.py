"""lesson.md as it is written: blocks with their attributes, stretches of prose and directives, each with its line.

Knows the closed list of directives and their form. Leaves out what they refer to (``directives``) and Markdown itself
(the page renders it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lessons.faults import nearest
from lessons.model import Depth
from lessons.reading import Source

PARTS = ("map", "anchor", "terms", "phases", "myths", "errors", "checklist", "next")
DIRECTIVES = (*PARTS, "demo", "run", "mine", "quiz", "figure", "code", "exercise")
WITH_BODY = frozenset({"figure", "code"})

ID = re.compile(r"[A-Za-z0-9][\w.-]*")
_HEADING = re.compile(
    r"##[ \t]+(?P<title>.+?)[ \t]*\{#(?P<id>[\w.-]+)[ \t]+(?P<depth>core|deep)[ \t]+(?P<minutes>\d+)\}[ \t]*"
)
_FENCE = re.compile(r"[ ]{0,3}(```+|~~~+)")
_FORM = "заголовок блока пишут так: ## Название {#id core 4}"


@dataclass(frozen=True, slots=True)
class Passage:
    """Prose between directives."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Directive:
    """One ``:::`` line, with its body when it has one."""

    line: int
    name: str
    words: str
    body: tuple[str, ...] = ()


@dataclass(slots=True)
class Section:
    """A block as written."""

    line: int
    id: str
    title: str
    depth: Depth
    minutes: int
    items: list[Passage | Directive] = field(default_factory=list)


def parse(source: Source) -> list[Section]:
    """The blocks of lesson.md; what has the wrong form is a fault."""
    return _Parser(source).sections


class _Parser:
    """One pass over the lines."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.sections: list[Section] = []
        self._lines = source.text.split("\n")
        self._prose: list[str] = []
        self._prose_line = 1
        self._fence, self._fence_line = "", 1
        at = 0
        while at < len(self._lines):
            at = self._line(at)
        self._end_prose()
        if self._fence:
            self.source.fault(self._fence_line, "", f"блок кода {self._fence} не закрыт")
        if not self.sections:
            self.source.fault(1, "", f"в уроке нет ни одного блока; {_FORM}")

    def _line(self, at: int) -> int:
        """Read one line, or a directive with its body; the index of the next line."""
        text = self._lines[at]
        if not self._fence and text.startswith(":::"):
            self._end_prose()
            return self._directive(at)
        if not self._fence and re.match(r"##?[ \t]|##?\{", text):
            self._end_prose()
            self._heading(at)
            return at + 1
        self._toggle_fence(text, at + 1)
        if not self._prose:
            self._prose_line = at + 1
        self._prose.append(text)
        return at + 1

    def _toggle_fence(self, text: str, line: int) -> None:
        found = _FENCE.match(text)
        if found and not self._fence:
            self._fence, self._fence_line = found.group(1), line
        elif found and text.strip().strip(self._fence[0]) == "" and len(found.group(1)) >= len(self._fence):
            self._fence = ""

    def _end_prose(self) -> None:
        text = "\n".join(self._prose).strip("\n")
        self._prose = []
        if not text.strip():
            return
        if self.sections:
            self.sections[-1].items.append(Passage(self._prose_line, text))
        else:
            self.source.fault(self._prose_line, "", f"текст до первого блока никто не увидит; {_FORM}")

    def _heading(self, at: int) -> None:
        found = _HEADING.fullmatch(self._lines[at])
        if found is None:
            self.source.fault(at + 1, "##", _FORM)
            found = re.match(r"#+\s*(?P<title>[^{]*)(?P<id>)(?P<depth>)(?P<minutes>)", self._lines[at])
        if found is None:
            return
        depth: Depth = "deep" if found["depth"] == "deep" else "core"
        self.sections.append(Section(at + 1, found["id"], found["title"].strip(), depth, int(found["minutes"] or 0)))

    def _directive(self, at: int) -> int:
        name, _, words = self._lines[at][3:].strip().partition(" ")
        if name not in DIRECTIVES:
            self._unknown(at, name)
            return at + 1
        body, after = self._body(at) if name in WITH_BODY else ((), at + 1)
        if self.sections:
            self.sections[-1].items.append(Directive(at + 1, name, words.strip(), body))
        else:
            self.source.fault(at + 1, name, "директива стоит до первого блока")
        return after

    def _unknown(self, at: int, name: str) -> None:
        if name:
            self.source.fault(at + 1, name, f"неизвестная директива{nearest(name, DIRECTIVES)}")
        else:
            bodies = ", ".join(sorted(WITH_BODY))
            self.source.fault(at + 1, ":::", f"закрывать здесь нечего: тело бывает только у {bodies}")

    def _body(self, at: int) -> tuple[tuple[str, ...], int]:
        """The lines up to ``:::``, and the index after it."""
        for end in range(at + 1, len(self._lines)):
            text = self._lines[end]
            if text.strip() == ":::":
                return tuple(self._lines[at + 1 : end]), end + 1
            if text.startswith((":::", "## ")):
                break
        self.source.fault(at + 1, self._lines[at][3:].split()[0], "тело не закрыто: нужна строка «:::»")
        return (), at + 1
