"""The loss of the bundled model near its weights: measured, and by Taylor's first two terms along a direction ε.

L(W + ε) ≈ L(W) + ⟨∇L, ε⟩ + ½ εᵀHε. The product Hε comes from a second backward pass through ⟨∇L, ε⟩ (Pearlmutter,
«Fast Exact Multiplication by the Hessian», 1994): H itself, 36 864² numbers for the smallest layer, is never made.
Everything is in float64, on held-out examples of the base's own skills: the change for INT8 is below float32's noise.
Leaves out which direction (``kinds``) and whose answer it is (``layer``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from random import Random
from typing import TYPE_CHECKING, Any

from demos.finetuning import base_model, skills

if TYPE_CHECKING:
    from torch import Tensor

EACH = 10
"""Held-out examples of each of the twelve skills: what four passes in float64 manage in a few seconds."""
SEED = "sensitivity"
BATCH = 12
"""Small: texts of one batch are of nearly one length, so little is padding."""
PARTS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
DEPTH = 4
NAMES = tuple(f"{number}.{part}" for number in range(DEPTH) for part in PARTS)
"""The model's linear layers: number of the block and name of the matrix. The head is the embedding's: left alone."""
Direction = Mapping[str, "Tensor"]
"""Layer → ε of its weight's shape."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts padded on the right: attention is causal, so padding needs no mask."""

    ids: Tensor  # (texts, length)
    labels: Tensor  # (texts, length), −100 where nothing is asked


@dataclass(frozen=True, slots=True)
class Measured:
    """One evaluation: mean loss over answer tokens in nats, texts whose every answer token is the likeliest."""

    loss: float
    exact: int


@dataclass(frozen=True, slots=True)
class Terms:
    """Taylor's terms along one direction, in nats a token."""

    first: float  # ⟨∇L, ε⟩
    second: float  # ½ εᵀHε


@cache
def examples(each: int = EACH) -> tuple[skills.Example, ...]:
    """Held-out examples, the same every time, ``each`` of every skill."""
    return tuple(
        skills.draw(random, "test", name)
        for name in skills.SKILLS
        for random in (Random(f"{SEED} {name}"),)  # noqa: S311 - sentences, no secrets
        for _ in range(each)
    )


@cache
def model() -> Any:
    """The bundled model in float64 throughout: as it comes, norms and the written-out softmax would fall to float32."""
    import torch
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(base_model.FOLDER, dtype=torch.float64, attn_implementation="sdpa")
    for module in loaded.modules():
        if type(module).__name__ == "LlamaRMSNorm":
            module.forward = partial(_norm, module.weight, module.variance_epsilon)
    return loaded.eval().requires_grad_(False)


def _norm(scale: Tensor, epsilon: float, hidden: Tensor) -> Tensor:
    """What LlamaRMSNorm computes, in the type it is given; hidden: (…, width)."""
    return scale * hidden * (hidden.pow(2).mean(-1, keepdim=True) + epsilon).rsqrt()


def weights(loaded: Any) -> dict[str, Tensor]:
    """The weight of every linear layer by its short name, (out, in) each."""
    return {
        f"{number}.{part}": (block.mlp if part in PARTS[4:] else block.self_attn).get_submodule(part).weight
        for number, block in enumerate(loaded.model.layers)
        for part in PARTS
    }


@cache
def batches(each: int = EACH) -> tuple[Batch, ...]:
    """The examples as token ids, the answers marked by the chat template, short texts first."""
    import torch

    chats = [[{"role": item.role, "content": item.content} for item in one.messages] for one in examples(each)]
    encoded = base_model.tokenizer().apply_chat_template(chats, return_dict=True, return_assistant_tokens_mask=True)
    rows = sorted(zip(encoded["input_ids"], encoded["assistant_masks"], strict=True), key=lambda row: len(row[0]))
    made = []
    for start in range(0, len(rows), BATCH):
        chosen = rows[start : start + BATCH]
        ids = torch.zeros(len(chosen), len(chosen[-1][0]), dtype=torch.long)  # (texts, length)
        labels = torch.full_like(ids, -100)
        for place, (tokens, mask) in enumerate(chosen):
            ids[place, : len(tokens)] = torch.tensor(tokens)
            labels[place, : len(tokens)] = torch.tensor(tokens).where(torch.tensor(mask).bool(), -100)
        made.append(Batch(ids, labels))
    return tuple(made)


def tokens(data: Sequence[Batch]) -> int:
    """Answer tokens that the loss counts."""
    return int(sum((batch.labels[:, 1:] >= 0).sum() for batch in data))


def measure(loaded: Any, data: Sequence[Batch]) -> Measured:
    """Loss and exact answers of the model as it is."""
    import torch

    with torch.no_grad():
        parts = [_loss(loaded, batch) for batch in data]
    return Measured(sum(loss.item() for loss, _ in parts) / tokens(data), sum(exact for _, exact in parts))


def moved(loaded: Any, data: Sequence[Batch], direction: Direction, times: float = 1.0) -> Measured:
    """Loss and exact answers at W + times·ε; the weights are given back."""
    import torch

    known = weights(loaded)
    before = {name: known[name].clone() for name in direction}
    try:
        with torch.no_grad():
            for name, step in direction.items():
                known[name].add_(step, alpha=times)
        return measure(loaded, data)
    finally:
        with torch.no_grad():
            for name, weight in before.items():
                known[name].copy_(weight)


def expand(loaded: Any, data: Sequence[Batch], directions: Sequence[Direction]) -> tuple[Measured, tuple[Terms, ...]]:
    """The model as it is, and Taylor's terms along each direction; all directions are of the same layers."""
    names, count = tuple(directions[0]), tokens(data)
    chosen = [weights(loaded)[name].requires_grad_() for name in names]
    steps = [[direction[name] for name in names] for direction in directions]
    loss, exact, first, second = 0.0, 0, [0.0] * len(steps), [0.0] * len(steps)
    try:
        for batch in data:
            part, right = _loss(loaded, batch)
            for place, (slope, bend) in enumerate(_derivatives(part, chosen, steps)):
                first[place] += slope
                second[place] += bend
            loss, exact = loss + part.item(), exact + right
    finally:
        for weight in chosen:
            weight.requires_grad_(False)
    terms = tuple(Terms(slope / count, bend / 2 / count) for slope, bend in zip(first, second, strict=True))
    return Measured(loss / count, exact), terms


def _derivatives(
    loss: Tensor, chosen: Sequence[Tensor], steps: Sequence[Sequence[Tensor]]
) -> Iterator[tuple[float, float]]:
    """⟨∇L, ε⟩ and εᵀHε of one batch along each ε, by double backward."""
    import torch

    gradients = torch.autograd.grad(loss, chosen, create_graph=True)
    for place, step in enumerate(steps):
        slope: Any = sum((gradient * one).sum() for gradient, one in zip(gradients, step, strict=True))
        keep = place + 1 < len(steps)
        products = torch.autograd.grad(slope, chosen, retain_graph=keep)  # Hε
        bend: Any = sum((product * one).sum() for product, one in zip(products, step, strict=True))
        yield slope.item(), bend.item()


def _loss(loaded: Any, batch: Batch) -> tuple[Tensor, int]:
    """Summed loss over the answers' tokens, and how many answers greedy decoding would give token by token."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):  # the fused ones have no second derivative
        hidden = loaded.model(input_ids=batch.ids, use_cache=False).last_hidden_state[
            :, :-1
        ]  # (texts, length − 1, width)
    wanted = batch.labels[:, 1:]  # (texts, length − 1)
    asked = wanted >= 0
    logits = loaded.lm_head(hidden[asked])  # (answer tokens, vocabulary)
    loss = torch.nn.functional.cross_entropy(logits, wanted[asked], reduction="sum")
    right = torch.ones_like(asked)
    right[asked] = logits.argmax(-1) == wanted[asked]
    return loss, int(right.all(1).sum())
