"""Adapters that come with the course, content/measured/adapters/: really trained, so that nobody needs one to begin.

Each lies in a folder of its own: the two files of PEFT, in float16, and made.json, which says by which recipe, on which
base model and how well. Torch-free. Leaves out making them (``scripts/train_adapters.py``).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType

from demos.finetuning import measured
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.files import CONFIG, WEIGHTS, Adapter, open_adapter
from demos.finetuning.events import Score
from demos.finetuning.measured import Made
from demos.finetuning.spec import RunSpec
from demos.params import ParamsError
from settings import ROOT

FOLDER = ROOT / "content" / "measured" / "adapters"
MADE = "made.json"
LARGEST = 150_000
"""Bytes of the weights of one adapter."""
_RECIPE = partial(RunSpec, rank=4, alpha=8.0)
SPECS: Mapping[str, RunSpec] = MappingProxyType(
    {
        "json": _RECIPE(task="json", quantization="none"),
        "polite": _RECIPE(task="polite", quantization="none"),
        "intents": _RECIPE(task="intents", quantization="none"),
        "json-nf4": _RECIPE(task="json", quantization="nf4"),
    }
)
"""Every adapter with its recipe: the course's own, at a rank that keeps the files small. The last is a QLoRA one."""
TITLES: Mapping[str, str] = MappingProxyType(
    {
        "json": "ответы в JSON",
        "polite": "вежливая форма",
        "intents": "что хочет клиент",
        "json-nf4": "ответы в JSON, QLoRA",
    }
)
"""Adapter → its name for a learner."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """How an adapter was made and what it can do: exact match on held-out requests of its task."""

    spec: RunSpec
    base: str  # base_model.fingerprint() of then
    made: Made
    before: Score
    after: Score  # as it was trained, in float32
    stored: Score  # as it lies here, in float16


def adapter(name: str) -> Adapter:
    """A shipped adapter, opened and checked against the base model.

    Raises:
        AdapterError: there is none of that name, or its files are damaged.
    """
    if name not in SPECS:
        raise AdapterError(f"Готового адаптера «{name[:40]}» в курсе нет; есть {', '.join(SPECS)}.")
    return _opened(FOLDER / name)


def files(name: str) -> dict[str, bytes]:
    """The two files of a shipped adapter.

    Raises:
        AdapterError: there is none of that name, or its files are damaged.
    """
    adapter(name)
    return {file: (FOLDER / name / file).read_bytes() for file in (CONFIG, WEIGHTS)}


def facts(name: str) -> Shipped:
    """What made.json of a shipped adapter says.

    Raises:
        AdapterError: it is not there or not readable.
    """
    try:
        return _read(FOLDER / name / MADE)
    except (OSError, ValueError, TypeError, KeyError, ParamsError):
        raise AdapterError(f"Описание готового адаптера «{name[:40]}» не читается.") from None


def write(place: Path, shipped: Shipped) -> None:
    """Store made.json in the adapter's folder."""
    data = {**dataclasses.asdict(shipped), "spec": shipped.spec.to_json()}
    (place / MADE).write_text(f"{json.dumps(data, ensure_ascii=False, indent=1)}\n", encoding="utf-8")


def faults(folder: Path = FOLDER) -> list[str]:
    """What is wrong with the shipped adapters, a Russian sentence each."""
    return [sentence for name, spec in SPECS.items() for sentence in _faults(folder / name, spec)]


def _faults(place: Path, spec: RunSpec) -> list[str]:
    again = f"Запустите scripts/train_adapters.py {place.name}."
    shown = f"content/measured/adapters/{place.name}"
    try:
        known = _read(place / MADE)
        _opened(place)
        size = (place / WEIGHTS).stat().st_size
    except (OSError, ValueError, TypeError, KeyError, ParamsError) as error:
        return [f"{shown}: адаптер не читается ({error}). {again}"]
    said = []
    if known.base != measured.base():
        said.append(f"{shown}: обучен на другой базовой модели. {again}")
    if known.spec != spec:
        said.append(f"{shown}: обучен по другому рецепту. {again}")
    if size > LARGEST:
        said.append(f"{shown}: файл весов больше {LARGEST // 1000} КБ.")
    return said


@cache
def _opened(place: Path) -> Adapter:
    try:
        return open_adapter((place / CONFIG).read_bytes(), (place / WEIGHTS).read_bytes())
    except OSError:
        raise AdapterError(f"Файлов готового адаптера «{place.name}» нет на месте.") from None


def _read(file: Path) -> Shipped:
    data = json.loads(file.read_text(encoding="utf-8"))
    scores = {name: Score(**data[name]) for name in ("before", "after", "stored")}
    return Shipped(RunSpec.from_json(data["spec"]), str(data["base"]), Made(**data["made"]), **scores)
