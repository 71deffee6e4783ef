"""The demos themselves: what they show is what happened to the numbers; the code to take along does the same."""

from __future__ import annotations

import contextlib
import io
import math
from typing import Any

import numpy as np
import pytest

from demos import registry
from demos.params import ParamsError
from demos.quantization import histogram, outliers, schemes, snippets
from demos.quantization.errors import measure
from demos.quantization.histogram import Params

pytestmark = pytest.mark.slow


def lab(**arguments: Any) -> histogram.Result:
    result: histogram.Result = registry.call("quantization.histogram", arguments)
    return result


def test_errors_against_numpy() -> None:
    result = lab(source="own", own="1 -2 3,5 0,25", scheme="int4-absmax")
    before = np.array([1, -2, 3.5, 0.25])
    after = np.rint(before / 0.5) * 0.5
    moved = after - before
    assert result.lens.restored == pytest.approx(after)
    assert result.errors.rmse == pytest.approx(np.sqrt((moved**2).mean()))
    assert result.errors.relative == pytest.approx(np.linalg.norm(moved) / np.linalg.norm(before))
    assert result.errors.largest == pytest.approx(0.25)
    assert result.errors.snr == pytest.approx(20 * np.log10(np.linalg.norm(before) / np.linalg.norm(moved)))
    cosine = before @ after / np.linalg.norm(before) / np.linalg.norm(after)
    assert result.errors.cosine == pytest.approx(cosine)
    assert lab(source="own", own="1 -1", scheme="int4-absmax").errors.snr == math.inf


def test_histograms_count_all_numbers() -> None:
    from safetensors.numpy import load_file

    result = lab()
    values = load_file("content/model/model.safetensors")[result.origin.title].ravel().astype(np.float64)
    wanted, _ = np.histogram(values, np.array(result.bins.edges))
    assert [round(share * len(values)) for share in result.bins.before] == pytest.approx(wanted, abs=2)
    for shares in (result.bins.before, result.bins.after, result.grid.density, result.grid.usage):
        assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize("scheme", list(schemes.SCHEMES))
def test_a_block_has_its_codes_bytes_and_levels(scheme: str) -> None:
    result = lab(scheme=scheme, lens=3)
    lens, bits = result.lens, schemes.SCHEMES[scheme].bits
    assert (lens.block, lens.blocks, lens.length, len(lens.values)) == (3, 1728, 64, 64)
    assert len(lens.packed) == 64 * bits // 8
    plain = [code & (2**bits - 1) for code in lens.codes]
    assert list(lens.packed) == (
        plain if bits == 8 else [16 * a + b for a, b in zip(plain[::2], plain[1::2], strict=True)]
    )
    if bits == 4:
        assert all(min(abs(number - level) for level in lens.levels) < 1e-6 for number in lens.restored)
    assert len(set(lens.restored)) <= 2**bits
    assert sum(share > 0 for share in result.grid.usage) <= 2**bits


def test_one_scale_leaves_sixteen_numbers_and_blocks_leave_thousands() -> None:
    assert lab(block=0).distinct <= 16
    assert lab().distinct > 10_000


def test_an_outlier_dragged_into_a_block_spoils_this_block_only() -> None:
    calm, spoilt = lab(lens=5), lab(lens=5, outlier=50)
    assert spoilt.lens.values[0] == pytest.approx(50 * calm.origin.sigma)
    assert spoilt.lens.errors.rmse > 3 * calm.lens.errors.rmse
    assert spoilt.errors.rmse < 1.2 * calm.errors.rmse
    assert lab(block=0, outlier=50).errors.rmse > 3 * lab(block=0).errors.rmse


def test_blocks_out_of_reach() -> None:
    with pytest.raises(ParamsError, match="от 16 до 4096"):
        lab(block=8)
    assert lab(lens=2**22).lens.block == 1728
    assert lab(source="own", block=4096, lens=9).lens.blocks == 1


@pytest.mark.parametrize(
    "arguments",
    [
        *({"scheme": scheme} for scheme in schemes.SCHEMES),
        *({"source": source, "count": 4096} for source in ("normal", "heavy", "outliers", "own")),
        *({"scheme": scheme, "block": 0, "source": "normal", "count": 1000} for scheme in ("nf4", "int8-affine")),
        *({"scheme": scheme, "double": True} for scheme in ("nf4", "int8-absmax", "int4-absmax", "bins")),
        {"block": 100, "double": True, "outlier": 20.0, "lens": 4},
    ],
    ids=str,
)
def test_code_to_take_along_finds_the_same_error(arguments: dict[str, Any]) -> None:
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(snippets.histogram(Params(**arguments)), names)  # noqa: S102 - it is our own
    assert names["error"] == pytest.approx(lab(**arguments).errors.relative, rel=1e-6)


def test_error_falls_with_the_block_and_bits_rise() -> None:
    result = registry.call("quantization.blocks", {"schemes": ("nf4", "int4-affine"), "double": True})
    assert [curve.double for curve in result.curves] == [True, False]
    for curve in result.curves:
        assert [point.block for point in curve.points] == [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 0]
        errors, bits = [p.relative for p in curve.points], [p.bits for p in curve.points]
        assert errors == sorted(errors)
        assert bits == sorted(bits, reverse=True)
    for wrong in ((), ("nf5",)):
        with pytest.raises(ParamsError, match="Типы"):
            registry.call("quantization.blocks", {"schemes": wrong})


def test_levels_are_used_unevenly_and_the_offset_matters() -> None:
    nf4 = registry.call("quantization.levels", {})
    assert nf4.difference < 1.1e-7
    assert nf4.has_zero
    assert (min(one.usage for one in nf4.levels), max(one.usage for one in nf4.levels)) == pytest.approx(
        (0.0172, 0.0929), abs=5e-4
    )
    assert nf4.relative == pytest.approx(nf4.nf4_relative, rel=1e-6)
    moved = registry.call("quantization.levels", {"offset": 0.995})
    assert moved.difference > 0.01
    bins = registry.call("quantization.levels", {"table": "bins"})
    assert (bins.has_zero, bins.difference) == (False, None)
    assert bins.relative > nf4.relative


def test_the_split_is_that_of_linear8bitlt_and_of_arithmetic() -> None:
    from bitsandbytes.nn import Linear8bitLt

    from demos.quantization.outliers import Params as Planted

    params = Planted(planted=4, size=40, threshold=6)
    found, weight = outliers._activations(params)
    x, planted = outliers._plant(found, params)
    product, columns = outliers._product(x, weight, 6)
    assert columns == planted
    layer = Linear8bitLt(192, 576, bias=False, has_fp16_weights=False, threshold=6.0)
    layer.load_state_dict({"weight": weight})
    library = layer.to("cpu")(x.half()).float()
    assert measure(product.flatten(), library.flatten()).relative < 2e-3  # it computes in float16

    rest = np.delete(x.double().numpy(), planted, 1)
    scale = np.abs(weight.double().numpy()).max(1, keepdims=True) / 127
    codes = np.rint(weight.double().numpy() / scale)
    rows = np.abs(np.where(np.abs(x.numpy()) >= 6, 0, x.numpy())).max(1, keepdims=True).astype(np.float64) / 127
    wanted = (np.rint(rest / rows) @ np.delete(codes, planted, 1).T) * rows * scale.T
    wanted += x.double().numpy()[:, planted] @ (codes * scale)[:, planted].T
    assert np.abs(product.numpy() - wanted).max() < 2e-3 * np.abs(wanted).max()


def test_a_threshold_takes_the_large_columns_and_their_error_away() -> None:
    result = registry.call("quantization.outliers", {})
    assert result.split == result.planted
    assert result.natural < 2
    assert result.plain.relative > 2 * result.mixed.relative
    assert result.mixed.relative == pytest.approx(result.weights.relative, rel=0.02)
    off = registry.call("quantization.outliers", {"threshold": 0})
    assert off.split == ()
    assert off.mixed == off.plain
    for wrong in ({"layer": "model.norm"}, {"phrase": " "}):
        with pytest.raises(ParamsError):
            registry.call("quantization.outliers", wrong)
