"""``./course COMMAND``: reads the settings, finds the command's module, runs it.

Each command is a module of this package with ``add_parser(subparsers)`` and ``run(arguments, settings) -> int``.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType

import settings
from cli import russian

COMMANDS = ("start", "test", "check", "facts", "worker", "bench", "grade", "prove", "new", "doctor")
OVERRIDES = ("host", "port", "demo", "data_dir")
"""Options of the command line that stand above the environment; they have the names of the settings."""

FAILED, USAGE = 1, 2


def main(words: Sequence[str] | None = None) -> int:
    """Run the command that ``words`` (the command line by default) names; returns the exit status."""
    try:
        return _main(sys.argv[1:] if words is None else words)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # somebody read enough: ./course bench | head
        return FAILED
    except ModuleNotFoundError as error:
        return _explain_missing(error)


def parse(words: Sequence[str]) -> tuple[argparse.Namespace, ModuleType]:
    """The command line as values, and the module of its command. Ends the process with a sentence when it cannot."""
    parser = russian.Parser(prog="./course", description="«Донастройка» — интерактивный курс о дообучении LLM.")
    subparsers = parser.add_subparsers(dest="command", metavar="КОМАНДА", required=True)
    modules = {name: importlib.import_module(f"cli.{name}") for name in COMMANDS}
    for module in modules.values():
        module.add_parser(subparsers)
    ours, rest = list(words), []
    if ours[:1] == ["test"]:
        ours, rest = modules["test"].split(ours)
    arguments = parser.parse_args(ours)
    if rest:
        arguments.pytest = rest
    return arguments, modules[arguments.command]


def _main(words: Sequence[str]) -> int:
    arguments, module = parse(words)
    try:
        chosen = settings.load(os.environ, **{name: getattr(arguments, name, None) for name in OVERRIDES})
        return int(module.run(arguments, chosen))
    except settings.SettingsError as error:
        print(error, file=sys.stderr)
        return USAGE


def _explain_missing(error: ModuleNotFoundError) -> int:
    ours = (
        "cli",
        "ui",
        "charts",
        "jobs",
        "lessons",
        "graders",
        "demos",
        "progress",
        "settings",
        "common",
        "benchmarks",
    )
    if (error.name or "").split(".")[0] in ours:
        raise error
    print(
        f"Окружение .venv неполно: нет модуля «{error.name}». Удалите папку .venv и запустите ./course ещё раз — "
        "она соберётся заново.",
        file=sys.stderr,
    )
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
