"""Greedy answers in batches and how many are exactly right; old skills before and after.

One by one a hundred answers take seconds, in batches a fraction of one. Leaves out losses (``training``) and what the
counts prove (``statistics``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from demos.finetuning import skills, statistics
from demos.finetuning.callbacks import asking
from demos.finetuning.events import Score
from demos.finetuning.preflight import IGNORED, shown
from demos.finetuning.skills import Example, Message

BATCH = 100
MOST = 96
SPARE = 8
"""An answer may be so many tokens longer than the longest right one before it is cut: it is wrong anyway."""
OLD_SKILLS = ("to_english", "to_russian", "repeat", "add", "reverse", "ask")
EACH = 20
"""Held-out examples of each old skill."""


def greedy(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[Message]],
    *,
    most: int = MOST,
    batch: int = BATCH,
    check: Callable[[], None] | None = None,
) -> list[str]:
    """The assistant's answers, in the order of ``prompts``, of at most ``most`` tokens each.

    ``check`` is called for every token: what it raises ends the work.
    """
    return answers(model, tokenizer, encode(tokenizer, prompts) if prompts else [], most=most, batch=batch, check=check)


def answers(
    model: Any,
    tokenizer: Any,
    ids: Sequence[Sequence[int]],
    *,
    most: int = MOST,
    batch: int = BATCH,
    check: Callable[[], None] | None = None,
) -> list[str]:
    """What follows each row of tokens, whoever wrote it: in the order of ``ids``, of at most ``most`` tokens each."""
    import torch

    order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
    found = [""] * len(ids)
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            said = _generate(model, tokenizer, [ids[index] for index in chosen], most, check)
            for index, answer in zip(chosen, said, strict=True):
                found[index] = answer
    return found


def encode(tokenizer: Any, prompts: Sequence[Sequence[Message]]) -> list[list[int]]:
    """Token ids of the prompts, ready for the assistant."""
    plain = [[{"role": item.role, "content": item.content} for item in prompt] for prompt in prompts]
    encoded: list[list[int]] = tokenizer.apply_chat_template(plain, add_generation_prompt=True, return_dict=True)[
        "input_ids"
    ]
    return encoded


def longest(tokenizer: Any, answers: Sequence[str]) -> int:
    """How many tokens to allow so that every right answer fits."""
    most = max((len(ids) for ids in tokenizer(list(answers), add_special_tokens=False)["input_ids"]), default=0)
    return int(min(most + SPARE, MOST * 2))


def is_right(said: str, right: str) -> bool:
    """Whether two answers are the same but for spaces at their ends."""
    return said.strip() == right.strip()


@cache
def old_skills() -> Mapping[str, tuple[Example, ...]]:
    """Held-out examples of what the base model knows, the same in every run."""
    return {
        name: tuple(skills.draw(random, "test", name) for _ in range(EACH))
        for name in OLD_SKILLS
        for random in (Random(f"retention {name}"),)
    }


def retention(model: Any, tokenizer: Any, check: Callable[[], None] | None = None) -> dict[str, Score]:
    """How much of each old skill the model has now: all skills in one go."""
    known = [example for examples in old_skills().values() for example in examples]
    most = longest(tokenizer, [example.answer for example in known])
    said = greedy(model, tokenizer, [example.prompt for example in known], most=most, check=check)
    right = dict.fromkeys(old_skills(), 0)
    for example, answer in zip(known, said, strict=True):
        right[example.skill] += is_right(answer, example.answer)
    return {name: statistics.wilson(count, EACH) for name, count in right.items()}


@dataclass(frozen=True, slots=True)
class Loss:
    """Mean loss over the assistant's tokens, and the first example with ‹what counts›."""

    mean: float
    label: str


def loss(model: Any, tokenizer: Any, chats: Sequence[Sequence[Message]]) -> Loss:
    """What trl would report for these chats, all in one batch, without a trainer."""
    import torch

    padded, labels = labelled(tokenizer, chats)
    with torch.inference_mode():
        out = model(**padded.to(model.device), labels=labels.to(model.device), use_cache=False)
    first = int(padded["attention_mask"][0].sum())  # without what pads it
    return Loss(float(out.loss), shown(tokenizer, padded["input_ids"][0, :first].tolist(), labels[0, :first].tolist()))


def knows(model: Any, tokenizer: Any, chats: Sequence[Sequence[Message]]) -> list[bool]:
    """Whether greedy decoding would give each chat's answer, letter for letter, found without decoding.

    It would if and only if, with the right answer given, every token of it and its end is the likeliest at its place:
    one forward pass instead of one for each token. In a chat of several turns every turn of the assistant counts.
    """
    import torch

    padded, labels = labelled(tokenizer, chats)
    wanted = labels[:, 1:].to(model.device)  # (chats, length − 1)
    with torch.inference_mode():
        likeliest = model(**padded.to(model.device), use_cache=False).logits[:, :-1].argmax(-1)  # as wanted
    right: list[bool] = ((likeliest == wanted) | (wanted == IGNORED)).all(1).tolist()
    return right


def labelled(tokenizer: Any, chats: Sequence[Sequence[Message]]) -> tuple[Any, Any]:
    """The chats padded on the right, and their tokens where the assistant speaks, IGNORED elsewhere."""
    import torch

    plain = [[{"role": item.role, "content": item.content} for item in chat] for chat in chats]
    encoded = tokenizer.apply_chat_template(plain, return_dict=True, return_assistant_tokens_mask=True)
    ids, masks = encoded["input_ids"], encoded["assistant_masks"]
    padded = tokenizer.pad({"input_ids": ids}, padding_side="right", return_tensors="pt")
    labels = torch.full_like(padded["input_ids"], IGNORED)  # (chats, length)
    for row, (tokens, mask) in enumerate(zip(ids, masks, strict=True)):
        labels[row, : len(tokens)] = torch.tensor(tokens).where(torch.tensor(mask).bool(), IGNORED)
    return padded, labels


def _generate(
    model: Any, tokenizer: Any, rows: Sequence[Sequence[int]], most: int, check: Callable[[], None] | None
) -> list[str]:
    from transformers import GenerationConfig, StoppingCriteriaList

    padded = tokenizer.pad({"input_ids": list(rows)}, padding_side="left", return_tensors="pt")
    known = model.generation_config
    ends = known.eos_token_id if isinstance(known.eos_token_id, list) else [known.eos_token_id]
    config = GenerationConfig(
        max_new_tokens=most,
        do_sample=False,
        eos_token_id=sorted({*(end for end in ends if end is not None), tokenizer.eos_token_id}),
        pad_token_id=tokenizer.pad_token_id,
    )
    out = model.generate(
        input_ids=padded["input_ids"].to(model.device),  # (rows, length)
        attention_mask=padded["attention_mask"].to(model.device),
        generation_config=config,
        stopping_criteria=StoppingCriteriaList([asking(check)] if check else []),
    )
    fresh = out[:, padded["input_ids"].shape[1] :]  # (rows, new tokens)
    answers: list[str] = tokenizer.batch_decode(fresh, skip_special_tokens=True)
    return [answer.strip() for answer in answers]
