"""The exercise's public given.py and the learner's text, as modules. Compiling happens here, behind the walls.

Leaves out decoding and splitting into cells (done outside as plain text, ``graders.submission``).
"""

from __future__ import annotations

import ast
import linecache
import sys
from types import CodeType, ModuleType
from typing import Any

CALL = "<вызов>"


class Loaded:
    """Both modules of one grading, and the names of the files that are the learner's."""

    def __init__(self) -> None:
        self.given = _module("given")
        self.solution = _module("solution")
        self.files: set[str] = {CALL}

    def load_given(self, source: str) -> None:
        """Run given.py; anything that goes wrong is the author's fault."""
        exec(_compiled(source, "given.py"), vars(self.given))  # noqa: S102 - this is what the sandbox is for

    def load(self, cells: list[tuple[str, str]]) -> None:
        """Run the learner's cells in order, in one module."""
        self.files |= {name for name, _ in cells}
        for name, source in cells:
            exec(_compiled(source, name), vars(self.solution))  # noqa: S102

    def evaluate(self, text: str) -> tuple[bool, Any]:
        """Run ``text`` with both modules' names in scope: whether it ends with an expression, and its value."""
        import torch

        scope: dict[str, Any] = {"torch": torch, "given": self.given, **vars(self.given), **vars(self.solution)}
        tree = ast.parse(text, CALL)
        _remember(text, CALL)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, CALL, "exec"), scope)  # noqa: S102
        if not isinstance(last, ast.Expr):
            return False, None
        return True, eval(compile(ast.Expression(last.value), CALL, "eval"), scope)  # noqa: S307


def _module(name: str) -> ModuleType:
    module = ModuleType(name)
    sys.modules[name] = module  # dataclasses and typing look their module up there
    return module


def _compiled(source: str, name: str) -> CodeType:
    _remember(source, name)
    return compile(source, name, "exec", dont_inherit=True)


def _remember(source: str, name: str) -> None:
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
