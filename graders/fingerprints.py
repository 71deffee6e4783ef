"""How alike programs are, whatever was renamed, moved or commented: shares of equal runs of syntax.

A program becomes streams of tokens, one for each function: kinds of syntax nodes, with the names of what it did not
define itself (builtins, methods of libraries), without its own names, strings, docstrings, annotations and imports.
Runs of ``RUN`` tokens are compared as multisets, so the order of definitions does not matter; those of the starter are
taken away first. Works on learners' text, so it belongs into ``graders.aside``. Standard library only. Leaves out whose
programs they are and what likeness means (``graders.similarity``).
"""

from __future__ import annotations

import ast
import builtins
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

RUN = 8
"""Tokens in a run. Shorter ones are shared by any two programs, longer ones break at every small change."""
MOST = 5_000
"""Tokens of one program that are compared: ten times a long solution, and few enough for a class of hundreds."""
LONGEST = 64_000
"""Characters of the longest program that is read; parsing 250 000 takes more than a second."""
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SILENT = (ast.expr_context, ast.Import, ast.ImportFrom)
_SILENT_FIELDS = {"annotation", "returns", "decorator_list"}
_KNOWN = frozenset(vars(builtins))
Runs = Counter[int]


def report(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Compare every two of ``texts``, a list of sources, less what they share with ``starter``.

    Returns ``scores``, [index, index, score] of every pair of at least ``alike``, and ``sizes``: how many runs of its
    own each text has, -1 for one that cannot be read. Texts of fewer than ``least`` runs are not compared.
    """
    given = runs(payload["starter"]) or Counter()
    own = [None if found is None else found - given for found in map(runs, payload["texts"])]
    sizes = [-1 if found is None else found.total() for found in own]
    long = [(index, found) for index, found in enumerate(own) if found and found.total() >= payload["least"]]
    pairs = ((left, right, score(first, second)) for (left, first), (right, second) in combinations(long, 2))
    return {"scores": [list(pair) for pair in pairs if pair[2] >= payload["alike"]], "sizes": sizes}


def runs(text: str) -> Runs | None:
    """The runs of a program with how often each occurs; None when it is no Python, or endless."""
    if len(text) > LONGEST:
        return None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: Runs = Counter()
    for stream in _streams(tree):
        for start in range(max(1, len(stream) - RUN + 1)):
            found[zlib.crc32(" ".join(stream[start : start + RUN]).encode(errors="replace"))] += 1
    return found


def score(left: Runs, right: Runs) -> float:
    """The share of the smaller one's runs that the other has too, from 0 to 1: code put around a copy hides nothing."""
    return (left & right).total() / max(1, min(left.total(), right.total()))


def _streams(tree: ast.Module) -> Iterator[list[str]]:
    """The tokens of each function and class, and of what stands outside."""
    own, left = _own_names(tree), MOST
    waiting: list[ast.AST] = [tree]
    while waiting and left > 0:
        stream: list[str] = []
        for node in _inside(waiting.pop()):
            if isinstance(node, _FUNCTIONS):
                waiting.append(node)
            elif len(stream) < left:
                stream.append(_token(node, own))
        left -= len(stream)
        if stream:
            yield stream


def _own_names(tree: ast.Module) -> frozenset[str]:
    """What the program itself names, and may rename."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                names.add(name)
    return frozenset(names)


def _inside(root: ast.AST) -> Iterator[ast.AST]:
    """What ``root`` consists of, in the order of the text; functions in it come up and are not entered."""
    stack = _children(root)[::-1]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _FUNCTIONS):
            stack += _children(node)[::-1]


def _children(node: ast.AST) -> list[ast.AST]:
    """The parts of a node that say what is computed."""
    parts: list[Any] = []
    for name, value in ast.iter_fields(node):
        if name not in _SILENT_FIELDS:
            parts += value if isinstance(value, list) else [value]
    return [
        part for part in parts if isinstance(part, ast.AST) and not isinstance(part, _SILENT) and not _is_text(part)
    ]


def _is_text(node: ast.AST) -> bool:
    """A docstring, or a remark written as one."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _token(node: ast.AST, own: frozenset[str]) -> str:
    match node:
        case ast.Constant(value=str() | bytes()):
            return "text"
        case ast.Constant(value=int(number)) if abs(number) > 1000:
            return "number"
        case ast.Constant(value=value):
            return repr(value)
        case ast.Name(id=name) if name in _KNOWN - own:
            return name
        case ast.Attribute(attr=name) if name not in own:
            return name
        case ast.AnnAssign():
            return "Assign"
    return type(node).__name__
