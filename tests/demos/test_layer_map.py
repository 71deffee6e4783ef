"""The map of tensors against what the libraries themselves save, count and say."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest

from demos.finetuning import quantized
from demos.layers import snippets, tensors
from demos.layers.layer_map import Params, Result, four_bits, layer_map, spec_of
from jobs import compute, plain
from settings import ROOT

pytestmark = pytest.mark.slow
CONFIGURATIONS = (
    Params(),
    Params(quantization="fp4", double_quantization=False, dtype="float32", targets="q_proj, v_proj", rank=4),
    Params(quantization="int8", dtype="float16"),
    Params(quantization="none"),
)


@pytest.fixture(scope="module")
def results() -> dict[Params, Result]:
    return {params: layer_map(params) for params in CONFIGURATIONS}


def stage(result: Result, name: str) -> dict[str, tensors.Tensor]:
    return {tensor.name: tensor for one in result.stages if one.id == name for tensor in one.tensors}


def header(file: Path) -> dict[str, tuple[str, list[int]]]:
    content = file.read_bytes()
    told = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
    return {name: (said["dtype"], said["shape"]) for name, said in told.items() if name != "__metadata__"}


SAVED = {"U8": "uint8", "F32": "float32", "BF16": "bfloat16", "F16": "float16", "I8": "int8"}


@pytest.mark.parametrize("params", CONFIGURATIONS[:3], ids=lambda params: params.quantization)
def test_names_shapes_and_types_are_those_of_the_saved_file(
    results: dict[Params, Result], params: Params, tmp_path: Path
) -> None:
    with quantized.quiet():
        quantized.open_base(spec_of(params)).model.save_pretrained(tmp_path)
    ours = stage(results[params], "quantized")
    written = {
        name.replace(".SCB", ".weight.SCB"): said
        for name, said in header(tmp_path / "model.safetensors").items()
        if "quant_state" not in name and not name.endswith("weight_format")
    }
    kept = {name for name, one in ours.items() if one.role != "buffer" and "nested_offset" not in name}
    assert kept == set(written)
    for name, (dtype, shape) in written.items():
        assert (ours[name].dtype, list(ours[name].shape)) == (SAVED[dtype], shape), name


@pytest.mark.parametrize("params", CONFIGURATIONS, ids=lambda params: params.quantization)
def test_bytes_and_counts_are_what_the_libraries_say(results: dict[Params, Result], params: Params) -> None:
    import peft

    from demos.finetuning import methods

    with quantized.quiet():
        model = quantized.open_base(spec_of(params)).model
        buffers = sum(one.numel() * one.element_size() for one in model.buffers())
        first = results[params].stages[0 if params.quantization == "none" else 1]
        assert first.total == quantized.stored_bytes(model) + buffers
        assert results[params].footprint == model.get_memory_footprint()
        adapted = peft.get_peft_model(model, methods.peft_config(spec_of(params), model))
    assert results[params].stages[-1].trainable == adapted.get_nb_trainable_parameters()[0]


def test_what_each_step_of_qlora_does(results: dict[Params, Result]) -> None:
    result = results[Params()]
    loaded, packed, prepared, adapted, trained = (
        stage(result, name) for name in ("loaded", "quantized", "prepared", "peft", "trainer")
    )
    name = "model.layers.0.self_attn.q_proj.weight"
    assert (loaded[name].dtype, packed[name].dtype, packed[name].shape) == ("bfloat16", "uint8", (192 * 192 // 2, 1))
    assert packed[f"{name}.absmax"].dtype == "uint8"
    assert packed[f"{name}.nested_absmax"].shape == (math.ceil(192 * 192 / 64 / 256),)
    embedding = "model.embed_tokens.weight"
    assert (packed[embedding].dtype, packed[embedding].requires_grad) == ("bfloat16", True)
    assert (prepared[embedding].dtype, prepared[embedding].requires_grad) == ("float32", False)
    assert prepared[embedding].was == "bfloat16"
    assert prepared[embedding].bytes == 2 * prepared[embedding].was_bytes
    grown = result.stages[2].total - result.stages[1].total
    assert grown == 2 * (2048 * 192 + 9 * 192)  # two bytes more for each number that is not quantized
    lora = "model.layers.0.self_attn.q_proj.lora_A.default.weight"
    assert (adapted[lora].dtype, adapted[lora].change, adapted[lora].requires_grad) == ("float32", "new", True)
    assert (trained[lora].dtype, trained[lora].was) == ("bfloat16", "float32")
    assert {one.id for one in result.stages if one.trainable == 0} == {"prepared"}


def test_bits_of_a_large_layer_are_those_of_the_reference() -> None:
    """facts.md, section 0: 4.5000 and 4.1274 measured on 4096 × 4096."""
    bits = (four_bits(4096**2, double=False), four_bits(4096**2, double=True))
    assert bits == pytest.approx((4.5, 4.1274), abs=1e-4)


def test_bits_of_this_model_are_those_of_its_tensors(results: dict[Params, Result]) -> None:
    result = results[Params()]
    small, large = four_bits(192 * 192, double=True), four_bits(192 * 576, double=True)
    count = (16 * 192 * 192 * small + 12 * 192 * 576 * large) / (16 * 192 * 192 + 12 * 192 * 576)
    assert result.bits == pytest.approx(count, rel=1e-12)


def test_a_result_crosses_to_the_page(results: dict[Params, Result]) -> None:
    told = plain.decode(compute.result_type("layers.map"), json.loads(json.dumps(plain.encode(results[Params()]))))
    assert told == results[Params()]


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing:FutureWarning")
def test_the_code_to_take_along_ends_where_the_map_does(
    results: dict[Params, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    scope: dict[str, Any] = {"print": lambda *_: None}
    with quantized.quiet():
        exec(snippets.steps(Params()), scope)  # noqa: S102 - our own code
    ours = stage(results[Params()], "peft")
    theirs = {tensors.plain(name): str(value.dtype) for name, value in scope["model"].named_parameters()}
    assert {name: f"torch.{ours[name].dtype}" for name in theirs} == theirs
