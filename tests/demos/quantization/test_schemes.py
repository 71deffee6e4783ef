"""Codes, constants, restored numbers against bitsandbytes, numpy, torch's fake quantization and published tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from demos import registry
from demos.params import ParamsError
from demos.quantization import schemes, tables
from demos.quantization.errors import measure
from demos.quantization.weights import Weights, load

pytestmark = pytest.mark.slow

PUBLISHED = (-1, -0.6962, -0.5251, -0.3949, -0.2844, -0.1848, -0.0911, 0)
PUBLISHED += (0.0796, 0.1609, 0.2461, 0.3379, 0.4407, 0.5626, 0.7230, 1)
FOUR_BITS = ("nf4", "fp4")


@pytest.fixture(scope="module")
def numbers() -> Any:
    import torch

    return torch.randn(2**16, generator=torch.Generator().manual_seed(1))


def test_nf4_from_quantiles_is_the_table_of_bitsandbytes_and_of_the_paper() -> None:
    from bitsandbytes.functional import get_4bit_type

    library = get_4bit_type("nf4", device="cpu").tolist()
    assert max(abs(a - b) for a, b in zip(tables.nf4(), library, strict=True)) < 1.1e-7
    assert tables.nf4() == pytest.approx(PUBLISHED, abs=6e-5)
    assert get_4bit_type("fp4", device="cpu").tolist() == pytest.approx(tables.fp4(), abs=1e-7)
    assert len(set(tables.fp4())) == 15
    assert len(tables.bin_means()) == 16
    assert min(abs(level) for level in tables.bin_means()) > 0.02


@pytest.mark.parametrize("name", FOUR_BITS)
@pytest.mark.parametrize("block", schemes.BNB_BLOCKS)
def test_the_same_table_in_torch_gives_bitsandbytes_codes_and_numbers(numbers: Any, name: str, block: int) -> None:
    import torch
    from bitsandbytes.functional import quantize_4bit

    ours = schemes.by_table(schemes.blocks(numbers, block), torch.tensor(schemes.levels(name)))
    packed, state = quantize_4bit(numbers, blocksize=block, quant_type=name)
    assert torch.equal(ours.codes.flatten(), schemes.unpack(packed))
    assert torch.equal(schemes.pack(ours.codes.flatten(), 4), packed.flatten())
    assert torch.equal(ours.scale, state.absmax)
    assert torch.equal(ours.restored.flatten(), schemes.quantize(numbers, name, block).restored)


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("name", FOUR_BITS)
def test_restored_numbers_are_those_of_dequantize_4bit(numbers: Any, name: str, double: bool) -> None:
    import torch
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    packed, state = quantize_4bit(numbers.view(256, 256), quant_type=name, blocksize=64, compress_statistics=double)
    restored = dequantize_4bit(packed, state).flatten()
    assert torch.equal(schemes.quantize(numbers, name, 64, double=double).restored, restored)
    odd = schemes.quantize(numbers[:65_535], name, 64, double=double).restored  # not through bitsandbytes' kernel
    assert torch.allclose(odd[:65_472], restored[:65_472], atol=2e-3 if double else 0)


def test_int8_absmax_is_rounding_to_127_steps_of_the_largest(numbers: Any) -> None:
    rows = numbers.view(-1, 64).numpy().astype(np.float64)
    scale = np.abs(rows).max(1, keepdims=True) / 127
    made = schemes.quantize(numbers, "int8-absmax", 64)
    codes = np.rint(rows / scale)
    assert np.abs(made.codes.numpy() - codes.ravel()).max() <= 1  # a tie may fall either way in float32
    assert (made.codes.numpy() == codes.ravel()).mean() > 0.9999
    assert np.abs(made.restored.numpy() - (codes * scale).ravel()).max() <= scale.max() * 1.001


@pytest.mark.parametrize(("name", "most"), [("int8-affine", 255), ("int4-affine", 15)])
def test_affine_is_what_torch_calls_fake_quantization(numbers: Any, name: str, most: int) -> None:
    import torch

    rows = numbers.view(-1, 128) + 0.3
    low, high = rows.amin(1).clamp(max=0), rows.amax(1).clamp(min=0)
    step = (high - low) / most
    zero = (-low / step).round().int()
    wanted = torch.fake_quantize_per_channel_affine(rows, step, zero, 0, 0, most)
    made = schemes.quantize(rows.flatten(), name, 128)
    assert (made.restored - wanted.flatten()).abs().max() <= step.max() * 1.001
    assert torch.isclose(made.restored, wanted.flatten(), atol=1e-6).float().mean() > 0.999
    assert made.shift is not None
    assert torch.equal(made.shift.int(), zero)
    assert (made.restored[made.codes == zero.repeat_interleave(128)] == 0).all()  # zero stays zero


def test_errors_of_all_schemes_on_normal_numbers_are_the_known_ones() -> None:
    result = registry.call("quantization.schemes", {"count": 2**20})
    found = {row.scheme: row.errors.relative for row in result.rows}
    known = {"nf4": 0.0920, "bins": 0.0958, "uniform": 0.1005, "int4-absmax": 0.1076, "fp4": 0.1219}
    known |= {"int4-minimum": 0.0896, "nf4-double": 0.0920, "int8-absmax": 0.0059}
    assert {name: found[name] for name in known} == pytest.approx(known, abs=1.5e-4)


def test_a_few_outliers_ruin_one_scale_for_all_and_blocks_save_it() -> None:
    # the density of 160 outliers at 50 sigma in a matrix of 4096 × 4096, in an eighth of it
    values, _ = load(Weights(source="outliers", count=2**21, outliers=20))
    found = {
        (name, block): measure(values, schemes.quantize(values, name, block).restored).relative
        for name, block in (("int4-minimum", 0), ("int4-minimum", 64), ("nf4", 64))
    }
    assert found["int4-minimum", 0] == pytest.approx(2.6, abs=0.05)
    assert found["int4-minimum", 64] == pytest.approx(0.093, abs=0.002)
    assert found["nf4", 64] == pytest.approx(0.095, abs=0.002)


def test_bits_and_bytes_are_those_that_bitsandbytes_keeps() -> None:
    import torch
    from bitsandbytes.functional import quantize_4bit

    count = 512 * 1024
    for double, bits in ((False, 4.5), (True, 4.126953125)):
        packed, state = quantize_4bit(torch.randn(count), quant_type="nf4", compress_statistics=double)
        kept = [packed, state.absmax, *([state.state2.absmax, state.offset] if double else [])]
        size = schemes.size_of(count, "nf4", 64, double=double)
        assert size.total == sum(part.numel() * part.element_size() for part in kept)
        assert size.bits == bits
    layer = schemes.size_of(4096**2, "nf4", 64), schemes.size_of(4096**2, "nf4", 64, double=True)
    shared = (64, 64 + 1024)  # tables that bitsandbytes keeps beside: of the codes, and of the scales' codes
    measured = [round((size.total + more) / 1e6, 2) for size, more in zip(layer, shared, strict=True)]
    assert measured == [9.44, 8.66]
    assert 8 * (layer[1].total + shared[1]) / 4096**2 == pytest.approx(4.1274, abs=1e-4)
    assert schemes.size_of(12, "nf4", 64).stored > 6  # constants of a short block weigh more


def test_blocks_that_bitsandbytes_does_not_take(numbers: Any) -> None:
    for block in (16, 24, 100, 3000, 0):
        for name in schemes.SCHEMES:
            made = schemes.quantize(numbers, name, block)
            assert len(made.restored) == len(made.codes) == len(numbers)
            assert len(made.scale) == -(-len(numbers) // (block or len(numbers)))
            error = (made.restored - numbers).abs()
            assert (error.max() if name.startswith("int8") else error.median()) < 0.5


def test_degenerate_blocks_restore_exactly() -> None:
    import torch

    for name in schemes.SCHEMES:
        for values in (torch.zeros(64), torch.full((64,), 3.0), torch.full((64,), -2.5)):
            made = schemes.quantize(torch.cat([values, torch.ones(64)]), name, 64)
            assert made.restored[:64] == pytest.approx(values, abs=1e-6) or name in ("uniform", "bins")
            assert torch.isfinite(made.restored).all()


def test_double_quantization_needs_one_scale_a_block(numbers: Any) -> None:
    with pytest.raises(ParamsError, match="две константы"):
        schemes.quantize(numbers, "int4-affine", 64, double=True)
    once, twice = (schemes.quantize(numbers, "int8-absmax", 64, double=d).scale for d in (False, True))
    assert 0 < (once - twice).abs().max() < 0.02 * once.max()
