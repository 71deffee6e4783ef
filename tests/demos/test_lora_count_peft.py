"""The calculator equals PEFT, to the parameter, on every model and target set offered, and its config runs."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from demos.lora import meta
from demos.lora.architectures import FAMILIES, Architecture, Sizes, build
from demos.lora.models import ARCHITECTURES, presets
from demos.lora.parameters import Params, count, resolve

pytestmark = pytest.mark.slow

SMALL = {
    "architecture": "custom",
    "hidden": 24,
    "layers": 2,
    "heads": 4,
    "kv_heads": 4,
    "head_dim": 6,
    "intermediate": 40,
    "vocab": 64,
}


def refused_or_counted(base: Any, targets: tuple[str, ...], rank: int, bias: str = "none") -> tuple[int, int] | None:
    try:
        counted = meta.count(base, targets, rank, bias)
    except ValueError:
        return None
    return counted.trainable, counted.total


def calculated(params: Params) -> tuple[int, int] | None:
    result = count(params)
    return None if result.level == "error" else (result.trainable, result.total)


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_every_model_and_every_preset(architecture: Architecture) -> None:
    base = meta.model(architecture)
    assert sum(parameter.numel() for parameter in base.parameters()) == architecture.base
    assert {name for name, _ in base.named_modules() if name} == {
        *(key for module in architecture.modules for key in architecture.keys(module.path)),
        *(key for path in architecture.untouchable() for key in architecture.keys(path)),
    }
    for preset in presets(architecture):
        got = calculated(Params(architecture=architecture.id, targets=(preset.id,)))
        assert got == refused_or_counted(base, preset.targets, 8), preset


@pytest.mark.parametrize("name", ["mistral-7b", "phi-3-mini", "qwen2.5-0.5b", "gemma-2-2b", "gpt2"])
def test_every_layer_alone_and_every_kind_of_bias(name: str) -> None:
    architecture = ARCHITECTURES[name]
    base = meta.model(architecture)
    for module in architecture.modules:
        targets = (architecture.label(module),)
        assert calculated(Params(architecture=name, targets=targets, rank=4)) == refused_or_counted(base, targets, 4)
    first = (architecture.label(architecture.linear[0]),)
    for bias in ("lora_only", "all"):
        params = Params(architecture=name, targets=first, rank=4, bias=bias)  # type: ignore[arg-type]
        assert calculated(params) == refused_or_counted(base, first, 4, bias)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_names_on_any_small_model(data: st.DataObject) -> None:
    family, tied = data.draw(st.sampled_from(tuple(FAMILIES))), data.draw(st.booleans())
    kv_heads = 4 if family == "gpt2" else data.draw(st.sampled_from([1, 2, 4]))
    architecture = build("custom", "", family, Sizes(24, 2, 4, kv_heads, 6, 40, 64, tied))
    known = [name for module in architecture.modules for name in (module.name, architecture.label(module))]
    odd = ["layers.1.mlp.down_proj", "mlp", "0", "h.1.attn.c_attn", "q_proj", "qkv_proj", "ln_f", "proj", "all-linear"]
    targets = tuple(data.draw(st.lists(st.sampled_from(known + odd), min_size=1, max_size=5, unique=True)))
    assume(targets != ("mlp",))  # alone it is the calculator's own name for a set of layers
    rank, bias = data.draw(st.integers(1, 30)), data.draw(st.sampled_from(["none", "lora_only", "all"]))
    given_sizes = {**SMALL, "family": family, "kv_heads": kv_heads, "tied": tied}
    params = Params(**given_sizes, targets=targets, rank=rank, bias=bias)
    assert calculated(params) == refused_or_counted(meta.model(architecture), targets, rank, bias)


@pytest.mark.parametrize("bias", ["none", "lora_only", "all"])
@pytest.mark.parametrize(
    ("family", "targets"),
    [
        ("llama", ("q_proj", "v_proj")),
        ("llama", ("all-linear",)),
        ("llama", ("lm_head", "q_proj")),
        ("qwen2", ("embed_tokens", "k_proj")),
        ("phi3", ("qkv_proj",)),
        ("gemma2", ("all-linear",)),
        ("gpt2", ("c_proj",)),
        ("gpt2", ("wte", "c_attn")),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_config_to_copy_runs_prints_our_numbers_and_saves_our_bytes(
    family: str, targets: tuple[str, ...], bias: str, dtype: str, tmp_path: Path
) -> None:
    from safetensors import safe_open

    params = Params(**SMALL, family=family, targets=targets, bias=bias, dtype=dtype, tied=False)  # type: ignore[arg-type]
    result, scope, printed = count(params), {"model": _loaded(params)}, io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
        # told to the learner in words (embeddings are saved too), or between the libraries (the deprecated alias)
        warnings.filterwarnings("ignore", message=".*(save_embedding_layers|is_gradient_checkpointing).*")
        exec(result.config_code, scope)  # noqa: S102 - our own text, as a learner would paste it
        scope["model"].save_pretrained(tmp_path)
    assert printed.getvalue().strip() == (
        f"trainable params: {result.trainable:,} || all params: {result.total:,} || "
        f"trainable%: {100 * result.share:.4f}"
    )
    with safe_open(str(tmp_path / "adapter_model.safetensors"), "pt") as saved:
        tensors = [saved.get_tensor(key) for key in saved.keys()]  # noqa: SIM118 - not a mapping
    assert sum(tensor.nbytes for tensor in tensors) == result.adapter_bytes
    gradients, moments = _one_step(scope["model"])
    assert (gradients, moments) == (result.gradient_bytes, result.optimizer_bytes)


def _loaded(params: Params) -> Any:
    """A small model as it comes from a checkpoint: in 16 bits."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_config(meta.config(resolve(params)), dtype=torch.bfloat16)


def _one_step(model: Any) -> tuple[int, int]:
    """Bytes of gradients and of AdamW's moments, weighed after a real step."""
    import torch

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained)
    tokens = torch.arange(16)[None]
    model(input_ids=tokens, labels=tokens).loss.backward()
    optimizer.step()
    states = optimizer.state.values()
    moments = sum(state[name].nbytes for state in states for name in ("exp_avg", "exp_avg_sq"))
    return sum(parameter.grad.nbytes for parameter in trained), moments
