"""The same counts from PEFT itself, on the meta device: a model of any size without its weights.

What the calculator is held against (tests, benchmark). Leaves out everything but counting. Takes seconds and loads
torch, transformers and peft inside its functions.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from demos.lora.architectures import Architecture


@dataclass(frozen=True, slots=True)
class Counted:
    """What ``print_trainable_parameters()`` prints."""

    trainable: int
    total: int


def model(architecture: Architecture) -> Any:
    """A ``transformers`` model of this architecture on the meta device."""
    import torch
    import transformers

    auto: Any = transformers.AutoModelForCausalLM
    with torch.device("meta"):
        return auto.from_config(config(architecture))


def config(architecture: Architecture) -> Any:
    """The ``transformers`` configuration with these sizes."""
    import transformers

    name, values = settings(architecture)
    return getattr(transformers, name)(**values)


def settings(architecture: Architecture) -> tuple[str, dict[str, Any]]:
    """The name of the configuration's class and its arguments."""
    sizes = architecture.sizes
    common = {"vocab_size": sizes.vocab, "tie_word_embeddings": sizes.tied}
    if architecture.family == "gpt2":
        return "GPT2Config", common | {
            "n_positions": sizes.positions,
            "n_embd": sizes.hidden,
            "n_layer": sizes.layers,
            "n_head": sizes.heads,
            "n_inner": sizes.intermediate,
        }
    common |= {
        "hidden_size": sizes.hidden,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.kv_heads,
        "head_dim": sizes.head_dim,
        "intermediate_size": sizes.intermediate,
    }
    kinds = {"llama": "Llama", "qwen2": "Qwen2", "gemma2": "Gemma2", "phi3": "Phi3"}
    if architecture.family == "phi3":
        common |= {"pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0}  # the defaults need a vocabulary of 32064
    return f"{kinds[architecture.family]}Config", common


def count(base: Any, targets: tuple[str, ...], rank: int, bias: str = "none") -> Counted:
    """Wrap ``base`` by PEFT, count, unwrap again.

    Raises:
        ValueError: PEFT refuses the targets.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    names: Any = targets[0] if targets == ("all-linear",) else list(targets)
    adapter = LoraConfig(r=rank, target_modules=names, bias=bias, task_type="CAUSAL_LM")
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")  # tied heads and transposed weights: known, and no matter for a count
        wrapped = get_peft_model(base, adapter)
        counted = Counted(*wrapped.get_nb_trainable_parameters())
        wrapped.unload()
    return counted
