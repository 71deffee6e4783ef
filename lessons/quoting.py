"""Code quoted by reference: the source of a function or class in a file of this project, found by ``ast``.

Only files that a learner may see: demos/ and the open files of exercises; never solutions, tests or the rest of the
project. Nothing is imported. Leaves out arrows (``directives``).
"""

from __future__ import annotations

import ast
import textwrap
from functools import lru_cache
from pathlib import Path, PurePosixPath

from lessons.faults import nearest

OPEN = ("demos/**/*.py", "exercises/*/given.py", "exercises/*/starter.py")
"""What may be quoted."""


class QuoteError(ValueError):
    """Nothing to quote; the message is Russian, for the author."""


def quote(path: str, name: str, root: Path) -> tuple[str, int]:
    """The dedented source of ``name`` (``Class.method`` too), with decorators, and its first line in the file.

    Raises:
        QuoteError: the file may not be quoted, is missing or broken, or has no such name.
    """
    if not _is_open(path):
        raise QuoteError(f"«{path}» цитировать нельзя: только demos/…, exercises/…/given.py и exercises/…/starter.py")
    file = root / path
    if not file.is_file():
        raise QuoteError(f"нет файла «{path}»")
    stamp = file.stat().st_mtime_ns
    text, spans = _spans(file, stamp)
    if name not in spans:
        raise QuoteError(f"в {path} нет «{name}»{nearest(name, spans)}")
    first, last = spans[name]
    return textwrap.dedent("\n".join(text[first - 1 : last])), first


def _is_open(path: str) -> bool:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or pure.suffix != ".py":
        return False
    return pure.parts[0] == "demos" or any(pure.match(pattern) for pattern in OPEN[1:])


@lru_cache(maxsize=64)
def _spans(file: Path, _stamp: int) -> tuple[list[str], dict[str, tuple[int, int]]]:
    """The lines of a file, and from which to which line each function and class stands."""
    try:
        text = file.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise QuoteError(f"«{file.name}» не разобрать как Python: {error}") from error
    spans: dict[str, tuple[int, int]] = {}
    _collect(tree, "", spans)
    return text.splitlines(), spans


def _collect(node: ast.AST, prefix: str, spans: dict[str, tuple[int, int]]) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
            spans[prefix + child.name] = (first, child.end_lineno or child.lineno)
            _collect(child, f"{prefix}{child.name}.", spans)
