"""``./course facts [--check]``: computes every number that lessons show and writes, or compares, facts.lock.toml."""

from __future__ import annotations

import argparse
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from common import numbers
from lessons import facts
from lessons.facts import Difference, Entry, Lock, Sheet
from lessons.faults import Collector
from settings import Settings

LIBRARIES = ("torch", "peft", "transformers", "bitsandbytes", "numpy")
"""Whose versions the lock names, when computing has loaded them."""


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "facts",
        help="посчитать числа уроков заново",
        description="Считает числа уроков и записывает facts.lock.toml рядом с facts.toml: уроки берут числа оттуда.",
    )
    parser.add_argument("--check", action="store_true", help="ничего не записывать, только сравнить")
    parser.add_argument("path", nargs="?", type=Path, metavar="ПУТЬ", help="только числа этой папки")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Compute all facts; 1 when one is faulty, cannot be computed or (``--check``) differs from its lock."""
    collector, wanted = Collector(), arguments.path
    content = settings.content_dir.absolute()
    sheets = [
        sheet
        for sheet in facts.read_sheets(content, collector)
        if wanted is None or sheet.folder.resolve() == wanted.resolve()
    ]
    for fault in collector.faults:
        print(fault, file=sys.stderr)
    if not sheets:
        print("Чисел не нашлось: файла facts.toml здесь нет.", file=sys.stderr)
        return 1
    done = [(_check if arguments.check else _write)(sheet, content) for sheet in sheets]
    return int(not all(done) or bool(collector.faults))


def _check(sheet: Sheet, content: Path) -> bool:
    from demos import registry

    lock = facts.read_lock(sheet.folder, content, Collector())
    differences = facts.verify(sheet.specs.values(), lock, registry.call)
    _complain(differences)
    if not differences:
        print(f"{sheet.document.shown}: числа сходятся, {_count(len(lock.facts))}.")
    return not differences


def _write(sheet: Sheet, content: Path) -> bool:
    from demos import registry

    old = facts.read_lock(sheet.folder, content, Collector())
    entries, failed = facts.compute(sheet.specs.values(), registry.call)
    for name, entry in sorted(entries.items()):
        _announce(name, old.facts.get(name), entry)
    for name in sorted(old.facts.keys() - entries.keys()):
        print(f"{name}: убран")
    facts.write_lock(sheet.folder, Lock(entries, _versions()))
    _complain(failed)
    print(f"Посчитано: {_count(len(entries))}, записано в {sheet.folder / facts.LOCK}.")
    return not failed


def _count(facts_counted: int) -> str:
    return numbers.plural(facts_counted, "факт", "факта", "фактов")


def _announce(name: str, old: Entry | None, new: Entry) -> None:
    if old is None:
        print(f"{name}: {new.text}")
    elif old.text != new.text:
        print(f"{name}: было {old.text}, стало {new.text}")


def _complain(differences: tuple[Difference, ...]) -> None:
    for difference in differences:
        print(difference, file=sys.stderr)


def _versions() -> dict[str, str]:
    loaded = [name for name in LIBRARIES if name in sys.modules]
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in loaded}}
