"""Proves an exercise by its folder: what its solution, its starter and its mistakes are graded to.

A mistake's file opens with the sentence that its first failing check shows; it fails checks of one concept only, runs
to its end, and stays close to the solution. Leaves out whether a statement is understandable.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable
from pathlib import Path

from graders.exercise import ExerciseError, load
from graders.host import sentences
from graders.host.engine import Engine
from graders.protocol import Job, Outcome, Verdict

CLOSE = 12
"""Lines, outside docstrings and comments, by which a mistake may differ from the solution."""


def prove(folder: Path, engine: Engine | None = None, *, graded: Callable[[Path], None] | None = None) -> list[str]:
    """The faults of the exercise in ``folder``, as Russian sentences for its author; an empty list proves it.

    ``graded`` is told of each file after its grading.
    """
    try:
        load(folder)
    except ExerciseError as error:
        return [str(error)]
    if engine is not None:
        return _faults(folder, engine, graded)
    with Engine(folder.parent) as fresh:
        return _faults(folder, fresh, graded)


def _faults(folder: Path, engine: Engine, graded: Callable[[Path], None] | None) -> list[str]:
    def grade(path: Path) -> Verdict:
        verdict = engine.grade(Job(folder.name, path.read_bytes()))
        if graded is not None:
            graded(path)
        return verdict

    faults = []
    right, untouched = grade(folder / "solution.py"), grade(folder / "starter.py")
    if right.outcome is not Outcome.PASSED:
        faults.append(f"solution.py: {right.outcome}, {right.points} из {right.possible}: {_first(right)}")
    if untouched.outcome is not Outcome.NOT_ATTEMPTED:
        faults.append(f"starter.py: {untouched.outcome} вместо not_attempted")
    mistakes = sorted((folder / "mistakes").glob("*.py"))
    if len(mistakes) < 3:
        faults.append(f"mistakes: {len(mistakes)} файлов, нужно не меньше трёх")
    for path in mistakes:
        faults += [f"mistakes/{path.name}: {fault}" for fault in _mistake(path, folder / "solution.py", grade(path))]
    return faults


def _mistake(path: Path, solution: Path, verdict: Verdict) -> list[str]:
    text = path.read_text(encoding="utf-8")
    promised = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0].strip()
    bad = [check for check in verdict.checks if check.outcome is not Outcome.PASSED]
    if not bad:
        return [f"исход {verdict.outcome}: ни одна проверка не заметила ошибку"]
    faults = []
    if bad[0].message != promised:
        faults.append(f"обещано «{promised}», а проверка {bad[0].id} говорит «{bad[0].message}»")
    if len({check.concept for check in bad}) > 1:
        faults.append("не пройдены проверки разных понятий: " + ", ".join(f"{c.id} ({c.concept})" for c in bad))
    crashed = [check.id for check in bad if check.outcome is not Outcome.FAILED]
    if crashed:
        faults.append(f"не доходит до ответа: {', '.join(crashed)}")
    distance = _distance(solution.read_text(encoding="utf-8"), text)
    if distance > CLOSE:
        faults.append(f"отличается от решения на {distance} строк, нужно не больше {CLOSE}")
    return faults


def _first(verdict: Verdict) -> str:
    bad = next((check for check in verdict.checks if check.outcome is not Outcome.PASSED), None)
    if verdict.message == sentences.INFRA:
        return f"{verdict.message} Проверка или given.py ломается сама, почему — в журнале"
    return f"{bad.id}: {bad.message} (нужно {bad.expected}, есть {bad.got})" if bad else verdict.message


def _distance(left: str, right: str) -> int:
    """How many statements-as-lines differ, both ways, whichever way is more."""
    a, b = (ast.unparse(_bare(ast.parse(text))).splitlines() for text in (left, right))
    diff = [line for line in difflib.ndiff(a, b) if line[:2] in {"- ", "+ "}]
    return max(sum(line[0] == "-" for line in diff), sum(line[0] == "+" for line in diff))


def _bare(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree
