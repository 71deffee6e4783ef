"""Folders that look like models to whoever reads them as data: headers with the right shapes, weights of holes."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

from demos.finetuning import base_model
from demos.finetuning.configuration import read_config
from demos.lora.architectures import Architecture

TINY: dict[str, Any] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 2048,
}
MISTRAL: dict[str, Any] = {
    "model_type": "mistral",
    "architectures": ["MistralForCausalLM"],
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "vocab_size": 32000,
}


def write(folder: Path, config: dict[str, Any] = TINY) -> Path:
    """A folder with config.json, our tokenizer and sparse weights in bfloat16."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(base_model.FOLDER / file, folder / file)
    weights(folder / "model.safetensors", shapes(read_config(config, "x")))
    return folder


def shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Name → shape of every tensor of a Llama-like model."""
    found: dict[str, tuple[int, ...]] = {}
    for module in architecture.modules:
        embedding = module.kind == "embedding"
        shape = (module.inputs, module.outputs) if embedding else (module.outputs, module.inputs)
        found |= {f"{key}.weight": shape for key in architecture.keys(module.path)}
    return found | {f"{key}.weight": (n.size,) for n in architecture.norms for key in architecture.keys(n.path)}


def weights(path: Path, tensors: dict[str, tuple[int, ...]], dtype: str = "BF16", size: int = 2) -> None:
    """A safetensors file with this header and nothing but holes behind it."""
    header, end = {}, 0
    for name, shape in tensors.items():
        begin, length = end, size
        for side in shape:
            length *= side
        end = begin + length
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
