"""Runs as the pages use them: stored JSON made into specs and stories, once; starting, stopping, the place in line.

Leaves out storing (``progress.runs``), the queue (``jobs.queue``) and every widget.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from demos.finetuning import measured, story
from demos.finetuning.events import Event
from demos.finetuning.spec import RunSpec
from demos.finetuning.story import Story
from demos.params import ParamsError
from jobs import queue
from jobs.queue import Place
from progress import runs as store
from ui import session

REMEMBERED = 64
"""Runs whose events this process keeps: a page that polls reads only what came since."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run. ``state`` is a key of ``ui.run_view.STATES``; ``spec`` is None for a recipe of another version."""

    id: int
    title: str
    learner: str
    author: str
    mine: bool
    state: str
    stopping: bool
    created: datetime
    spec: RunSpec | None
    dataset: int | None
    restarts: int
    events: int

    @property
    def over(self) -> bool:
        """Nothing more will happen to it."""
        return self.state not in {"queued", "running"}


_told: OrderedDict[tuple[str, int], tuple[int, tuple[Event, ...]]] = OrderedDict()
_lock = threading.Lock()


def start(specs: Sequence[RunSpec], dataset: int | None = None) -> tuple[int, ...]:
    """Store runs and enqueue them, in this order; their ids.

    Raises:
        progress.submissions.Rejected: too many at a time or too fast; one Russian sentence.
    """
    ids = []
    for spec in specs:
        stored = store.create(session.database(), session.actor(), spec.to_json(), dataset=dataset)
        session.queue().run(stored.id)
        ids.append(stored.id)
    return tuple(ids)


def get(number: int) -> Run:
    """One run, anybody's: links to runs are shared.

    Raises:
        progress.submissions.Missing: there is none of that id.
    """
    return _run(store.run(session.database(), number))


def mine() -> tuple[Run, ...]:
    """The actor's runs, the newest first."""
    return tuple(_run(each) for each in store.mine(session.database(), session.actor()))


def tell(run: Run) -> Story:
    """What is known of a run by now."""
    key = (session.settings().database, run.id)
    read, known = _told.get(key, (0, ()))
    if read < run.events or not run.over:
        fresh = store.events_since(session.database(), run.id, read)
        read, known = read + len(fresh), (*known, *story.read(fresh))
        with _lock:
            _told[key] = (read, known)
            _told.move_to_end(key)
            while len(_told) > REMEMBERED:
                _told.popitem(last=False)
    return story.tell(known)


def cancel(number: int) -> None:
    """Ask a run to stop; one that is over stays as it is."""
    session.queue().cancel(session.actor(), number)


def place(run: Run) -> Place | None:
    """Where a waiting run stands, or None when nobody can say."""
    return session.queue().run_place(run.id)


def served() -> bool:
    """Whether some worker lives that could take a run."""
    return session.queue().alive()


def meanwhile(run: Run, at: Place | None) -> Story | None:
    """A recorded run of the same recipe as far as it had got by now, to look at while one's own waits; or None."""
    if run.spec is None or run.dataset is not None:
        return None
    recorded = queue.replay(at, run.spec, measured.events_of)
    if not recorded:
        return None
    age = (datetime.now(UTC) - run.created).total_seconds()
    return story.replayed(story.read(recorded), age)


def delete(number: int) -> None:
    """Remove a run that is over, with all it left."""
    store.delete(session.database(), session.actor(), number)


def _run(row: store.Run) -> Run:
    spec = _spec(row)
    return Run(
        id=row.id,
        title=row.title or (spec.title if spec else f"Запуск № {row.id}"),
        learner=row.learner,
        author=row.learner_name,
        mine=row.learner == session.actor().id,
        state=row.outcome if row.state == "done" and row.outcome else row.state,
        stopping=row.cancel_requested and row.state != "done",
        created=row.created,
        spec=spec,
        dataset=row.dataset,
        restarts=row.restarts,
        events=row.events,
    )


def _spec(row: store.Run) -> RunSpec | None:
    try:
        return RunSpec.from_json(row.spec)
    except ParamsError:
        return None
