"""Merging three ways, on the real libraries: only the dequantized base keeps what the run learned."""

from __future__ import annotations

from pathlib import Path

import pytest

import settings
from demos import registry
from demos.finetuning.adapters import files, library, merging, store
from demos.finetuning.adapters.library import Shelf
from demos.finetuning.adapters.merging import Result
from demos.finetuning.quantized import open_base
from demos.finetuning.spec import Quantization, RunSpec
from tests.demos.finetuning.adapter_parts import ALL, adapter, config, lora, pack

pytestmark = pytest.mark.slow

SPEC = RunSpec(quantization="nf4")


@pytest.fixture(scope="module")
def result() -> Result:
    return merging.three_ways(adapter(8, seed=1), SPEC, merging.requests(""))


def test_only_the_dequantized_base_gives_the_tuned_model_back(result: Result) -> None:
    rows = {row.way: row for row in result.merged}
    assert rows["dequantized"].largest < 1e-3
    assert rows["dequantized"].same == result.requests
    assert rows["4bit"].largest > 0.05  # the sum is rounded to sixteen levels again
    assert rows["original"].largest > 0.05  # the adapter learned beside other weights
    assert rows["original16"].largest > 0.05
    for row in result.merged:
        assert row.mean <= row.largest
        assert 0 <= row.right <= result.requests


def test_sizes_are_those_of_the_weights(result: Result) -> None:
    size = {row.way: row.bytes for row in result.merged}
    assert size["original"] == size["dequantized"] == pytest.approx(2 * size["original16"], rel=1e-3)
    assert size["4bit"] < size["original16"] < result.tuned_bytes * 2
    assert result.tuned_bytes > size["4bit"]


def test_merging_can_be_undone_in_float32_and_not_in_four_bits(result: Result) -> None:
    assert result.merge_error < 1e-3
    assert result.restore_error < 1e-3
    assert result.four_bit_restore_error > 0.05


@pytest.mark.parametrize("quantization", ["none", "fp4"])
def test_what_is_exported_is_merged_into_the_weights_it_was_trained_beside(quantization: Quantization) -> None:
    spec, asked = RunSpec(quantization=quantization), merging.requests("")
    trained = adapter(4, seed=2)
    wanted = Shelf(open_base(spec), {"it": trained}).logits("it", asked.prompts)
    merged = merging.merged(trained, spec)
    assert (library.logits(merged.model, merged, asked.prompts) - wanted).abs().max() < 1e-3
    assert not any("lora" in name for name, _ in merged.model.named_parameters())


def test_a_tasks_own_requests_are_asked() -> None:
    asked = merging.requests("intents")
    assert len(asked.prompts) == len(asked.right) == merging.REQUESTS
    assert asked != merging.requests("своя")


def test_the_page_reads_why_something_cannot_be_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(settings, "current", settings.load)
    import numpy as np

    said = config(peft_type="PROMPT_TUNING", num_virtual_tokens=4, r=..., lora_alpha=..., target_modules=...)
    virtual = store.put({files.CONFIG: said, files.WEIGHTS: pack({"prompt_embeddings": np.ones((4, 192), "<f4")})})
    assert "не веса" in registry.call("finetuning.adapters.merge", {"adapter": virtual}).problem
    assert "не веса" in registry.call("finetuning.adapters.export", {"adapter": virtual}).problem
    scales = {f"base_model.model.model.layers.{n}.self_attn.k_proj.ia3_l": np.ones((192, 1), "<f4") for n in range(4)}
    said = config(peft_type="IA3", target_modules=["k_proj"], feedforward_modules=[], r=..., lora_alpha=...)
    scaled = store.put({files.CONFIG: said, files.WEIGHTS: pack(scales)})
    assert "только LoRA, а это IA³" in registry.call("finetuning.adapters.merge", {"adapter": scaled}).problem
    assert registry.call("finetuning.adapters.export", {"adapter": scaled, "form": "gguf-f16"}).problem == ""
    pissa = config(init_lora_weights="pissa", target_modules=list(ALL))
    moved = store.put({files.CONFIG: pissa, files.WEIGHTS: pack(lora(4, ALL))})
    assert "PiSSA" in registry.call("finetuning.adapters.merge", {"adapter": moved}).problem
    assert "больше нет под рукой" in registry.call("finetuning.adapters.merge", {"adapter": "0" * 64}).problem
