"""``./course doctor``: what this installation is and what it can do, for a report or before a class."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from typing import Any

from common import numbers
from graders.protocol import WALLS
from settings import ROOT, Settings

PACKAGES = ("streamlit", "torch", "transformers", "peft", "dbos", "SQLAlchemy", "pytest")
ISOLATION = "Изоляция проверок"


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    subparsers.add_parser(
        "doctor",
        help="что за установка: версии, база, место, изоляция проверок",
        description="Печатает версии, состояние базы и ступень изоляции. Код возврата не 0, если что-то мешает работе.",
    )


def run(_arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the findings; the status is not 0 when one of them is bad."""
    good = True
    for title, text, fine in _findings(settings):
        print(f"{'  ' if fine else '! '}{title:<22}{text}")
        good = good and fine
    return int(not good)


def _findings(settings: Settings) -> Iterator[tuple[str, str, bool]]:
    yield "Система", f"{platform.system()} {platform.release()}, {platform.machine()}", True
    yield "Python", f"{platform.python_version()} ({sys.executable})", (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield "Ядра", str(os.cpu_count()), True
    for name in PACKAGES:
        try:
            yield name, importlib.metadata.version(name), True
        except importlib.metadata.PackageNotFoundError:
            yield name, "нет: удалите .venv и запустите ./course ещё раз", False
    # RETURNING, which the queue needs, came with 3.35.
    yield "SQLite", sqlite3.sqlite_version, sqlite3.sqlite_version_info >= (3, 35)
    yield "Код курса", str(ROOT), True
    yield _data(settings)
    yield "База курса", settings.database if not settings.database_url else "PostgreSQL", True
    yield from _isolation(settings)


def _data(settings: Settings) -> tuple[str, str, bool]:
    folder = settings.data_dir if settings.data_dir.exists() else settings.data_dir.parent
    if not os.access(folder, os.W_OK):
        return "Папка данных", f"{settings.data_dir}: нет права записи", False
    free = shutil.disk_usage(folder).free
    return "Папка данных", f"{settings.data_dir}, свободно {numbers.size(free)}", free > 10**9


def _isolation(settings: Settings) -> Iterator[tuple[str, str, bool]]:
    if sys.platform != "linux":
        yield ISOLATION, "проверки выключены: им нужна песочница Linux", False
        return
    from graders.host.engine import Engine

    with Engine(settings.exercises_dir) as engine:
        found = engine.isolation()
    standing = ", ".join(dict.fromkeys(WALLS[name] for name in found.layers))
    yield ISOLATION, f"ступень {found.tier}: {standing}" if found.ready else found.problem, found.ready
    for name, why in found.missing:
        yield "Не проверено здесь", f"{WALLS[name]}: {why}", True
