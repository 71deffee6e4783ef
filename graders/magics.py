"""What a notebook's cell has and Python has not: magics, shell lines, help. Removed with a notice, or refused in words.

A removed line becomes a comment, so that lines keep their numbers and the learner sees what went. A line inside a
string or a bracket is never taken for one. Leaves out cells and files (``graders.notebook``), and ``await`` deeper than
a cell's first level (the sandbox answers it as a syntax error).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from graders.lexing import Token, token_at

_INSTALL = re.compile(
    r"[!%]{0,2} [ \t]* (?: (?: \{sys\.executable\} | python3? ) [ \t]+ -m [ \t]+ )? (?: uv [ \t]+ )?"
    r" (?: pip3? | conda | mamba ) [ \t]+ (?: un )? install \b",
    re.VERBOSE,
)
_HELP = re.compile(r"\?|%{0,2}[\w.*\[\]]++\?{1,2}[ \t]*+(?:\n|\Z)")
_CELL = re.compile(r"%%[ \t]*(\w+|!)?")
_LINE = re.compile(r"%[ \t]*(\w+)")
_TIMED = re.compile(r"%[ \t]*time[ \t]+(?=\S)")
_ASSIGNED = re.compile(r"\w[\w.,\[\] \t]*+=[ \t]*(!|%[ \t]*[a-z])")
_PERHAPS = re.compile(r"[^\n]*?(?:[!%?]|install)")
_SPACES = re.compile(r"[ \t]*+")
_EXTENT = re.compile(r"(?:[^\n]*\\\n)*+[^\n]*+")  # a line, and those that a backslash ties to it

_TIMING = frozenset({"time", "timeit", "capture", "prun", "memit"})
"""Cell magics whose body is the learner's own code."""
_SHOWN = frozenset({"html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG"})
"""Cell magics whose body is a picture or a text."""
_CALLING = frozenset({"run", "load", "loadpy", "sx", "system", "sc", "macro", "rerun", "recall", "store", "pylab"})
"""Line magics that bring in names or code from elsewhere: without them the rest would not mean the same."""


class Refused(ValueError):
    """The cell cannot be taken; the message is half a Russian sentence, to stand after the cell and the line."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(slots=True)
class Cleaned:
    """A cell as plain Python. ``removed``: (line, what was there, why it is not needed)."""

    source: str = ""
    removed: list[tuple[int, str, str]] = field(default_factory=list)


def clean(source: str) -> Cleaned:
    """``source`` without what only a notebook understands.

    Raises:
        Refused: something cannot be left out without changing what the code means.
    """
    return _Cell(source).clean()


class _Cell:
    """One pass over a cell, from logical line to logical line."""

    def __init__(self, source: str) -> None:
        self._source, self._at, self._line = source, 0, 1
        self._kept: list[str] = []
        self._cleaned = Cleaned()

    def clean(self) -> Cleaned:
        while self._at < len(self._source):
            if not self._special():
                self._statement()
        self._cleaned.source = "".join(self._kept)
        return self._cleaned

    def _statement(self) -> None:
        """Keep one logical line: to the first end of line outside all brackets."""
        first, depth, flat = "", 0, self._source[self._at : self._at + 1] not in " \t\f"
        while self._at < len(self._source):
            token = token_at(self._source, self._at)
            if token.kind == "name":
                self._check(token, first, flat=flat)
                first = first if first and first != "async" else f"{first} {token.text}".strip()
            elif token.kind == "other":
                depth = max(0, depth + (token.text in "([{") - (token.text in ")]}"))
            end = token.start + len(token.text)
            self._kept.append(self._source[self._at : end])
            self._at, self._line = end, self._line + token.text.count("\n")
            if token.kind == "line" and token.text == "\n" and depth == 0:
                return

    def _check(self, token: Token, first: str, *, flat: bool) -> None:
        if token.text == "get_ipython":
            raise Refused(self._line, "get_ipython() есть только в самой тетрадке: уберите всё, что её вызывает")
        waits = token.text == "await" and first not in {"async def", "def", "class"}
        if flat and (waits or (first == "async" and token.text in {"for", "with"})):
            raise Refused(
                self._line, f"{token.text if waits else 'async'} стоит вне функции: оберните код в asyncio.run(…)"
            )

    def _special(self) -> bool:
        """Handle a line that is not Python; whether this was one."""
        if not _PERHAPS.match(self._source, self._at):
            return False
        start = _end(_SPACES, self._source, self._at)
        if _INSTALL.match(self._source, start):
            return self._remove(start, "нужные библиотеки при проверке уже есть")
        if _HELP.match(self._source, start):
            return self._remove(start, "справка при проверке не нужна")
        if cell := _CELL.match(self._source, start):
            return self._cell_magic(start, cell[1] or "")
        if timed := _TIMED.match(self._source, start):
            return self._untime(start, timed.end())
        if line := _LINE.match(self._source, start):
            return self._line_magic(start, line[1])
        if self._source.startswith("!", start) or _ASSIGNED.match(self._source, start):
            raise Refused(self._line, f"{self._said(start)} — команда тетрадки, а не Python: уберите эту строку")
        return False

    def _cell_magic(self, start: int, name: str) -> bool:
        if name in _TIMING:
            return self._remove(start, "код ячейки остался")
        if name in _SHOWN and not "".join(self._kept).strip():
            self._cleaned.removed.append((self._line, f"%%{name}", "эта ячейка — не код"))
            self._at = len(self._source)
            return True
        if name in {"writefile", "file"}:
            raise Refused(self._line, f"%%{name} пишет файл: уберите эту строку, и код ячейки войдёт в решение")
        raise Refused(self._line, f"{self._said(start)}: эта ячейка — не Python, уберите её или перепишите на Python")

    def _line_magic(self, start: int, name: str) -> bool:
        if name in _CALLING:
            raise Refused(self._line, f"%{name} берёт код со стороны: вставьте этот код прямо в ячейку")
        return self._remove(start, "вне тетрадки она не работает")

    def _untime(self, start: int, end: int) -> bool:
        """``%time statement``: the statement counts."""
        self._cleaned.removed.append((self._line, "%time", "команда после него осталась"))
        self._kept.append(self._source[self._at : start])
        self._at = end
        self._statement()
        return True

    def _remove(self, start: int, why: str) -> bool:
        text = self._source[start : _end(_EXTENT, self._source, start)]
        self._cleaned.removed.append((self._line, self._said(start), why))
        indent = self._source[self._at : start]
        lines = [f"{indent}# убрано: {line.strip()}" for line in text.split("\n")]
        if indent:  # it may have been all that stood in its block
            lines[0] = f"{indent}pass  # убрано: {text.partition(chr(10))[0].strip()}"
        self._at = min(start + len(text) + 1, len(self._source))
        self._line += len(lines)
        self._kept.append("\n".join(lines) + "\n")
        return True

    def _said(self, start: int) -> str:
        """The beginning of a line, fit to be shown."""
        line = self._source[start : start + 80].partition("\n")[0].strip()
        shown = "".join(letter if letter.isprintable() else " " for letter in line)
        return f"«{shown[:40]}…»" if len(shown) > 40 else f"«{shown}»"


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()
