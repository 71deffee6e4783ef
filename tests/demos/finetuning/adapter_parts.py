"""Adapter files made by hand, without torch: whole ones and what they are spoilt from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from demos.finetuning.adapters import files

ALL = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
LAYER = "base_model.model.model.layers.0.self_attn.q_proj"
CODES = {"<f4": "F32", "<f2": "F16", "<u2": "BF16", "<f8": "F64"}


def config(**changes: Any) -> bytes:
    """adapter_config.json of a LoRA as PEFT writes it; a change to ``...`` leaves the field out."""
    said = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "auto_mapping": None,
        "base_model_name_or_path": "content/model",
        "bias": "none",
        "r": 4,
        "lora_alpha": 8,
        "lora_dropout": 0.0,
        "target_modules": ["q_proj", "v_proj"],
        "rank_pattern": {},
        "alpha_pattern": {},
        "use_rslora": False,
        "use_dora": False,
        "init_lora_weights": True,
        "inference_mode": True,
    } | changes
    return json.dumps({name: value for name, value in said.items() if value is not ...}).encode()


def lora(rank: int = 4, targets: tuple[str, ...] = ("q_proj", "v_proj"), seed: int = 0, size: float = 0.05) -> Any:
    """A and B of every target, random: B is not zero, so the adapter does something."""
    random = np.random.default_rng(seed)
    found: dict[str, np.ndarray] = {}
    for name, shape in files.base_shapes().items():
        layer = name.removesuffix(".weight")
        if layer.rpartition(".")[2] in targets:
            for part, sizes in (("lora_A", (rank, shape[1])), ("lora_B", (shape[0], rank))):
                values = random.standard_normal(sizes) * size
                found[f"base_model.model.{layer}.{part}.weight"] = values.astype("<f4")
    return found


def pack(tensors: Mapping[str, np.ndarray], **extra: Any) -> bytes:
    """A safetensors file; ``extra`` goes into the header."""
    header: dict[str, Any] = dict(extra)
    body = b""
    for name, values in tensors.items():
        raw = values.tobytes()
        places = [len(body), len(body) + len(raw)]
        header[name] = {"dtype": CODES[values.dtype.str], "shape": list(values.shape), "data_offsets": places}
        body += raw
    return sealed(json.dumps(header).encode(), body)


def sealed(header: bytes, body: bytes = b"", length: int | None = None) -> bytes:
    """The container around a header that need not be JSON."""
    return (len(header) if length is None else length).to_bytes(8, "little") + header + body


def adapter(rank: int = 4, targets: tuple[str, ...] = ALL, seed: int = 0, size: float = 0.05) -> files.Adapter:
    """A checked adapter of random numbers."""
    said = config(r=rank, lora_alpha=2 * rank, target_modules=list(targets))
    return files.open_adapter(said, pack(lora(rank, targets, seed, size)))
