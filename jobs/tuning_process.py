"""The warm parent of fine-tuning runs: imports everything once, has one thread, forks a child for each run.

Forked by ``graders.forking``; who asks is ``jobs.tuning``, over a socket. It runs no operation of torch and starts no
thread, or a fork could hang; with a GPU it leaves bitsandbytes to the children, for that one asks the GPU when it is
imported, and a GPU asked before a fork is lost to the child. Leaves out the fine-tuning (``demos.finetuning.run``).
"""

from __future__ import annotations

import base64
import contextlib
import gc
import importlib
import logging
import os
import socket
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from demos.finetuning import events
from demos.finetuning.spec import RunSpec
from demos.params import ParamsError
from graders import forking
from jobs import frames, process, sentences

TARGET = "demos.finetuning.run"
MODULES = (
    "torch",
    "transformers",
    "transformers.models.llama.modeling_llama",
    TARGET,
    "demos.finetuning.session",
    "demos.finetuning.control",
    "demos.finetuning.tasks",
    "demos.finetuning.own",
)
ON_CPU = (
    "bitsandbytes",
    "datasets",
    "peft.tuners.lora.bnb",
    "peft.utils.transformers_weight_conversion",
    "transformers.integrations.bitsandbytes",
    "transformers.models.auto.processing_auto",
    "trl.trainer.sft_trainer",
)
"""Of both, what a run was seen to import."""
SHARE = 0.8
"""Of the memory that is free when a run begins, what it may take."""
ENVIRONMENT = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow's allocator would start a thread
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # asks whether there is a GPU without touching it
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "OMP_NUM_THREADS": "1",  # of the parent; a child is told its own number
}
log = logging.getLogger("course.tuning")


def main(socket_number: int, _options: None = None) -> None:
    """Entry of the process. ``socket_number``: the control socket's descriptor."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    control = socket.socket(fileno=socket_number)
    with forking.mortal(control):
        warm_up()
    forking.send(control, {"ready": True, "threads": _threads()})
    forking.serve(control, child)


def warm_up() -> None:
    """Import what every run needs, then keep it out of the collector's sight: forks share its pages."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in MODULES:
            importlib.import_module(name)
        import torch

        if not torch.cuda.is_available():
            for name in ON_CPU:
                importlib.import_module(name)
    gc.collect()
    gc.freeze()


def child(request: Mapping[str, Any], descriptors: list[int]) -> None:
    """In the forked process: read the order from the socket, run it, tell every event as it comes."""
    os.setsid()
    process.die_with_parent()
    process.give_way(int(request["nice"]))
    import torch

    if not torch.cuda.is_available():
        process.limit_memory(int(SHARE * _free_memory()))
    torch.set_num_threads(int(request["threads"]))
    with socket.socket(fileno=descriptors[0]) as connection:
        for event in told(frames.read(connection)):
            frames.write(connection, events.to_json(event))


def told(order: Mapping[str, Any]) -> Iterator[events.Event]:
    """The events of the run, the last of which is ``Finished`` or ``Failed``, whatever happens."""
    began = time.monotonic()
    try:
        return (yield from _run(order))
    except ParamsError as error:
        code, text = "refused", str(error)
    except MemoryError:
        code, text = "memory", sentences.MEMORY
    except Exception as error:
        log.exception("run failed")
        lacks = "memory" in str(error)  # torch has no type of its own for it on a CPU
        code, text = ("memory", sentences.MEMORY) if lacks else ("fault", sentences.FAULT)
    yield events.Failed(code, text, time.monotonic() - began)


def _run(order: Mapping[str, Any]) -> Iterator[events.Event]:
    engine = importlib.import_module(TARGET)
    spec, data = RunSpec.from_json(order["spec"]), None
    if order["own"] is not None:
        own = importlib.import_module("demos.finetuning.own")
        data = own.parse(base64.b64decode(order["own"]["content"]), order["own"]["name"])
    yield from engine.run(spec, data=data, folder=Path(order["folder"]))


def _threads() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def _free_memory() -> int:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    return 4 * 2**30
