"""``./course facts [--check]``: computes every number that lessons show and writes, or compares, facts.lock.toml."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from common import numbers
from lessons import facts
from lessons.facts import Difference, Entry, Lock, Spec
from lessons.faults import Collector
from settings import Settings

LIBRARIES = ("torch", "peft", "transformers", "bitsandbytes", "numpy")
"""Whose versions the lock names, when computing has loaded them."""


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "facts",
        help="посчитать числа уроков заново",
        description="Считает все числа уроков и записывает content/facts.lock.toml: уроки берут числа оттуда.",
    )
    parser.add_argument("--check", action="store_true", help="ничего не записывать, только сравнить")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Compute all facts; 1 when one is faulty, cannot be computed or (``--check``) differs from the lock."""
    collector = Collector()
    _, specs = facts.read_specs(settings.content_dir.absolute(), collector)
    for fault in collector.faults:
        print(fault, file=sys.stderr)
    old = facts.read_lock(settings.content_dir.absolute(), Collector())
    sound = _check(specs, old) if arguments.check else _write(settings.content_dir, specs, old)
    return int(not sound or bool(collector.faults))


def _check(specs: Mapping[str, Spec], lock: Lock) -> bool:
    from demos import registry

    differences = facts.verify(specs.values(), lock, registry.call)
    _complain(differences)
    if not differences:
        print(f"Числа сходятся: {numbers.plural(len(lock.facts), 'факт', 'факта', 'фактов')}.")
    return not differences


def _write(content: Path, specs: Mapping[str, Spec], old: Lock) -> bool:
    from demos import registry

    entries, failed = facts.compute(specs.values(), registry.call)
    for name, entry in sorted(entries.items()):
        _announce(name, old.facts.get(name), entry)
    for name in sorted(old.facts.keys() - entries.keys()):
        print(f"{name}: убран")
    facts.write_lock(content, Lock(entries, _versions()))
    _complain(failed)
    print(f"Посчитано: {numbers.plural(len(entries), 'факт', 'факта', 'фактов')}, записано в {content / facts.LOCK}.")
    return not failed


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
