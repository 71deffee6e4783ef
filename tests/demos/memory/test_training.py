"""The memory calculator against built, quantized and trained models, to the byte; activations: ``test_points``."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from demos import registry
from demos.lora import meta
from demos.lora.architectures import Architecture, Family, Sizes, build
from demos.lora.matching import match
from demos.lora.models import ARCHITECTURES
from demos.memory.counted import stored
from demos.memory.training import Plan, Quantization, estimate, fits, low_rank

RANK = 8


def tiny(family: Family) -> Architecture:
    """A model with more heads for queries than for keys, where the family allows it."""
    return build("tiny", "tiny", family, Sizes(192, 3, 6, 6 if family == "gpt2" else 2, 32, 320, 256, True))


@pytest.mark.parametrize(
    ("architecture", "quantization", "double", "gigabytes"),
    [
        ("mistral-7b", "nf4", True, 4.13),
        ("mistral-7b", "nf4", False, 4.45),
        ("mistral-7b", "int8", True, 7.50),
        ("mistral-7b", "none", True, 14.48),
        ("phi-3-mini", "nf4", True, 2.26),
        ("llama-2-7b", "nf4", True, 3.87),
        ("llama-3.1-8b", "nf4", True, 5.70),
        ("llama-3-70b", "nf4", True, 39.52),
    ],
)
def test_the_reference_numbers(architecture: str, quantization: str, double: bool, gigabytes: float) -> None:
    result = registry.call(
        "memory.training",
        {"architecture": architecture, "quantization": quantization, "double_quantization": double},
    )
    assert round(result.weights / 1e9, 2) == pytest.approx(gigabytes, abs=0.0101)  # scales of rows and tables besides


def test_full_fine_tuning_of_mistral_is_sixteen_bytes_a_parameter_and_activations_besides() -> None:
    full = registry.call("memory.training", {"method": "full", "precision": "mixed"})
    assert full.weights + full.gradients + full.optimizer == 16 * 7_241_732_096
    assert full.adapter == 0
    qlora = registry.call("memory.training", {})
    assert (qlora.trainable, qlora.adapter, qlora.optimizer) == (41_943_040, 4 * 41_943_040, 8 * 41_943_040)
    assert not fits(full.total, 80 * 10**9)
    assert not fits(qlora.total, 24 * 10**9)  # 2048 tokens a step, every layer adapted
    assert fits(registry.call("memory.training", {"checkpointing": True}).total, 12 * 10**9)


def test_parts_add_up_and_what_saves_memory_saves_it() -> None:
    def total(**arguments: object) -> int:
        result = registry.call("memory.training", arguments)
        parts = (result.weights, result.adapter, result.gradients, result.optimizer, result.activations)
        assert result.total == sum(parts) + result.logits + result.buffers + result.overhead
        return int(result.total)

    usual = total()
    assert total(checkpointing=True) < usual < total(attention="eager")
    assert total(optimizer="adamw-8bit") < usual < total(whole_logits=True)
    assert total(batch=8) > usual > total(length=256)
    assert total(quantization="int8") > usual


@pytest.mark.slow
@pytest.mark.parametrize("full", [True, False], ids=["full", "lora"])
def test_weights_gradients_and_moments_of_a_trained_model_to_the_byte(full: bool) -> None:
    import torch

    architecture = tiny("llama")
    model = _model(architecture, "sdpa", "float32", full=full)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained)
    ids = torch.randint(0, 256, (2, 8))
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    layers = match(architecture, ("all-linear",)).layers
    trainable = architecture.base if full else low_rank(layers, RANK)
    result = estimate(architecture, Plan(trainable=trainable, full=full))
    assert result.weights + result.adapter == sum(parameter.nbytes for parameter in model.parameters())
    assert result.gradients == sum(parameter.grad.nbytes for parameter in trained if parameter.grad is not None)
    moments = [state[name] for state in optimizer.state.values() for name in ("exp_avg", "exp_avg_sq")]
    assert result.optimizer == sum(moment.nbytes for moment in moments)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quantization", "double"), [("nf4", True), ("nf4", False), ("fp4", True), ("fp4", False), ("int8", True)]
)
def test_a_quantized_base_to_the_byte(quantization: Quantization, double: bool, tmp_path: Path) -> None:
    architecture = tiny("llama")
    _model(architecture, "sdpa", "float32", full=True).save_pretrained(tmp_path)
    plan = Plan(trainable=0, quantization=quantization, double_quantization=double, dtype="bfloat16")
    assert estimate(architecture, plan).weights == _quantized(tmp_path, quantization, double)


def _model(architecture: Architecture, attention: str, dtype: str, *, full: bool) -> Any:
    import torch
    import transformers
    from peft import LoraConfig, get_peft_model

    config = meta.config(architecture)
    config._attn_implementation = attention
    for name in {"attn_pdrop", "resid_pdrop", "embd_pdrop"} & vars(config).keys():
        setattr(config, name, 0.0)
    if architecture.family == "gpt2":
        config.bos_token_id = config.eos_token_id = 0
    auto: Any = transformers.AutoModelForCausalLM
    model = auto.from_config(config, dtype=getattr(torch, dtype)).train()
    if full:
        return model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GPT-2 keeps its weights transposed: peft sees it and says so
        return get_peft_model(model, LoraConfig(r=RANK, target_modules="all-linear", task_type="CAUSAL_LM"))


def _quantized(folder: Path, quantization: str, double: bool) -> int:
    """Bytes of a model quantized by bitsandbytes, every constant counted."""
    import torch
    import transformers

    settings: Any = transformers.BitsAndBytesConfig
    settings = (
        settings(load_in_8bit=True)
        if quantization == "int8"
        else settings(load_in_4bit=True, bnb_4bit_quant_type=quantization, bnb_4bit_use_double_quant=double)
    )
    auto: Any = transformers.AutoModelForCausalLM
    model = auto.from_pretrained(folder, quantization_config=settings, dtype=torch.bfloat16, device_map="cpu")
    return sum(stored(parameter) for parameter in model.parameters())


def test_every_model_offered_can_be_asked_for() -> None:
    for architecture in ARCHITECTURES:
        full, lora = (
            registry.call("memory.training", {"architecture": architecture, "method": method}).total
            for method in ("full", "lora")
        )
        assert full > lora > 0
