"""«The same recipe on Mistral-7B»: reference numbers, PEFT's own counts on the meta device, sentences for a learner."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from typing import Any

import pytest

from demos.finetuning import methods
from demos.finetuning.counting import count
from demos.finetuning.elsewhere import same_recipe
from demos.finetuning.spec import METHODS, Method, RunSpec
from demos.lora import meta
from demos.lora.models import ARCHITECTURES
from settings import ROOT

MISTRAL = ARCHITECTURES["mistral-7b"]


def recipe(method: Method, **fields: Any) -> RunSpec:
    return RunSpec(method=method, **{"quantization": "none", **fields})


@pytest.mark.parametrize(
    ("spec", "trainable"),
    [
        (recipe("lora", rank=8, targets=("q_proj", "v_proj")), 3_407_872),
        (recipe("lora", rank=16, targets=("q_proj", "k_proj", "v_proj", "o_proj")), 13_631_488),
        (recipe("rslora", rank=16), 41_943_040),
        (recipe("pissa", rank=64), 167_772_160),
        (recipe("dora", rank=16, targets=("q_proj", "v_proj")), 6_979_584),
        (recipe("vera", rank=256, targets=("q_proj", "v_proj")), 180_224),
        (recipe("ia3"), 524_288),
        (recipe("prompt", virtual_tokens=20), 81_920),
        (recipe("prefix", virtual_tokens=20), 1_310_720),
        (recipe("full"), 7_241_732_096),
        (recipe("none"), 0),
    ],
    ids=lambda value: value.method if isinstance(value, RunSpec) else "",
)
def test_the_reference_numbers(spec: RunSpec, trainable: int) -> None:
    assert same_recipe(spec).trainable == trainable


def test_the_lessons_run_on_mistral() -> None:
    there = same_recipe(RunSpec())
    assert round(there.base_bytes / 1e9, 2) == 4.13
    assert round(there.share, 6) == 0.005758
    assert there.file_bytes == 83_886_080  # trl keeps adapters of a quantized base in bfloat16
    assert same_recipe(recipe("lora")).file_bytes == 167_772_160
    full = same_recipe(recipe("full"))
    assert full.optimizer_bytes == 8 * 7_241_732_096
    assert full.cards > 1
    assert there.cards == 1
    assert full.peak_bytes > 3 * there.peak_bytes


def test_the_rank_of_a_recipe_makes_the_adapter_larger_and_tokens_make_it_longer() -> None:
    small, large = (same_recipe(RunSpec(rank=rank)) for rank in (8, 64))
    assert large.file_bytes == 8 * small.file_bytes
    assert large.peak_bytes > small.peak_bytes
    assert same_recipe(RunSpec(), length=512).seconds == pytest.approx(2 * same_recipe(RunSpec()).seconds)
    full, frozen = same_recipe(recipe("full")), same_recipe(recipe("ia3"))
    assert full.seconds * full.cards == pytest.approx(1.5 * frozen.seconds, rel=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_says_what_only_a_large_model_shows(method: Method) -> None:
    there = same_recipe(recipe(method))
    for text in (there.note, there.assumption):
        assert text.endswith(".")
        assert re.search("[а-я]", text)
    assert there.peak_bytes > there.base_bytes
    assert (there.seconds > 0) == (method != "none")


def test_names_of_another_architecture_are_said_to_mean_nothing_there() -> None:
    there = same_recipe(recipe("lora", targets=("c_attn",)))
    assert there.trainable == 41_943_040
    assert "Слоёв с такими именами" in there.note


def test_it_needs_no_torch() -> None:
    script = (
        "import sys; from demos.finetuning.elsewhere import same_recipe; from demos.finetuning.spec import RunSpec\n"
        "same_recipe(RunSpec())\n"
        "sys.exit(str({'torch', 'numpy', 'transformers', 'peft'} & set(sys.modules) or '') or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def bases() -> dict[str, Any]:
    return {
        name: meta.model(ARCHITECTURES[name])
        for name in ("mistral-7b", "phi-3-mini", "gpt2", "qwen2.5-0.5b", "gemma-2-2b")
    }


@pytest.mark.slow
@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("full", "none", "bottleneck", "pissa")])
def test_peft_counts_the_same_on_the_meta_device(method: Method, bases: dict[str, Any]) -> None:
    import torch
    from peft import get_peft_model, get_peft_model_state_dict

    spec = recipe(method, rank=8)
    for name, base in bases.items():
        with warnings.catch_warnings(), torch.device("meta"):
            warnings.simplefilter("ignore")  # tied heads and transposed weights: no matter for a count
            wrapped = get_peft_model(base, methods.peft_config(spec, base))
            trainable = sum(p.numel() for p in wrapped.parameters() if p.requires_grad)
            counted = count(ARCHITECTURES[name], spec)
            assert counted.trainable == trainable, name
            if method not in ("adalora", "ptuning", "prompt", "prefix"):  # pruned later; encoders need real weights
                saved = get_peft_model_state_dict(wrapped, save_embedding_layers=False)
                assert counted.saved == sum(tensor.numel() for tensor in saved.values()), name
            if hasattr(wrapped.base_model, "unload"):
                wrapped.unload()


@pytest.mark.slow
def test_our_own_inserts_are_counted_too() -> None:
    from demos.finetuning import bottleneck
    from demos.lora.architectures import Sizes, build

    for family in ("llama", "phi3", "gpt2"):
        small = build("tiny", "tiny", family, Sizes(48, 2, 4, 4, 12, 64, 128, True))  # type: ignore[arg-type]
        model = meta.model(small)
        bottleneck.insert(model, 8)
        trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
        assert count(small, recipe("bottleneck", bottleneck=8)).trainable == trainable
