"""``./course bench [NAME]``: runs the measurements of benchmarks/ one after another and prints their tables."""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from settings import ROOT, Settings

FOLDER = ROOT / "benchmarks"


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "bench",
        help="измерения: скорость, память, точность калькулятора",
        description="Запускает измерения по одному и печатает таблицы. Код возврата не 0, если граница нарушена.",
    )
    parser.add_argument("names", nargs="*", metavar="ИМЯ", help="какие измерения; по умолчанию — все")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the named benchmarks, each in a process of its own, so that none sees another's memory or imports."""
    known = discover(FOLDER)
    unknown = [name for name in arguments.names if name not in known]
    if unknown:
        print(f"Нет измерения «{unknown[0]}»; есть: {', '.join(known)}.", file=sys.stderr)
        return 2
    failed = [name for name in arguments.names or known if not _measure(name, settings)]
    if failed:
        print(f"\nНе уложились в границы или сломались: {', '.join(failed)}.", file=sys.stderr)
    return int(bool(failed))


def discover(folder: Path) -> list[str]:
    """Names of the modules of ``folder`` that have a function ``main``, sorted; found without importing them."""
    return [
        path.stem
        for path in sorted(folder.glob("*.py"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in ast.parse(path.read_text()).body)
    ]


def _measure(name: str, settings: Settings) -> bool:
    code = f"import sys; from benchmarks.{name} import main; sys.exit(main() or 0)"
    environment = {**os.environ, **settings.environment(), "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-P", "-c", code], cwd=ROOT, env=environment, check=False).returncode == 0
