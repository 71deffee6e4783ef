"""Fine-tuning on three examples, small enough to happen while one waits: LoRA, all examples in every step.

The same function made the recording, so a point repeated live gives the same answers. Leaves out runs with validation,
events and files (``demos.finetuning.run``): tasks with many examples were trained there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demos.finetuning.preflight import IGNORED

RANK, ALPHA, RATE, STEPS, SEED = 8, 16, 2e-3, 15, 0
"""The recipe, the same for every rule."""


def tune(model: Any, tokenizer: Any, shown: Sequence[tuple[str, str]]) -> Any:
    """``model`` (changed) with an adapter trained on requests and answers; the loss counts the answers only."""
    import torch
    from peft import LoraConfig, get_peft_model

    from demos.finetuning.quantized import quiet

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        with quiet():
            config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
            tuned = get_peft_model(model, config)
        batch = _batch(tokenizer, shown)
        optimizer = torch.optim.AdamW([each for each in tuned.parameters() if each.requires_grad], lr=RATE)
        for step in range(STEPS):
            for group in optimizer.param_groups:
                group["lr"] = RATE * (1 - step / STEPS)
            loss = tuned(**batch).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return tuned.eval()


def trained_tokens(tokenizer: Any, shown: Sequence[tuple[str, str]]) -> int:
    """Tokens that pass through the model in training, padding left out: what a provider bills."""
    return STEPS * sum(len(ids) for ids in _encoded(tokenizer, shown)["input_ids"])


def _batch(tokenizer: Any, shown: Sequence[tuple[str, str]]) -> dict[str, Any]:
    import torch

    encoded = _encoded(tokenizer, shown)
    padded = tokenizer.pad({"input_ids": encoded["input_ids"]}, padding_side="right", return_tensors="pt")
    labels = torch.full_like(padded["input_ids"], IGNORED)  # (examples, length)
    for row, (ids, mask) in enumerate(zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)):
        labels[row, : len(ids)] = torch.tensor(ids).where(torch.tensor(mask).bool(), IGNORED)
    return {"input_ids": padded["input_ids"], "attention_mask": padded["attention_mask"], "labels": labels}


def _encoded(tokenizer: Any, shown: Sequence[tuple[str, str]]) -> Any:
    chats = [
        [{"role": "user", "content": request}, {"role": "assistant", "content": answer}] for request, answer in shown
    ]
    return tokenizer.apply_chat_template(chats, return_dict=True, return_assistant_tokens_mask=True)
