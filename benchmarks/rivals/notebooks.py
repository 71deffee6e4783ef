"""A submission and its checks as notebooks: the only form that both rivals read. Leaves out running them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from graders import exercise


def checks(folder: Path) -> list[str]:
    """Names of the functions of an exercise's check file."""
    return [f"test_{check.id}" for check in exercise.load(folder).checks]


def tests(folder: Path) -> str:
    """The exercise's check file."""
    return str(exercise.load(folder).tests.resolve())


def cell(name: str, source: str, **nbgrader: Any) -> dict[str, Any]:
    """A code cell; ``nbgrader``: what that grader wants to know about it."""
    told = {"nbgrader": {"schema_version": 3, "grade_id": name, "task": False, **nbgrader}} if nbgrader else {}
    fixed: dict[str, Any] = {"cell_type": "code", "execution_count": None, "outputs": []}
    return {**fixed, "id": name, "source": source, "metadata": told}


def notebook(cells: Iterable[dict[str, Any]]) -> str:
    """The file's text."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps({"cells": list(cells), "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
