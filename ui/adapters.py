"""Adapters as pages use them: of one's own runs, uploaded, shrunk or the course's own; the compute process gets names.

Nothing is opened here: a stranger's file is read in a process that may be killed. Leaves out every widget.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from demos.finetuning.adapters import export as export_demo
from demos.finetuning.adapters import shipped, store
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.files import Description
from demos.finetuning.adapters.opening import Result as Opened
from demos.finetuning.spec import COURSE_BASE, RunSpec
from demos.finetuning.tasks import TASKS, build, known
from jobs import compute
from progress import run_files
from ui import runs, session

MOST = 3
FOLDER = "adapter/"
WITHOUT_FILE = ("full", "none", "bottleneck")
"""Methods that leave no adapter of PEFT's behind."""
UPLOADED, SHRUNK = "uploaded-adapter", "shrunk-adapter"


@dataclass(frozen=True, slots=True)
class Source:
    """An adapter that may be chosen. ``run`` is 0 for one that no run has left."""

    id: str
    title: str
    run: int
    spec: RunSpec | None
    shipped: str = ""  # its name in the course's own collection

    @property
    def task(self) -> str:
        """The course's task it was trained on; empty for one's own data and for an upload."""
        return self.spec.task if self.spec is not None and self.spec.task in TASKS else ""

    @property
    def quantization(self) -> str:
        """How the base was quantized that it was trained beside: ``nf4``, ``fp4`` or ``none``."""
        known = self.spec.quantization if self.spec else "none"
        return known if known in ("nf4", "fp4") else "none"

    @property
    def double_quantization(self) -> bool:
        """Whether its constants were quantized, too."""
        return self.spec.double_quantization if self.spec else True


def sources() -> dict[str, Source]:
    """What there is to choose from, the newest first, the upload and what was shrunk before all."""
    found = []
    shrunk: tuple[Source, dict[str, bytes]] | None = session.recall(SHRUNK, None)
    if shrunk is not None:
        found.append(shrunk[0])
    uploaded: tuple[str, dict[str, bytes]] | None = session.recall(UPLOADED, None)
    if uploaded is not None:
        found.append(Source("upload", f"Файл: {uploaded[0][:60]}" if uploaded[0] else "Загруженный адаптер", 0, None))
    for run in runs.mine():
        if run.state == "finished" and run.spec is not None and _usable(run.spec):
            found.append(Source(f"run-{run.id}", f"№ {run.id}: {run.title} · {_task(run.spec)}", run.id, run.spec))
    return {one.id: one for one in found}


def course(name: str) -> Source:
    """An adapter that comes with the course."""
    return Source(f"course-{name}", f"Адаптер курса: {shipped.TITLES[name]}", 0, shipped.SPECS[name], name)


def keep(source: Source) -> str:
    """The name under which the compute process finds the adapter's files.

    Raises:
        AdapterError: the files are gone or too large; one Russian sentence.
    """
    return store.put(files(source))


def files(source: Source) -> dict[str, bytes]:
    """The adapter's own files.

    Raises:
        AdapterError: the run keeps none any more.
    """
    if source.shipped:
        return shipped.files(source.shipped)
    if source.id == SHRUNK:
        return dict(session.recall(SHRUNK, (source, {}))[1])
    if source.run == 0:
        return dict(session.recall(UPLOADED, ("", {}))[1])
    kept = run_files.contents(session.database(), source.run)
    found = {name.removeprefix(FOLDER): content for name, content in kept.items() if name.startswith(FOLDER)}
    if not found:
        raise AdapterError("Файлы этого запуска больше не хранятся: повторите его, и адаптер появится снова.")
    return found


def take_shrunk(whole: Source, name: str, rank: int) -> Source:
    """Go on with the shrunk adapter kept under ``name``: it is one's own like any other while the tab is open.

    Raises:
        AdapterError: its files are gone.
    """
    source = Source(SHRUNK, f"Сжатый до r = {rank} · {whole.title}", 0, whole.spec)
    session.remember(SHRUNK, (source, store.files(name)))
    return source


def upload(named: Mapping[str, bytes]) -> None:
    """Take uploaded files as one adapter; the last upload stands.

    Raises:
        AdapterError: they are not an adapter's or too large.
    """
    wanted = {
        (store.ARCHIVE if name.lower().endswith(".zip") else name): content
        for name, content in named.items()
        if content
    }
    store.put(wanted)
    session.remember(UPLOADED, (next(iter(named)) if len(named) == 1 else "", wanted))


def look(source: Source) -> tuple[str, Description]:
    """The name under which the adapter's files are kept, and what they hold.

    Raises:
        AdapterError: the files are gone or no adapter of the course's base; one Russian sentence.
        jobs.compute.ComputeError: the compute process is away or busy.
    """
    name = keep(source)
    result = opened(name)
    if result.description is None:
        raise AdapterError(result.problem)
    return name, result.description


@lru_cache(maxsize=64)
def opened(name: str) -> Opened:
    """What the file under ``name`` holds: the same bytes are looked into once.

    Raises:
        jobs.compute.ComputeError: the compute process is away or busy.
    """
    result: Opened = compute.call("finetuning.adapters.open", {"adapter": name})
    return result


def call(name: str, **params: Any) -> Any:
    """The result of one of the adapters' demos; the same question is computed once.

    Raises:
        jobs.compute.ComputeError: too long, or the process is away; the message is for the learner.
    """
    frozen = {field: tuple(value) if isinstance(value, list) else value for field, value in params.items()}
    return _called(name, tuple(sorted(frozen.items())))


@lru_cache(maxsize=64)
def _called(name: str, params: tuple[tuple[str, Any], ...]) -> Any:
    return compute.call(f"finetuning.adapters.{name}", dict(params))


def export(params: export_demo.Params) -> export_demo.Result:
    """Where the wanted file lies now; not remembered, for it may have been tidied away.

    Raises:
        jobs.compute.ComputeError: too long, or the process is away; the message is for the learner.
    """
    result: export_demo.Result = compute.call("finetuning.adapters.export", dataclasses.asdict(params))
    return result


@lru_cache(maxsize=16)
def examples(task: str) -> tuple[tuple[str, str], ...]:
    """A few held-out requests of a task: system message (or nothing) and request."""
    found = []
    for chat in build(task).test:
        roles = [message.role for message in chat]
        if roles in (["user", "assistant"], ["system", "user", "assistant"]):
            found.append((chat[0].content if roles[0] == "system" else "", chat[-2].content))
        if len(found) == 2:
            break
    return tuple(found)


def _usable(spec: RunSpec) -> bool:
    return spec.base == COURSE_BASE and spec.method not in WITHOUT_FILE


def _task(spec: RunSpec) -> str:
    found = known(spec.task)
    return found.title if found else "свои данные"
