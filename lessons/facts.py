"""Facts: every number that prose may show, computed by a demo or taken from a named work.

facts.toml says how each is obtained, facts.lock.toml beside it holds what came out: a pair for the whole course, and
one in the folder of any lesson that has numbers of its own. Pages read the locks alone; a fact whose recipe has
changed since is a fault. Computing is a callable that the command line hands in (``demos.registry.call``),
so this package stays a stranger to demos. Leaves out filling texts (``filling``).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import numbers
from lessons import schema
from lessons.faults import Collector, Fault
from lessons.model import Fact
from lessons.reading import Document, read_toml

SPECS, LOCK = "facts.toml", "facts.lock.toml"
RUN = "запустите ./course facts"

Call = Callable[[str, Mapping[str, Any]], object]
"""Computes: the name of a demo and its arguments → its result."""

_REFUSALS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, ImportError)


@dataclass(frozen=True, slots=True)
class Spec:
    """A fact as its author wrote it: a function with arguments and a field of its result, or a value with a source."""

    id: str
    form: str  # a form of common.numbers.show
    derivation: str
    function: str = ""
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    field: str = ""
    digits: int | None = None
    tolerance: float = 0.0  # relative, when computed again
    value: float | None = None
    source: str = ""

    @property
    def computed(self) -> bool:
        """Whether the number comes from a demo."""
        return bool(self.function)

    @property
    def recipe(self) -> str:
        """A short hash of all that decides what the pages show."""
        parts = [self.function, self.arguments, self.field, self.form, self.digits]
        written = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(written.encode()).hexdigest()[:16]

    def text(self, value: float) -> str:
        """``value`` as prose shows it."""
        return numbers.show(value, self.form, self.digits)


@dataclass(frozen=True, slots=True)
class Entry:
    """A computed fact in the lock."""

    value: float
    text: str
    form: str
    tolerance: float
    recipe: str


@dataclass(frozen=True, slots=True)
class Lock:
    """facts.lock.toml: what came out, and the versions that were loaded then."""

    facts: Mapping[str, Entry] = dataclasses.field(default_factory=dict)
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that no longer agrees with the lock, or cannot be computed."""

    id: str
    message: str

    def __str__(self) -> str:
        return f"{self.id}: {self.message}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One facts.toml: the folder that it stands in, the file, and its sound specs by id."""

    folder: Path
    document: Document
    specs: Mapping[str, Spec]


@dataclass(frozen=True, slots=True)
class Ledger:
    """All facts: those that pages may show, and the recipes of the rest. Ids are unique in the whole course."""

    specs: Mapping[str, Spec]
    facts: Mapping[str, Fact]


def read_sheets(content: Path, collector: Collector) -> tuple[Sheet, ...]:
    """Every facts.toml, the course's own first."""
    folders = [content, *sorted(file.parent for file in content.glob(f"*/{SPECS}"))]
    sheets: list[Sheet] = []
    for folder in folders:
        taken = {name for sheet in sheets for name in sheet.specs}
        document = read_toml(folder / SPECS, content, collector, optional=True)
        if document is not None:
            sheets.append(Sheet(folder, document, _read_specs(document, taken)))
    return tuple(sheets)


def _read_specs(document: Document, taken: set[str]) -> Mapping[str, Spec]:
    schema.only(document, "fact", "claim")
    specs: dict[str, Spec] = {}
    for index, spec in schema.build_list(Spec, "fact", document, document.data):
        problem = "такой факт уже есть" if spec.id in specs or spec.id in taken else _problem(spec)
        if problem:
            document.fault(document.line(("fact", index, "id")), spec.id, problem)
        else:
            specs[spec.id] = spec
    return specs


def _problem(spec: Spec) -> str:
    if spec.computed == (spec.value is not None):
        return "нужно одно из двух: function (число считается) или value (число из источника)"
    if spec.computed and not spec.field:
        return "к function нужен field: какое поле результата взять"
    if not spec.computed and not spec.source:
        return "к value нужен source: работа, место, год"
    return "" if spec.tolerance >= 0 else "tolerance не бывает отрицательным"


def read_lock(folder: Path, content: Path, collector: Collector) -> Lock:
    """The lock of a folder; empty when the file is missing or broken (a fault)."""
    document = read_toml(folder / LOCK, content, collector, optional=True)
    if document is None:
        return Lock()
    entries = document.data.get("facts", {})
    built = {name: schema.build(Entry, row, document, ("facts", name)) for name, row in entries.items()}
    return Lock({name: entry for name, entry in built.items() if entry}, document.data.get("versions", {}))


def ledger(content: Path, collector: Collector) -> tuple[tuple[Document, ...], Ledger]:
    """Facts as the pages show them, and their files. What a lock lacks, or what changed since, is a fault."""
    specs: dict[str, Spec] = {}
    shown: dict[str, Fact] = {}
    sheets = read_sheets(content, collector)
    for sheet in sheets:
        lock = read_lock(sheet.folder, content, collector)
        found = {name: fact for name, spec in sheet.specs.items() if (fact := _shown(spec, lock.facts.get(name)))}
        _tell_stale(sheet, found)
        specs.update(sheet.specs)
        shown.update(found)
    return tuple(sheet.document for sheet in sheets), Ledger(specs, shown)


def _tell_stale(sheet: Sheet, found: Mapping[str, Fact]) -> None:
    document = sheet.document
    stale = [name for name in sheet.specs if name not in found]
    if stale and not (sheet.folder / LOCK).exists():
        document.fault(1, "", f"числа ещё не посчитаны (файла {LOCK} нет): {RUN}")
        return
    for index, row in enumerate(document.data.get("fact", [])):
        if isinstance(row, dict) and row.get("id") in stale:
            line = document.line(("fact", index, "id"))
            document.fault(line, row["id"], f"с последнего подсчёта факт изменился или добавлен: {RUN}")


def _shown(spec: Spec, entry: Entry | None) -> Fact | None:
    if not spec.computed:
        value = spec.value or 0.0
        return Fact(spec.id, value, spec.text(value), spec.derivation, source=spec.source)
    if entry is None or entry.recipe != spec.recipe:
        return None
    return Fact(spec.id, entry.value, entry.text, spec.derivation, function=spec.function)


def compute(specs: Iterable[Spec], call: Call) -> tuple[dict[str, Entry], tuple[Difference, ...]]:
    """Every computed fact anew, each function called once for the same arguments; and what could not be computed."""
    results: dict[str, object] = {}
    entries: dict[str, Entry] = {}
    failed: list[Difference] = []
    for spec in specs:
        if not spec.computed:
            continue
        key = json.dumps([spec.function, spec.arguments], sort_keys=True, default=str)
        try:
            if key not in results:
                results[key] = call(spec.function, spec.arguments)
            value = _pick(results[key], spec.field)
        except _REFUSALS as error:
            failed.append(Difference(spec.id, f"не вычисляется: {_said(error)}"))
            continue
        entries[spec.id] = Entry(value, spec.text(value), spec.form, spec.tolerance, spec.recipe)
    return entries, tuple(failed)


def _pick(result: object, path: str) -> float:
    """A number of the result by dotted names: attributes, keys, or indexes of a sequence.

    Raises:
        LookupError, AttributeError: there is nothing of that name.
        ValueError: what is there is no finite number.
    """
    found: Any = result
    for name in path.split("."):
        if isinstance(found, Mapping):
            found = found[name]
        elif isinstance(found, Sequence) and name.lstrip("-").isdigit():
            found = found[int(name)]
        else:
            found = getattr(found, name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ValueError(f"{path} — не число, а {type(found).__name__}")  # noqa: TRY004 - one kind of refusal
    if not math.isfinite(found):
        raise ValueError(f"{path} — не конечное число")
    return int(found) if isinstance(found, int) else float(found)


def _said(error: Exception) -> str:
    return f"{error}" if isinstance(error, ValueError) and str(error) else f"{type(error).__name__}: {error}"


def verify(specs: Iterable[Spec], lock: Lock, call: Call) -> tuple[Difference, ...]:
    """Compute every fact and compare with the lock: each one that differs by more than its tolerance, or is stale."""
    wanted = [spec for spec in specs if spec.computed]
    entries, failed = compute(wanted, call)
    differences = list(failed)
    for name, now in entries.items():
        message = _difference(lock.facts.get(name), now)
        if message:
            differences.append(Difference(name, message))
    orphans = lock.facts.keys() - {spec.id for spec in wanted}
    differences += [Difference(name, f"есть в {LOCK}, но не в {SPECS}") for name in sorted(orphans)]
    return tuple(differences)


def _difference(locked: Entry | None, now: Entry) -> str:
    if locked is None:
        return f"ещё не посчитан: {RUN}"
    if locked.recipe != now.recipe:
        return f"изменился после подсчёта: {RUN}"
    if not math.isclose(locked.value, now.value, rel_tol=now.tolerance, abs_tol=0.0):
        return f"было {locked.value!r}, вышло {now.value!r} (допуск {now.tolerance:g} от величины)"
    return ""


def write_lock(folder: Path, lock: Lock) -> None:
    """Write facts.lock.toml, facts in order of their ids."""
    lines = ["# Written by ./course facts. Pages read numbers from here; do not edit by hand.", "", "[versions]"]
    lines += [f"{name} = {_toml(version)}" for name, version in sorted(lock.versions.items())]
    for name, entry in sorted(lock.facts.items()):
        lines += ["", f"[facts.{_toml(name)}]"]
        lines += [f"{key} = {_toml(getattr(entry, key))}" for key in Entry.__dataclass_fields__]
    file = folder / LOCK
    fresh = file.with_suffix(".new")
    fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
    fresh.replace(file)


def _toml(value: object) -> str:
    """A string or number as TOML writes it (JSON's strings are TOML's, but for DEL)."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def as_fault(document: Document, difference: Difference) -> Fault:
    """A difference at the line of its fact."""
    rows = document.data.get("fact", [])
    named = (
        ("fact", i, "id") for i, row in enumerate(rows) if isinstance(row, dict) and row.get("id") == difference.id
    )
    place = next(named, ())
    return Fault(document.shown, document.line(place), difference.id, difference.message)
