"""``PYTHONPATH=. python scripts/measure_ways.py``: asks four tasks in four ways and writes content/measured/ways.json.

Trains the adapter of the reference book first when it is missing (``--train``: anew). Leaves out what is asked
(``demos.ways.tasks``).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demos.finetuning import evaluate, measured
from demos.finetuning.adapters import shipped
from demos.finetuning.adapters.files import WEIGHTS
from demos.finetuning.events import Finished
from demos.finetuning.run import run
from demos.finetuning.spec import RunSpec
from demos.finetuning.tasks import build
from demos.ways import recorded, tasks, tuning
from demos.ways.asking import CODES, CODES_SPEC, JSON, RULES, Asker, Said, rule_chats
from demos.ways.recorded import Answers, Recorded, Recording
from demos.ways.tasks import SHOTS, WAYS, Task, Way
from scripts.made import made
from scripts.train_adapters import store

TIMED = 15
"""Requests that are timed alone."""


def main() -> int:
    """Measure everything; the exit status."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", action="store_true", help="train the reference book's adapter anew")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.train or not (CODES / WEIGHTS).is_file():
        _train()
    asker = Asker()
    found = {name: _measure(asker, task) for name, task in tasks.tasks().items()}
    recorded.write(Recording(measured.base(), tasks.fingerprint(), tuning.SEED, made("scripts/measure_ways.py"), found))
    return 0


def _train() -> None:
    CODES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        *_, last = run(CODES_SPEC, folder=Path(folder))
        if not isinstance(last, Finished):
            sys.exit(str(last))
        store(Path(folder) / "adapter", CODES)
    print(f"codes: {last.after.right} of {last.after.of} in other words", flush=True)


def _measure(asker: Asker, task: Task) -> Recorded:
    turns = _right(task, asker.ask(task, "few", task.items, turns=True))
    by_shots = {count: _right(task, asker.ask(task, "few", task.items, shots=count)) for count in range(SHOTS + 1)}
    ways = {way: _way(asker, task, way) for way in WAYS}
    print(
        task.name, {way: len(task.items) - len(said.wrong) for way, said in ways.items()}, by_shots, turns, flush=True
    )
    return Recorded(ways, by_shots, turns)


def _right(task: Task, said: list[Said]) -> int:
    return sum(evaluate.is_right(one.text, item.right) for one, item in zip(said, task.items, strict=True))


def _way(asker: Asker, task: Task, way: Way) -> Answers:
    said = asker.ask(task, way, task.items)
    wrong = {
        place: one.text
        for place, (one, item) in enumerate(zip(said, task.items, strict=True))
        if not evaluate.is_right(one.text, item.right)
    }
    search = _median(lambda item: tasks.prompt(task, way, item), task) if way == "retrieval" else 0.0
    model = asker.tuned(task, task.items[0]) if way == "tuned" else asker.base
    seconds = _median(lambda item: _one(asker, model, task, way, item), task)
    return Answers(
        wrong,
        round(statistics.fmean(one.prompt_tokens for one in said), 1),
        round(statistics.fmean(one.answer_tokens for one in said), 1),
        round(seconds, 4),
        round(search, 5),
        *(_training(asker, task) if way == "tuned" else ()),
    )


def _one(asker: Asker, model: Any, task: Task, way: Way, item: tasks.Item) -> None:
    most = evaluate.longest(asker.tokenizer, [each.right for each in task.items])
    evaluate.greedy(model, asker.tokenizer, [tasks.messages(tasks.prompt(task, way, item)[0])], most=most)


def _median(what: Callable[[tasks.Item], object], task: Task) -> float:
    times = []
    for item in task.items[:TIMED]:
        begun = time.perf_counter()
        what(item)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def _training(asker: Asker, task: Task) -> tuple[int, float, int]:
    """Tokens that passed through the model in training, seconds, adapters."""
    if task.name in RULES:
        groups = list(dict.fromkeys(item.group for item in task.items))
        begun = time.perf_counter()
        for group in groups:
            asker.tuned(task, next(item for item in task.items if item.group == group))
        seconds = time.perf_counter() - begun
        tokens = [tuning.trained_tokens(asker.tokenizer, rule_chats(task, group)) for group in groups]
        return sum(tokens), round(seconds, 1), len(groups)
    spec = shipped.SPECS[JSON] if task.name == "json" else CODES_SPEC
    return _tokens(asker, spec), _seconds(spec), 1


def _tokens(asker: Asker, spec: RunSpec) -> int:
    chats = build(spec.task, seed=spec.seed).train
    plain = [[{"role": one.role, "content": one.content} for one in chat] for chat in chats]
    lengths = [len(ids) for ids in asker.tokenizer.apply_chat_template(plain, return_dict=True)["input_ids"]]
    return round(statistics.fmean(lengths) * spec.steps * spec.batch)


def _seconds(spec: RunSpec) -> float:
    """Training alone, measured by a few steps of the same recipe."""
    import dataclasses

    few = dataclasses.replace(spec, steps=10, held_out=4, evaluate_every=10)
    *_, last = run(few)
    return round(last.train_seconds / few.steps * spec.steps, 1) if isinstance(last, Finished) else 0.0


if __name__ == "__main__":
    raise SystemExit(main())
