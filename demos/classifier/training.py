"""Trains each kind of classifier for real, as the lesson's code does; loads torch for all but the word counts.

Kinds, from cheap to dear: words counted (multinomial naive Bayes with add-one smoothing; Manning et al., «Introduction
to Information Retrieval», 2008, 13.2), logistic regression on the frozen base's mean hidden state, a head alone on its
last token, the same head with LoRA (peft's SEQ_CLS). Leaves out judging (``metrics``) and storing (``recorded``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from demos.classifier.parts import NAMES, Row, truth
from demos.finetuning import base_model
from demos.finetuning.quantized import quiet

if TYPE_CHECKING:
    import numpy as np

Scorer = Callable[[Sequence[Row]], "np.ndarray"]
"""Requests → logits, (requests, classes)."""
LONGEST = 64  # tokens of a request
AT_ONCE = 100
RATE, BATCH = 5e-3, 16
PROBE_RATE, PROBE_STEPS = 0.02, 150


@dataclass(frozen=True, slots=True)
class Method:
    """One way to classify. ``steps`` is 0 where there is nothing to step through."""

    title: str
    short: str
    steps: int = 0
    chance: bool = True  # whether the seed changes it


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "words": Method("Счёт слов, без модели", "счёт слов", chance=False),
        "probe": Method("Регрессия на признаках базы", "признаки базы", PROBE_STEPS),
        "head": Method("Одна голова, база заморожена", "одна голова", 80),
        "lora": Method("Голова и LoRA, 80 шагов", "LoRA, 80 шагов", 80),
        "longer": Method("Голова и LoRA, 120 шагов", "LoRA, 120 шагов", 120),
    }
)
"""What is trained and recorded."""


def fit(method: str, train: Sequence[Row], seed: int) -> Scorer:
    """A classifier of that kind, trained on these requests.

    Raises:
        KeyError: there is no such kind.
    """
    if method == "words":
        return _words(train)
    if method == "probe":
        return _probe(train, seed)
    return _head(train, seed, METHODS[method].steps, lora=method != "head")


def _words(train: Sequence[Row]) -> Scorer:
    """Log of the class's share and of its words' shares, one added to each; an unknown word says nothing."""
    import numpy as np

    counts = [Counter[str]() for _ in NAMES]
    for (text, _), label in zip(train, truth(train), strict=True):
        counts[label].update(_split(text))
    known = {word for one in counts for word in one}
    prior = np.log(np.bincount(truth(train), minlength=len(NAMES)) + 1)  # (classes,), up to a constant
    sizes = [one.total() + len(known) for one in counts]
    table = {word: np.log([(one[word] + 1) / size for one, size in zip(counts, sizes, strict=True)]) for word in known}

    def scores(rows: Sequence[Row]) -> np.ndarray:
        found = [prior + sum(table[word] for word in _split(text) if word in table) for text, _ in rows]
        return np.array(found)  # (requests, classes)

    return scores


def _split(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _probe(train: Sequence[Row], seed: int) -> Scorer:
    """One linear layer on mean hidden states, scaled by what training saw."""
    import numpy as np
    import torch

    torch.manual_seed(seed)
    known = _means(train)
    middle, spread = known.mean(0), known.std(0)
    layer = torch.nn.Linear(known.shape[1], len(NAMES))
    optimizer = torch.optim.AdamW(layer.parameters(), lr=PROBE_RATE)
    right = torch.tensor(truth(train))
    for _ in range(PROBE_STEPS):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(layer((known - middle) / spread), right).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    def scores(rows: Sequence[Row]) -> np.ndarray:
        with torch.no_grad():
            return np.asarray(layer((_means(rows) - middle) / spread))  # (requests, classes)

    return scores


def _means(rows: Sequence[Row]) -> Any:
    """The frozen base's last hidden states, averaged over each request's own tokens."""
    import torch

    found = []
    with torch.no_grad():
        for some in _batches(rows):
            batch = _encode([text for text, _ in some])
            states = _reader()(**batch).last_hidden_state  # (requests, tokens, hidden)
            real = batch["attention_mask"][..., None]  # (requests, tokens, 1)
            found.append((states * real).sum(1) / real.sum(1))
    return torch.cat(found)  # (requests, hidden)


def _head(train: Sequence[Row], seed: int, steps: int, *, lora: bool) -> Scorer:
    """A new head on the last token, alone or with LoRA on every linear layer; the rate falls to zero in a line."""
    import numpy as np
    import torch

    torch.manual_seed(seed)  # before the head: it is random
    model = sequence_model(lora=lora)
    dice = Random(seed)  # noqa: S311 - the same for everybody
    learned = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    model.train()
    for _ in range(steps):
        some = dice.sample(list(train), min(BATCH, len(train)))
        loss = model(**_asked(some), labels=torch.tensor(truth(some))).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()

    def scores(rows: Sequence[Row]) -> np.ndarray:
        with torch.no_grad():
            return np.concatenate([np.asarray(model(**_asked(some)).logits) for some in _batches(rows)])

    return scores


def sequence_model(*, lora: bool) -> Any:
    """The base with a new head for these classes; everything but the head and LoRA is frozen."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    level = logging.get_verbosity()
    with quiet():
        logging.set_verbosity_error()  # a report that the head is new
        model = AutoModelForSequenceClassification.from_pretrained(base_model.FOLDER, num_labels=len(NAMES))
        logging.set_verbosity(level)
        if lora:
            config = LoraConfig(task_type="SEQ_CLS", r=8, lora_alpha=16, target_modules="all-linear")
            return get_peft_model(model, config)
    for name, weight in model.named_parameters():
        weight.requires_grad = name.startswith("score")
    return model


def _asked(rows: Sequence[Row]) -> Any:
    """Requests in the chat template: the last token of each is the one after which the base answers."""
    shown = [
        _tokenizer().apply_chat_template(
            [{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False
        )
        for text, _ in rows
    ]
    return _encode(shown)


def _encode(texts: list[str]) -> Any:
    return _tokenizer()(texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")


def _batches(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]


@cache
def _tokenizer() -> Any:
    return base_model.tokenizer()


@cache
def _reader() -> Any:
    from transformers import AutoModel

    with quiet():
        return AutoModel.from_pretrained(base_model.FOLDER).eval()
