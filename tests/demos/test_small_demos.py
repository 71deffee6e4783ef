"""Closed forms that facts and quizzes quote, against the numbers of the reference and against arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demos import registry
from demos.lora.models import ARCHITECTURES


def test_one_layer() -> None:
    layer = registry.call("lora.layer", {"d": 4096, "k": 4096, "rank": 16})
    assert (layer.full, layer.a, layer.b, layer.lora) == (16_777_216, 65_536, 65_536, 131_072)
    assert (layer.share, layer.times, layer.breakeven, layer.largest_rank) == (0.0078125, 128, 2048, 4096)


@settings(deadline=None)  # a shared machine may stall
@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 5000))
def test_lora_is_smaller_exactly_below_the_break_even_rank(d: int, k: int, rank: int) -> None:
    layer = registry.call("lora.layer", {"d": d, "k": k, "rank": rank})
    assert (layer.lora < layer.full) == (rank < layer.breakeven)
    assert layer.a + layer.b == layer.lora
    assert layer.share * layer.times == pytest.approx(1)


def test_scale() -> None:
    assert registry.call("lora.scale", {"alpha": 16, "rank": 8}).scale == 2
    assert registry.call("lora.scale", {"alpha": 32, "rank": 16, "rslora": True}).scale == 8


@pytest.mark.parametrize(
    ("precision", "optimizer", "total"),
    [
        ("float32", "adamw", 16),
        ("mixed", "adamw", 16),
        ("bfloat16", "adamw", 8),
        ("float32", "adamw-8bit", 8 + 2.03125),
    ],
)
def test_bytes_per_trained_parameter(precision: str, optimizer: str, total: float) -> None:
    state = registry.call("memory.training_state", {"precision": precision, "optimizer": optimizer})
    assert state.total == total
    assert state.weight + state.gradient + state.master + state.moments == total


@pytest.mark.parametrize(
    ("architecture", "gigabytes"),
    [
        # float32, float16, get_memory_footprint of NF4, NF4 + absmax, NF4 + double quantization, int8; 10⁹ bytes
        ("phi-3-mini", (15.28, 7.64, 2.21, 2.43, 2.26, 4.02)),
        ("llama-2-7b", (26.95, 13.48, 3.76, 4.17, 3.87, 7.00)),
        ("mistral-7b", (28.97, 14.48, 4.01, 4.45, 4.13, 7.50)),
        ("llama-3.1-8b", (32.12, 16.06, 5.59, 6.03, 5.70, 9.08)),
        ("llama-2-70b", (275.91, 137.95, 35.28, 39.55, 36.36, 69.50)),
        ("llama-3-70b", (282.21, 141.11, 38.43, 42.71, 39.52, 72.66)),
    ],
)
def test_bytes_of_the_weights(architecture: str, gigabytes: tuple[float, ...]) -> None:
    storages = ("float32", "float16", "nf4-footprint", "nf4", "nf4-double", "int8")
    results = [registry.call("memory.weights", {"architecture": architecture, "storage": s}) for s in storages]
    assert tuple(round(result.bytes / 1e9, 2) for result in results) == gigabytes
    assert all(result.linear_bytes + result.other_bytes == result.bytes for result in results)


def test_the_footprint_that_bitsandbytes_reports_for_phi3_is_met_to_the_byte() -> None:
    weights = registry.call("memory.weights", {"architecture": "phi-3-mini", "storage": "nf4-footprint"})
    assert weights.bytes == 2_206_341_120


def test_memory_of_three_methods() -> None:
    full, lora, qlora = (registry.call("lora.states", {"method": method}) for method in ("full", "lora", "qlora"))
    assert full.total_bytes == 16 * 7_241_732_096
    assert lora.total_bytes == 2 * 7_241_732_096 + 16 * 3_407_872
    assert round(lora.total_bytes / 1e9, 1) == 14.5
    assert round(qlora.total_bytes / 1e9, 1) == 4.2
    assert (full.times, round(lora.times)) == (1, 8)
    assert 25 < qlora.times < 28
    for result in (full, lora, qlora):
        assert result.weights_bytes + result.gradient_bytes + result.optimizer_bytes == result.total_bytes


def test_lora_saves_a_third_of_the_arithmetic_at_most() -> None:
    for architecture in ARCHITECTURES:
        flops = registry.call("lora.flops", {"architecture": architecture, "targets": "all-linear", "rank": 8})
        assert flops.full == 6 * flops.weights
        assert flops.lora == 4 * flops.weights + 6 * flops.adapter
        assert 1.4 < flops.speedup < 1.5
    counted = registry.call("lora.count", {})
    assert registry.call("lora.flops", {}).adapter == counted.trainable
