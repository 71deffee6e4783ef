"""Ten steps of QLoRA on a model of hub size with random weights, on a card: the peak beside what the calculator says.

Layers are quantized one by one on the card, so nothing of the size of the whole model is ever stored. What was measured
goes to content/measurements/, one JSON a card. Leaves out quality: the weights are noise.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from demos.finetuning.counting import count
from demos.finetuning.elsewhere import plan
from demos.finetuning.spec import RunSpec
from demos.lora import meta
from demos.lora.architectures import Architecture
from demos.lora.models import ARCHITECTURES
from demos.memory import training
from settings import ROOT

FOLDER = ROOT / "content" / "measurements"
MODEL, STEPS, LENGTH = "llama-3.1-8b", 10, 512
SPEC = RunSpec(batch=4, checkpointing=True)


@dataclass(frozen=True, slots=True)
class Measured:
    """What ten steps took. Bytes."""

    model: str
    device: str
    steps: int
    seconds: float
    peak: int
    weights: int
    calculated_peak: int
    calculated_weights: int


def card() -> str | None:
    """The name of the card at hand."""
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


def measure(
    architecture: Architecture = ARCHITECTURES[MODEL],
    spec: RunSpec = SPEC,
    *,
    device: str = "cuda",
    steps: int = STEPS,
    length: int = LENGTH,
) -> Measured:
    """Train ``steps`` steps on noise and look at the peak; on a CPU only that it goes."""
    import torch

    from demos.finetuning.quantized import quiet, stored_bytes

    on_card = device == "cuda"
    if on_card:
        torch.cuda.reset_peak_memory_stats()
    model = random_4bit(architecture, device)
    weights = stored_bytes(model)
    with quiet():
        seconds = _train(_with_adapter(model, spec), spec, steps, length, device)
    counted = count(architecture, spec)
    told = training.estimate(architecture, plan(spec, counted, length, precision="float32", whole_logits=True))
    return Measured(
        model=architecture.title,
        device=card() or "cpu",
        steps=steps,
        seconds=round(seconds, 2),
        peak=torch.cuda.max_memory_allocated() if on_card else 0,
        weights=weights,
        calculated_peak=told.total - told.overhead,  # the context is not the allocator's
        calculated_weights=told.weights,
    )


def record(measured: Measured, folder: Path = FOLDER) -> Path:
    """Keep a measurement with its date and versions."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"script": "benchmarks/hub_size.py", "date": datetime.now(UTC).date().isoformat()}
    about |= {name: version(name) for name in ("torch", "transformers", "peft", "bitsandbytes")}
    name = f"{measured.model}-{measured.device}".lower().replace(" ", "-").replace("/", "-")
    path = folder / f"{name}.json"
    path.write_text(json.dumps({**asdict(measured), **about}, ensure_ascii=False, indent=1) + "\n")
    return path


def random_4bit(architecture: Architecture, device: str) -> Any:
    """A model of these sizes whose decoder layers are NF4 noise, the rest bfloat16 noise; no step needs it whole."""
    import torch
    from torch import nn

    model = meta.model(architecture).to(torch.bfloat16)
    layers = [name for name, module in model.named_modules() if type(module) is nn.Linear and name != "lm_head"]
    for name in layers:
        parent, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(parent), leaf, _noise_layer(model.get_submodule(name), device))
    for module in model.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if parameter.is_meta:
                noise = torch.randn(parameter.shape, dtype=torch.bfloat16, device=device) * 0.02
                setattr(module, name, nn.Parameter(noise, requires_grad=False))
    model.model.rotary_emb = type(model.model.rotary_emb)(model.config).to(device)
    model.tie_weights()
    model.is_loaded_in_4bit = model.is_quantized = True
    return model


def _noise_layer(layer: Any, device: str) -> Any:
    import torch
    from bitsandbytes import nn

    kinds: Any = nn
    rows, columns = layer.weight.shape
    noise = torch.randn(rows, columns, dtype=torch.bfloat16, device=device) * 0.02
    how = {"compress_statistics": True, "quant_type": "nf4"}
    made = kinds.Linear4bit(columns, rows, bias=False, compute_dtype=torch.bfloat16, device="meta", **how)
    made.weight = kinds.Params4bit(noise, requires_grad=False, **how).to(device)
    made.support_avx512bf16_for_cpu = False
    return made


def _with_adapter(model: Any, spec: RunSpec) -> Any:
    from peft import LoraConfig, get_peft_model

    if spec.checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    adapter = LoraConfig(r=spec.rank, lora_alpha=spec.alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(model, adapter).train()


def _train(model: Any, spec: RunSpec, steps: int, length: int, device: str) -> float:
    """Seconds of so many plain steps."""
    import time

    import torch

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    started = time.perf_counter()
    for _ in range(steps):
        ids = torch.randint(0, model.config.vocab_size, (spec.batch, length), device=device)
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started
