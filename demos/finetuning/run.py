"""A fine-tuning run from a spec to what it changed: ``run(spec)`` yields events while it really trains.

The libraries block, so they work in one thread of their own and the iterator reads what it says; closing the iterator
cancels the run. Leaves out jobs, processes and storing (``jobs``): a run is killed by killing its process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from demos.finetuning.channel import Cancelled, Channel
from demos.finetuning.events import LAST, Event, Failed, Finished
from demos.finetuning.spec import RunSpec
from demos.params import ParamsError

if TYPE_CHECKING:
    from demos.finetuning.tasks import Data

WAIT = 60.0
"""Seconds to wait for the training thread after a cancel: it looks up at every step and every token."""
log = logging.getLogger(__name__)


def run(spec: RunSpec, *, data: Data | None = None, folder: Path | None = None) -> Iterator[Event]:
    """Events of a run; the last one is ``Finished`` or ``Failed``.

    ``data`` stands for the spec's task; ``folder`` receives adapter/ or model/ and the data that was trained on.
    Closing the iterator cancels the run and waits until its thread has ended.
    """
    channel = Channel()
    worker = threading.Thread(target=_work, args=(spec, channel, data, folder), name="finetuning", daemon=True)
    worker.start()
    try:
        while (event := channel.events.get()) is not None:
            yield event
            if isinstance(event, LAST):
                break
    finally:
        channel.cancelled.set()
        worker.join(WAIT)


def _work(spec: RunSpec, channel: Channel, data: Data | None, folder: Path | None) -> None:
    """The thread's whole life; whatever goes wrong is said as ``Failed``."""
    try:
        last: Event = _go(spec, channel, data, folder)
    except Cancelled:
        last = Failed("cancelled", "Запуск остановлен.", channel.seconds())
    except ParamsError as error:
        last = Failed(getattr(error, "code", "refused"), str(error), channel.seconds())
    except Exception as error:  # noqa: BLE001 - the reader must hear of it, whatever it was
        last = _failed(error, channel)
    channel.events.put(last)
    channel.events.put(None)


def _go(spec: RunSpec, channel: Channel, data: Data | None, folder: Path | None) -> Finished:
    from demos.finetuning import control, session
    from demos.finetuning.quantized import quiet

    with quiet():
        if spec.method == "none":
            return control.compare(spec, channel, data)
        return session.tune(spec, channel, data, folder)


def _failed(error: Exception, channel: Channel) -> Failed:
    """A failure that is nobody's choice, in one sentence; the details go to the log."""
    said = str(error)
    full = "not enough memory" in said or "can't allocate memory" in said or "out of memory" in said
    if full or isinstance(error, MemoryError):
        text = "Не хватило памяти: уменьшите число примеров в шаге или включите чекпоинтинг активаций."
        return Failed("memory", text, channel.seconds())
    log.exception("run failed", exc_info=error)
    return Failed("fault", "Запуск сломался по нашей вине: подробности записаны в журнал.", channel.seconds())
