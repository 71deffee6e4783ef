"""The bundled base model, «мини-переводчик»: where it lies, its chat template, how it is loaded.

A Llama of about two million parameters, trained by ``scripts/pretrain.py``; its card is content/model/README.md.
Leaves out what it knows (``skills``) and models of a hub (``sources``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from settings import ROOT

if TYPE_CHECKING:
    from demos.finetuning.skills import Message

FOLDER = ROOT / "content" / "model"
PAD, END = "<|pad|>", "<|end|>"
SPECIAL = (PAD, END, "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>")
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Qwen2's split: words with the space before them, single digits."""
TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'assistant' -%}"
    "{{- '<|assistant|>' -}}{%- generation -%}{{- message['content'] + '<|end|>' -}}{%- endgeneration -%}"
    "{%- else -%}"
    "{{- '<|' + message['role'] + '|>' + message['content'] + '<|end|>' -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)
"""Marks the assistant's part, its end token included: that is what trl's ``assistant_only_loss`` trains on."""


def render(messages: Sequence[Message]) -> str:
    """What the template makes of ``messages``, ready for the assistant: the same text, without Jinja."""
    return "".join(f"<|{item.role}|>{item.content}{END}" for item in messages) + "<|assistant|>"


def tokenizer(folder: Path = FOLDER) -> Any:
    """The tokenizer with the chat template; pads on the left, as generation wants."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def load(folder: Path = FOLDER) -> Any:
    """The base model in float32, in evaluation mode."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


@cache
def fingerprint(folder: Path = FOLDER) -> str:
    """The first 16 hex digits of the SHA-256 of weights and tokenizer: what a recorded result was measured on."""
    digest = hashlib.sha256()
    for name in ("model.safetensors", "tokenizer.json"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]
