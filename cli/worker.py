"""``./course worker``: one more worker, for another machine that shares the PostgreSQL database."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from settings import Settings


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "worker",
        help="ещё один проверяющий процесс (для второй машины с общей PostgreSQL)",
        description="Запускает проверяющий процесс без приложения. Остановить: Ctrl-C.",
    )
    parser.add_argument("--name", default="", help="постоянное имя процесса; по умолчанию — имя машины")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Grade until interrupted."""
    from jobs import prepare, worker
    from progress.database import DatabaseFault

    try:
        prepare.prepare(settings)
    except DatabaseFault as error:
        print(error, file=sys.stderr)
        return 1
    return worker.main(settings, arguments.name)
