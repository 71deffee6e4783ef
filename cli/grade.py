"""``./course grade EXERCISE FILE``: one file against one exercise, without the app, the queue and the database.

The exit status says how it went: see ``status``. ``--json`` prints ``Verdict.to_json``, whose form has a version.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from common import numbers
from graders.protocol import Check, Job, Outcome, Verdict
from settings import Settings

MARKS = {Outcome.PASSED: "✓"}


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "grade",
        help="проверить файл без приложения",
        description="Проверяет файл, как это делает курс. Код возврата: 0 — решение принято полностью, 1 — не "
        "полностью, 2 — проверки не было: нет такого файла или задания, файл не годится, это нетронутая заготовка "
        "или ошибка наша.",
    )
    parser.add_argument("exercise", metavar="ЗАДАНИЕ", help="имя папки в exercises/")
    parser.add_argument("file", type=Path, metavar="ФАЙЛ", help="решение")
    parser.add_argument("--json", action="store_true", help="вердикт как JSON")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Grade and print; the status is that of ``status``."""
    if not (settings.exercises_dir / arguments.exercise / "exercise.toml").is_file():
        known = ", ".join(sorted(path.parent.name for path in settings.exercises_dir.glob("*/exercise.toml")))
        print(f"Нет задания «{arguments.exercise}»; есть: {known}.", file=sys.stderr)
        return 2
    try:
        source = arguments.file.read_bytes()
    except OSError as error:
        print(f"Файл {arguments.file} не читается: {error.strerror}.", file=sys.stderr)
        return 2
    from graders.host.engine import Engine

    with Engine(settings.exercises_dir) as engine:
        verdict = engine.grade(Job(arguments.exercise, source, arguments.file.name))
    if arguments.json:
        print(json.dumps(verdict.to_json(), ensure_ascii=False, indent=2))
    else:
        print("\n".join(lines(verdict)))
    return status(verdict.outcome)


def status(outcome: Outcome) -> int:
    """0: passed in full. 1: graded, an attempt. 2: nothing was graded, no attempt would be charged."""
    if outcome is Outcome.PASSED:
        return 0
    return 1 if outcome.counts else 2


def lines(verdict: Verdict) -> list[str]:
    """The verdict as lines of text."""
    text = [verdict.message, *verdict.notices]
    if verdict.checks:
        text.append(f"Баллы: {numbers.show(verdict.points)} из {numbers.show(verdict.possible)}")
    for check in verdict.checks:
        text += _check_lines(check)
    if verdict.traceback:
        text += ["", verdict.traceback]
    if verdict.output:
        text += ["", "Напечатано:", verdict.output]
    return text


def _check_lines(check: Check) -> list[str]:
    text = [
        f"{MARKS.get(check.outcome, '✗')} {check.title} — {numbers.show(check.earned)} из {numbers.show(check.points)}"
    ]
    details = (
        ("", check.message),
        ("ожидалось: ", check.expected),
        ("получено: ", check.got),
        ("подсказка: ", check.hint),
        ("напечатано: ", check.output),
    )
    if check.outcome != Outcome.PASSED:
        text += [f"    {label}{part}" for label, part in details if part]
        text += [f"    {line}" for line in check.traceback.splitlines()]
    return text
