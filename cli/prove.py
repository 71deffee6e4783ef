"""``./course prove [SLUG]``: proves exercises through the real engine, as their folders promise it.

The solution earns every point, the untouched starter is no attempt, every mistake fails the checks of its concept with
its sentence. Leaves out the rules themselves (``graders.host.prove``) and files that cannot be read (``cli.check``).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common import numbers
from settings import Settings

if TYPE_CHECKING:
    from graders.host.engine import Engine


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "prove",
        help="доказать задания: решение, заготовка и ошибки ведут себя как обещано",
        description="Проверяет файлы задания настоящей проверкой. Код возврата: 0 — всё держится, 1 — что-то нет, "
        "2 — доказывать нечего или нечем.",
    )
    parser.add_argument("slug", nargs="*", metavar="ЗАДАНИЕ", help="имя папки в exercises/; без имён — все")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Prove and print one line for each exercise; 0 when all hold, 1 when not, 2 when nothing could be tried."""
    known = sorted(path.parent for path in settings.exercises_dir.glob("*/exercise.toml"))
    names = [folder.name for folder in known]
    unknown = [slug for slug in arguments.slug if slug not in names]
    if unknown or not known:
        wanted = f"Нет задания «{unknown[0]}»" if unknown else f"В {settings.exercises_dir} нет заданий"
        print(f"{wanted}; есть: {', '.join(names) or 'ни одного'}. Новое: ./course new exercise ИМЯ", file=sys.stderr)
        return 2
    return _prove([folder for folder in known if not arguments.slug or folder.name in arguments.slug])


def _prove(folders: Sequence[Path]) -> int:
    from graders.host.engine import Engine

    with Engine(folders[0].parent) as engine:
        isolation = engine.isolation()
        if not isolation.ready:
            print(isolation.problem, file=sys.stderr)
            return 2
        sound = [_proves(folder, engine) for folder in folders]
    if len(sound) > 1:
        print(f"\nДоказано {sum(sound)} из {numbers.plural(len(sound), 'задания', 'заданий', 'заданий')}.")
    return int(not all(sound))


def _proves(folder: Path, engine: Engine) -> bool:
    from graders.host.prove import prove

    files, started, done = 2 + len(list((folder / "mistakes").glob("*.py"))), time.monotonic(), 0

    def graded(path: Path) -> None:
        nonlocal done
        done += 1
        _progress(f"{folder.name}: {done} из {files}, {path.name}")

    _progress(f"{folder.name}: {numbers.plural(files, 'файл', 'файла', 'файлов')}")
    faults = prove(folder, engine, graded=graded)
    _progress("")
    what = f"решение, заготовка, {numbers.plural(files - 2, 'ошибка', 'ошибки', 'ошибок')}"
    found = numbers.plural(len(faults), "нарушение", "нарушения", "нарушений") if faults else what
    print(f"{'✗' if faults else '✓'} {folder.name} — {found} · {numbers.duration(time.monotonic() - started)}")
    print(*(f"    {fault}" for fault in faults), sep="\n", end="\n" if faults else "", flush=True)
    return not faults


def _progress(text: str) -> None:
    """One line that the next one overwrites; nothing when nobody looks."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
