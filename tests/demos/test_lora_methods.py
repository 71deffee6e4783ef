"""Methods side by side: reference numbers, PEFT's counts on every model, files really saved, code that runs."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from demos import registry
from demos.lora import adapter_file, checking, methods, snippets
from demos.lora.architectures import Family, Sizes, build
from demos.lora.models import ARCHITECTURES, presets
from demos.params import ParamsError

SIZES = Sizes(24, 2, 4, 4, 6, 40, 64, False)
EVERY = tuple(methods.METHODS)


def rows(**arguments: Any) -> dict[str, methods.Row]:
    result: methods.Result = registry.call("lora.methods", arguments)
    return {row.method: row for row in result.rows}


def test_the_reference_numbers_of_mistral() -> None:
    found = rows()
    assert {name: found[name].trainable for name in EVERY} == {
        "lora": 6_815_744,
        "rslora": 6_815_744,
        "dora": 6_979_584,
        "adalora": 10_225_152,
        "vera": 180_224,
        "ia3": 524_288,
        "prompt": 81_920,
        "prefix": 1_310_720,
        "ptuning": 50_425_856,
        "bottleneck": 33_820_672,
        "modules_to_save": 138_153_984,
        "trainable_tokens": 6_815_744 + 3 * 4096,
    }
    assert round(100 * found["lora"].share, 4) == 0.0940
    assert round(100 * found["vera"].share, 4) == 0.0025
    assert round(100 * found["ia3"].share, 4) == 0.0072
    assert round(100 * found["modules_to_save"].share, 2) == 1.87


def test_what_costs_little_to_train_may_be_large_to_keep() -> None:
    found = rows()
    assert found["vera"].trainable < found["ia3"].trainable
    assert found["vera"].file_bytes > found["ia3"].file_bytes  # its frozen projections are saved
    assert found["ptuning"].file_bytes == found["prompt"].file_bytes  # its encoder is not
    assert found["modules_to_save"].optimizer_bytes < 8 * found["modules_to_save"].trainable  # copies are 16-bit


def test_names_of_another_model_are_refused_and_the_rest_is_counted() -> None:
    result = registry.call("lora.methods", {"architecture": "phi-3-mini", "targets": "q_proj,v_proj"})
    refused = {row.method for row in result.rows if not row.accepted}
    assert refused == {"lora", "rslora", "dora", "adalora", "vera", "modules_to_save", "trainable_tokens"}
    assert "qkv_proj" in result.alarm


@pytest.mark.parametrize(
    "arguments",
    [{"rank": 0}, {"rank": "nan"}, {"architecture": "gpt5"}, {"targets": ""}, {"targets": "(a+)+$"}, {"saved": "x"}],
)
def test_bad_values_are_told_in_words(arguments: dict[str, Any]) -> None:
    with pytest.raises(ParamsError, match=r"[а-я]"):
        registry.call("lora.methods", arguments)


def test_it_says_which_names_take_more_than_they_seem_to() -> None:
    norms = next(note for note in registry.call("lora.methods", {}).notes if "norm" in note)
    assert "все 65" in norms
    assert not [note for note in registry.call("lora.methods", {"saved": "head"}).notes if "«norm»" in note]


ALL_METHODS = ("phi-3-mini", "gpt2", "gemma-2-2b")
"""Families that differ most; every other model takes a sixth of the methods, in turn."""


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_peft_counts_and_would_save_the_same_on_every_model(name: str) -> None:
    place = list(ARCHITECTURES).index(name)
    some = EVERY if name in ALL_METHODS else EVERY[place % 6 :: 6]
    for method in some:
        preset = presets(ARCHITECTURES[name])[0].id
        found = checking.check(checking.Params(architecture=name, method=method, targets=(preset,)))
        assert found.equal, found
        assert found.peft_trainable > 0


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "vera", "modules_to_save", "trainable_tokens"])
@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("gpt2", ("all-linear",)),
        ("gpt2", ("c_proj",)),
        ("qwen2.5-0.5b", ("layers.3.mlp.down_proj", "q_proj")),
        ("phi-3-mini", ("q_proj", "v_proj")),
    ],
)
def test_peft_agrees_on_odd_targets_and_other_settings(method: str, name: str, targets: tuple[str, ...]) -> None:
    for saved in ("head", "embedding-head") if method == "modules_to_save" else ("norm-head",):
        given = checking.Params(
            architecture=name, method=method, targets=targets, rank=5, vera_rank=7, new_tokens=11, saved=saved
        )
        assert checking.check(given).equal


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A small model of a family in the place of a large one."""
    family: Family = request.param
    known = {**ARCHITECTURES, "mistral-7b": build("mistral-7b", "", family, SIZES)}
    for module in (methods, checking):
        monkeypatch.setattr(module, "ARCHITECTURES", known)
    return family


@pytest.mark.slow
@pytest.mark.parametrize("small", ["llama", "gpt2"], indirect=True)
@pytest.mark.parametrize("method", EVERY)
def test_the_file_that_is_really_saved_has_so_many_bytes_and_adam_so_much_to_keep(
    method: str, small: str, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from demos.lora import meta

    target = "c_attn" if small == "gpt2" else "v_proj"
    params = methods.Params(rank=4, vera_rank=6, targets=(target,), virtual_tokens=5, bottleneck=8)
    row = next(row for row in methods.methods(params).rows if row.method == method)
    sizes = meta.config(build("", "", small, SIZES))  # type: ignore[arg-type]
    # over a 16-bit base PEFT 0.21 makes AdaLoRA's counters of ranks trainable, too: one number a layer, by mistake
    dtype = torch.float32 if method == "adalora" else torch.bfloat16
    base = AutoModelForCausalLM.from_config(sizes, dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # transposed weights of GPT-2, tied heads
        model = _adapted(method, params, base, tmp_path)
    assert row.file_bytes == next(tmp_path.glob("*.safetensors")).stat().st_size
    assert (row.trainable, row.optimizer_bytes) == _moments(model)


def _adapted(method: str, params: methods.Params, base: Any, folder: Path) -> Any:
    """The model with its adapter, saved as a user would; AdaLoRA as if pruning had left every layer its rank."""
    from peft import get_peft_model

    from demos.finetuning import bottleneck

    if method == "bottleneck":
        bottleneck.insert(base, params.bottleneck)
        bottleneck.save(base, folder, params.bottleneck)
        return base
    model = get_peft_model(base, checking.peft_config(method, params, base))
    if method == "adalora":
        layers = {name.rpartition(".lora_E")[0] for name, _ in model.named_parameters() if ".lora_E" in name}
        mask = [True] * params.rank + [False] * (params.rank // 2)
        inside = (name.removeprefix("base_model.model.") for name in layers)
        model.peft_config["default"].rank_pattern = {f"{name}.lora_E": mask for name in inside}
    model.save_pretrained(str(folder))
    return model


def _moments(model: Any) -> tuple[int, int]:
    """Trained parameters, and bytes of AdamW's moments after a real step."""
    import torch

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.grad = torch.zeros_like(parameter)
    optimizer = torch.optim.AdamW(trained)
    optimizer.step()
    kept = [state[name].nbytes for state in optimizer.state.values() for name in ("exp_avg", "exp_avg_sq")]
    return sum(parameter.numel() for parameter in trained), sum(kept)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["phi-3-mini", "gpt2"])
def test_the_code_to_copy_counts_the_same(name: str) -> None:
    params = methods.Params(architecture=name, targets=(presets(ARCHITECTURES[name])[0].id,))
    scope: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(snippets.compare(params), scope)  # noqa: S102 - our own text, as a learner would paste it
    found = {row.method: row.trainable for row in methods.methods(params).rows if row.method != "bottleneck"}
    assert scope["counts"] == found


@pytest.mark.slow
def test_the_calculator_is_recounted_by_peft() -> None:
    found = registry.call("lora.check", {"architecture": "gpt2", "targets": "all-linear", "bias": "all"})
    assert found.equal
    assert found.trainable == found.peft_trainable > 0
    trap = registry.call("lora.check", {"architecture": "phi-3-mini", "targets": "qv,v_proj"})
    assert (trap.refused, trap.equal) == (True, True)


def test_a_header_is_padded_to_eight_bytes() -> None:
    for length in range(1, 20):
        assert adapter_file.header_bytes([adapter_file.Tensor("n" * length, (2, 3))]) % 8 == 0
