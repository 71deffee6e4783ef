"""Tiny models of other architectures with our tokenizer and random weights, as folders that a run may name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from demos.finetuning import base_model

MODELS = ("mistral", "qwen2", "phi3", "gpt2", "gemma2")
VOCAB = 2048
_SHARED = {
    "vocab_size": VOCAB,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
    "bos_token_id": None,
    "eos_token_id": 1,
}


def config(name: str) -> Any:
    """The ``transformers`` configuration of a tiny model."""
    import transformers

    match name:
        case "mistral":
            return transformers.MistralConfig(**_SHARED, num_key_value_heads=2)
        case "qwen2":
            sizes = _SHARED | {"vocab_size": VOCAB + 8, "num_key_value_heads": 2}  # Qwen2 tokenizers add a token
            return transformers.Qwen2Config(**sizes, tie_word_embeddings=True)
        case "phi3":
            return transformers.Phi3Config(**_SHARED, num_key_value_heads=2)
        case "gemma2":
            return transformers.Gemma2Config(**_SHARED, num_key_value_heads=2, head_dim=16)
        case _:
            return transformers.GPT2Config(
                vocab_size=VOCAB, n_positions=512, n_embd=64, n_layer=2, n_head=4, bos_token_id=None, eos_token_id=1
            )


def make(name: str, models: Path, *, template: bool = True) -> Path:
    """A folder ``name`` in ``models``; without ``template`` its tokenizer has none."""
    import torch
    from transformers import AutoModelForCausalLM

    folder = models / name
    torch.manual_seed(0)
    auto: Any = AutoModelForCausalLM
    auto.from_config(config(name)).save_pretrained(folder)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(base_model.FOLDER / file, folder / file)
    if template:
        shutil.copy(base_model.FOLDER / "chat_template.jinja", folder / "chat_template.jinja")
    return folder


def change(path: Path, **fields: object) -> None:
    """Set fields of a JSON file; None takes one out."""
    data = json.loads(path.read_text()) | fields
    path.write_text(json.dumps({name: value for name, value in data.items() if value is not None}))
