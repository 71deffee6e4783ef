"""What a tuning task is made of: chats in three splits that share no sentence, and the way they are gathered.

Leaves out the tasks themselves, each in a module beside this one, and a learner's own data (``own``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from demos.finetuning import grammar
from demos.finetuning.grammar import Phrase, Split
from demos.finetuning.skills import Message

Chat = tuple[Message, ...]
"""Messages that end with the assistant's right answer."""
Draw = Callable[[Random, Split], tuple[str, Chat]]
"""Makes one example: the sentence that no other split may hold, and the chat about it."""
EXACT_MATCH = "доля ответов, совпавших с образцом знак в знак"
TRAIN, VALIDATION, TEST = 1000, 100, 500
"""How many examples a task has unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Data:
    """Chats to train on, to look at while training, and to judge the result by."""

    train: tuple[Chat, ...]
    validation: tuple[Chat, ...]
    test: tuple[Chat, ...]

    @property
    def splits(self) -> Mapping[str, tuple[Chat, ...]]:
        """The splits by name, in order."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


@dataclass(frozen=True, slots=True)
class Task:
    """Something to teach the base model, said for a learner. ``make`` turns a seed into data."""

    name: str
    title: str
    summary: str
    look: str  # what to look at in the result
    make: Callable[[int], Data]
    metric: str = EXACT_MATCH


def gather(
    name: str, draw: Draw, seed: int, *, train: int = TRAIN, validation: int = VALIDATION, test: int = TEST
) -> Data:
    """Examples of one kind in three splits.

    Validation and test are the same whatever the seed, so that runs with different seeds answer the same questions;
    nothing of them is trained on.
    """
    taken: set[str] = set()
    held_out = _different(draw, Random(f"{name} held out"), "test", validation + test, taken)
    trained = _different(draw, Random(f"{name} {seed}"), "train", train, taken)
    return Data(trained, held_out[:validation], held_out[validation:])


def chat(asked: str, answer: str) -> Chat:
    """A question and its answer."""
    return Message("user", asked), Message("assistant", answer)


def phrase(random: Random, split: Split, case: Literal["nomn", "accs"] = "nomn") -> Phrase:
    """A phrase of the split: one for testing is an adjective and a noun that never stand together in training."""
    while True:
        drawn = grammar.phrase(random, case)
        held_out = bool(drawn.adjective) and grammar.is_held_out(drawn.adjective, drawn.noun)
        if held_out == (split == "test"):
            return drawn


def to_datasets(data: Data) -> Any:
    """The same as ``datasets.DatasetDict`` with the column "messages": what trl is given."""
    from datasets import Dataset, DatasetDict

    return DatasetDict({name: Dataset.from_list([row(item) for item in chats]) for name, chats in data.splits.items()})


def row(messages: Chat) -> dict[str, list[dict[str, str]]]:
    """A chat as plain data, one line of a data set."""
    return {"messages": [{"role": item.role, "content": item.content} for item in messages]}


def _different(draw: Draw, random: Random, split: Split, count: int, taken: set[str]) -> tuple[Chat, ...]:
    found: list[Chat] = []
    while len(found) < count:
        sentence, drawn = draw(random, split)
        if sentence not in taken:
            taken.add(sentence)
            found.append(drawn)
    return tuple(found)
