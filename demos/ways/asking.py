"""Asks the bundled model in each of the four ways; loads torch. Leaves out what is asked (``tasks``) and counting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from demos.finetuning import base_model, evaluate
from demos.finetuning.adapters import shipped
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.files import CONFIG, WEIGHTS, Adapter, open_adapter
from demos.finetuning.adapters.library import Shelf
from demos.finetuning.quantized import open_base
from demos.finetuning.skills import Message
from demos.finetuning.spec import RunSpec
from demos.ways import tasks, tuning
from demos.ways.tasks import SHOTS, Item, Task, Way
from settings import ROOT

CODES = ROOT / "content" / "measured" / "ways" / "codes"
"""The adapter that learned yesterday's reference book."""
CODES_SPEC = RunSpec(task="reference", quantization="none", rank=8, alpha=16.0, steps=960)
JSON = "json"
RULES = {"rules": tasks.OLD_RULES, "new_rules": tasks.NEW_RULES}


@dataclass(frozen=True, slots=True)
class Said:
    """One answer and what it took, in tokens; the end of the answer is one of them."""

    text: str
    prompt_tokens: int
    answer_tokens: int


class Asker:
    """The base, loaded once, and adapters as they are needed."""

    @cached_property
    def tokenizer(self) -> Any:
        """The base's tokenizer."""
        return base_model.tokenizer()

    @cached_property
    def base(self) -> Any:
        """The base without anything."""
        return base_model.load()

    def ask(
        self, task: Task, way: Way, items: Sequence[Item], *, shots: int = SHOTS, turns: bool = False
    ) -> list[Said]:
        """Greedy answers to ``items``, in their order; ``turns`` shows examples as an earlier conversation."""
        prompts = [_messages(task, way, item, shots, turns=turns) for item in items]
        most = evaluate.longest(self.tokenizer, [item.right for item in task.items])
        if way == "tuned" and task.name in RULES:
            said = self._by_rule(task, items, prompts, most)
        else:
            model = self.tuned(task, items[0]) if way == "tuned" else self.base
            said = evaluate.greedy(model, self.tokenizer, prompts, most=most)
        sizes = [len(ids) for ids in evaluate.encode(self.tokenizer, prompts)]
        return [
            Said(text, size, len(self.tokenizer(text)["input_ids"]) + 1) for text, size in zip(said, sizes, strict=True)
        ]

    def tuned(self, task: Task, item: Item) -> Any:
        """The model that was fine-tuned for this request.

        Raises:
            AdapterError: its file is not there.
        """
        if task.name in RULES:
            return tuning.tune(base_model.load(), self.tokenizer, rule_chats(task, item.group))
        if task.name == "json":
            return Shelf(open_base(shipped.SPECS[JSON]), {JSON: shipped.adapter(JSON)}).model
        return Shelf(open_base(CODES_SPEC), {"codes": codes_adapter()}).model

    def _by_rule(
        self, task: Task, items: Sequence[Item], prompts: Sequence[tuple[Message, ...]], most: int
    ) -> list[str]:
        said: list[str] = []
        for _, group in groupby(zip(items, prompts, strict=True), key=lambda pair: pair[0].group):
            chosen = list(group)
            model = self.tuned(task, chosen[0][0])
            said += evaluate.greedy(model, self.tokenizer, [prompt for _, prompt in chosen], most=most)
        return said


def rule_chats(task: Task, group: str) -> tuple[tuple[str, str], ...]:
    """What an adapter for one rule is trained on: its three examples, asked as they will be asked."""
    return tuple((f"{word} =", answer) for word, answer in tasks.examples(RULES[task.name], int(group)))


def codes_adapter() -> Adapter:
    """The adapter of the reference book.

    Raises:
        AdapterError: its files are not there or damaged.
    """
    try:
        config, weights = ((CODES / name).read_bytes() for name in (CONFIG, WEIGHTS))
    except OSError:
        raise AdapterError("Адаптера со справочником нет на месте. Запустите scripts/measure_ways.py.") from None
    return open_adapter(config, weights)


def _messages(task: Task, way: Way, item: Item, shots: int, *, turns: bool) -> tuple[Message, ...]:
    if way == "few" and turns:
        shown = [tasks.chat(item, key, answer) for key, answer in task.shots(item)[:shots]]
        return (*(message for pair in shown for message in pair), Message("user", item.request))
    return tasks.messages(tasks.prompt(task, way, item, shots)[0])
