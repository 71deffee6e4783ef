"""One token after another, with every cut of the distribution by hand: temperature, top-k, top-p, then a draw.

The order and the arithmetic are those of ``transformers``' generate, so one seed gives one text in both. Holtzman et
al., «The Curious Case of Neural Text Degeneration», 2019, section 3.1 (top-p); Fan et al., 2018 (top-k). Leaves out
beams and penalties.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Rules:
    """How the next token is chosen. ``top_k`` 0 and ``top_p`` 1 cut nothing; ``greedy`` ignores the rest."""

    greedy: bool = True
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0


@dataclass(frozen=True, slots=True)
class Cut:
    """The distribution at one step, (vocabulary,) each: as the model gives it, heated, and what is left of it."""

    plain: Tensor
    heated: Tensor
    left: Tensor  # sums to one; what is cut is zero
    cumulative: Tensor  # after top-k, summed from the likeliest down to and with this token


def cut(logits: Tensor, rules: Rules) -> Cut:
    """What the rules make of ``logits``, (vocabulary,)."""
    import torch

    plain = logits.softmax(-1)
    if rules.greedy:
        left = torch.zeros_like(plain).scatter(0, plain.argmax(-1, keepdim=True), 1.0)
        return Cut(plain, plain, left, _summed(plain))
    scaled = logits / rules.temperature
    heated = scaled.softmax(-1)
    if rules.top_k:
        weakest = scaled.topk(min(rules.top_k, scaled.numel())).values[-1]
        scaled = scaled.masked_fill(scaled < weakest, -torch.inf)
    among = scaled.softmax(-1)
    cumulative = _summed(among)
    if rules.top_p < 1:
        scaled = scaled.masked_fill(_outside(scaled, rules.top_p), -torch.inf)
    return Cut(plain, heated, scaled.softmax(-1), cumulative)


def _outside(scores: Tensor, top_p: float) -> Tensor:
    """Which tokens are not in the smallest set that holds ``top_p`` of the probability; the likeliest always is."""
    import torch

    rising, order = scores.sort()
    tail = rising.softmax(-1).cumsum(-1) <= 1 - top_p
    tail[-1] = False
    return torch.zeros_like(tail).scatter(0, order, tail)


def _summed(probabilities: Tensor) -> Tensor:
    import torch

    falling, order = probabilities.sort(descending=True, stable=True)
    return torch.zeros_like(probabilities).scatter(0, order, falling.cumsum(-1))


def steps(model: Any, ids: list[int], rules: Rules, *, seed: int, most: int, end: int) -> Iterator[tuple[int, Cut]]:
    """The chosen token of every step and what it was chosen from, until the end of the answer or ``most`` tokens."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    given, cache = torch.tensor([ids]), None  # (1, prompt)
    with torch.inference_mode():
        for _ in range(most):
            out = model(input_ids=given, past_key_values=cache, use_cache=True)
            cache, made = out.past_key_values, cut(out.logits[0, -1].float(), rules)
            chosen = int(made.left.argmax()) if rules.greedy else int(made.left.multinomial(1, generator=generator))
            yield chosen, made
            if chosen == end:
                return
            given = torch.tensor([[chosen]])


def shown(tokenizer: Any, token: int) -> str:
    """A token as people can read it: a space is «·», the end has its name, a part of a letter is its bytes."""
    if token == tokenizer.eos_token_id:
        return "⟨конец⟩"
    text = str(tokenizer.decode([token]))
    if "\ufffd" in text:
        from transformers.convert_slow_tokenizer import bytes_to_unicode

        known = {letter: byte for byte, letter in bytes_to_unicode().items()}
        return "‹" + " ".join(f"{known[letter]:02X}" for letter in tokenizer.convert_ids_to_tokens(token)) + "›"
    return text.replace(" ", "·").replace("\n", "↵")
