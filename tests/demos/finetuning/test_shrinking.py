"""A LoRA adapter looked through and cut to a lower rank: against numpy's own decomposition of the whole product."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from demos import registry
from demos.finetuning.adapters import files, shipped, shrinking, store
from demos.finetuning.adapters.files import CONFIG, WEIGHTS, Adapter, open_adapter
from demos.finetuning.quantized import quiet
from tests.demos.finetuning.adapter_parts import ALL, adapter, config, lora, pack


def product(one: Adapter, layer: str, scale: float) -> np.ndarray:
    """s·B A of one layer, multiplied out, (outputs, inputs)."""
    by_name = {tensor.name: files.array(one.weights, tensor) for tensor in one.tensors}
    b, a = (by_name[f"{files.PREFIX}{layer}.lora_{part}.weight"] for part in "BA")
    return np.asarray(scale * (b @ a))


@pytest.fixture(scope="module")
def whole() -> Adapter:
    return adapter(8, seed=3)


def test_the_values_are_those_of_the_product(whole: Adapter) -> None:
    for layer in shrinking.layers(whole):
        truth = np.linalg.svd(product(whole, layer.name, whole.config.scale), compute_uv=False)[:8]
        np.testing.assert_allclose(layer.values, truth, rtol=1e-5)
        assert layer.kept(8) == pytest.approx(1.0)
        assert layer.kept(3) == pytest.approx(float((truth[:3] ** 2).sum() / (truth**2).sum()), rel=1e-5)
        assert layer.kept(layer.enough) >= 0.9 > layer.kept(layer.enough - 1)


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_what_is_cut_off_is_as_short_as_it_can_be(whole: Adapter, rank: int) -> None:
    small = open_adapter(*shrinking.cut(whole, rank, "float32"))
    assert (small.config.rank, small.config.scale) == (rank, 1.0)
    for layer in shrinking.layers(whole):
        before, after = product(whole, layer.name, whole.config.scale), product(small, layer.name, 1.0)
        left = float(np.linalg.norm(before - after))
        assert left == pytest.approx(float(np.linalg.norm(layer.values[rank:])), rel=1e-3, abs=1e-4)


def test_numbers_of_16_bits_halve_the_file_and_move_the_update_by_a_thousandth(whole: Adapter) -> None:
    full, half = (open_adapter(*shrinking.cut(whole, 8, kind)) for kind in ("float32", "float16"))
    numbers_of = [sum(tensor.end - tensor.start for tensor in one.tensors) for one in (full, half)]
    assert numbers_of[0] == 2 * numbers_of[1]
    layer = shrinking.layers(whole)[0].name
    truth = product(full, layer, 1.0)
    assert np.linalg.norm(product(half, layer, 1.0) - truth) < 1e-3 * np.linalg.norm(truth)


def test_a_rank_above_the_adapters_own_leaves_it_as_it_is(whole: Adapter) -> None:
    assert open_adapter(*shrinking.cut(whole, 64)).config.rank == 8


def test_layers_of_different_ranks_are_padded_with_nothing() -> None:
    targets = ("q_proj", "v_proj")
    tensors = lora(4, targets)
    for name in [name for name in tensors if "v_proj" in name]:
        tensors[name] = tensors[name][:2] if "lora_A" in name else tensors[name][:, :2]
    one = open_adapter(config(rank_pattern={"v_proj": 2}), pack(tensors))
    small = open_adapter(*shrinking.cut(one, 3))
    assert small.config.rank == 3
    narrow = next(layer for layer in shrinking.layers(small) if layer.name.endswith("v_proj"))
    assert narrow.values[2] == pytest.approx(0.0, abs=1e-6)


def test_a_header_of_128_bytes_is_not_taken_for_a_pickle() -> None:
    content = pack(lora())
    size = int.from_bytes(content[:8], "little")
    longer = -(-size // 256) * 256 + 128  # its lowest byte is 0x80, with which a pickle begins
    padded = longer.to_bytes(8, "little") + content[8 : 8 + size].ljust(longer) + content[8 + size :]
    assert padded[:1] == b"\x80"
    assert len(open_adapter(config(), padded).tensors) == 16


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    return store.put(shipped.files("json-nf4"))


@pytest.mark.slow
def test_the_courses_adapter_loses_its_tail_unharmed_and_its_skill_with_all_but_one_direction(kept: str) -> None:
    asked = {"adapter": kept, "quantization": "nf4", "task": "json"}
    half, one = (registry.call("finetuning.adapters.shrink", {**asked, "rank": rank}) for rank in (2, 1))
    assert half.right_before == one.right_before >= 0.8 * half.requests
    assert half.right_after >= half.right_before - 2
    assert one.right_after <= half.right_after // 2
    assert 1 > half.kept > one.kept > 0.5  # most of the update is still there
    assert half.bytes_before > half.bytes_after > one.bytes_after
    assert half.bytes_after == len(store.files(half.adapter)[WEIGHTS])
    assert json.loads(store.files(half.adapter)[CONFIG])["r"] == 2


@pytest.mark.slow
def test_peft_itself_opens_what_was_shrunk(kept: str, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    named = dict(zip((CONFIG, WEIGHTS), shrinking.cut(store.adapter(kept), 2), strict=True))
    for name, content in named.items():
        (tmp_path / name).write_bytes(content)
    base = AutoModelForCausalLM.from_pretrained(files.base_model.FOLDER)
    with quiet():
        model = PeftModel.from_pretrained(base, tmp_path)
    ours = open_adapter(named[CONFIG], named[WEIGHTS])
    layer = model.get_submodule("base_model.model.model.layers.0.self_attn.q_proj")
    theirs = layer.get_delta_weight("default").detach().numpy()
    np.testing.assert_allclose(theirs, product(ours, "model.layers.0.self_attn.q_proj", 1.0), atol=1e-6)


@pytest.mark.parametrize("changes", [{"use_dora": True}, {"init_lora_weights": "pissa"}])
def test_what_is_no_plain_product_is_refused_in_words(kept: str, changes: dict[str, object]) -> None:
    tensors = lora()
    if "use_dora" in changes:
        tensors |= {
            name.replace("lora_B.weight", "lora_magnitude_vector"): values[:, 0].copy()
            for name, values in tensors.items()
            if "lora_B" in name
        }
    name = store.put({CONFIG: config(**changes), WEIGHTS: pack(tensors)})
    for demo in ("spectrum", "shrink"):
        assert "только обычную LoRA" in registry.call(f"finetuning.adapters.{demo}", {"adapter": name}).problem
    assert "больше нет под рукой" in registry.call("finetuning.adapters.spectrum", {"adapter": "0" * 64}).problem


def test_all_targets_are_looked_through() -> None:
    assert len(shrinking.layers(adapter(4, seed=1))) == 4 * len(ALL)
