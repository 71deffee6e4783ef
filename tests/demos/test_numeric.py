"""Numbers bit by bit against torch, numpy, struct and bitsandbytes; sums against the same loops in torch."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from typing import Any

import numpy
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common.numbers import MINUS
from demos import registry
from demos.numeric import formats, number, snippets, sums
from demos.numeric.formats import FLOATING, FORMATS
from demos.numeric.number import Params
from demos.params import ParamsError

BY_TORCH = {
    "float32": "int32",
    "float16": "int16",
    "bfloat16": "int16",
    "float8_e4m3fn": "uint8",
    "float8_e5m2": "uint8",
}
WORDS = st.integers(0, 2**32 - 1)


def by_torch(name: str, words: list[int]) -> tuple[list[float], list[int]]:
    """Float32 numbers of these bits, and torch's codes for them."""
    import torch

    values = torch.tensor(words, dtype=torch.int64).to(torch.int32).view(torch.float32)
    codes = values.to(getattr(torch, name)).view(getattr(torch, BY_TORCH[name]))
    return values.double().tolist(), [code & ((1 << FORMATS[name].bits) - 1) for code in codes.tolist()]


def meant(value: float) -> formats.Exact:
    return Fraction(value) if math.isfinite(value) and (value or math.copysign(1, value) > 0) else value


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOATING)
@settings(deadline=None, max_examples=20)
@given(words=st.lists(WORDS, min_size=50, max_size=50))
@example(words=[0x80000000, 0x7F800000, 0xFF800000, 0x7F7FFFFF, 1, 0x33000000, 0x33000001, 0x477FF000, 0x43E80000])
def test_every_float32_is_written_as_torch_writes_it(name: str, words: list[int]) -> None:
    values, codes = by_torch(name, words)
    for value, code in zip(values, codes, strict=True):
        ours = formats.encode(name, meant(value))
        if math.isnan(value):
            assert formats.classify(name, ours) == "nan"
        else:
            assert ours == code, (name, value)


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOATING[1:])
def test_every_code_means_what_torch_reads(name: str) -> None:
    import torch

    one = FORMATS[name]
    codes = range(0, 1 << one.bits, 1 if one.bits == 8 else 7)
    whole: Any = torch.tensor(list(codes), dtype=torch.int64).to(getattr(torch, BY_TORCH[name]))
    for code, value in zip(codes, whole.view(getattr(torch, name)).double().tolist(), strict=True):
        held = formats.decode(name, code)
        assert math.isnan(value) == (isinstance(held, float) and math.isnan(held))
        if not math.isnan(value):
            assert float(held) == value
            assert math.copysign(1, float(held)) == math.copysign(1, value)
            assert formats.encode(name, held) == code


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOATING)
def test_limits_are_those_of_finfo(name: str) -> None:
    import torch

    info, row = torch.finfo(getattr(torch, name)), formats.FORMATS[name]
    assert float(row.largest) == info.max
    assert float(row.smallest_normal) == info.tiny
    assert float(row.smallest) == info.smallest_normal * info.eps
    assert float(row.epsilon) == info.eps


@settings(deadline=None)
@given(st.floats(allow_nan=False))
def test_half_and_single_agree_with_numpy_and_struct_for_any_double(value: float) -> None:
    with numpy.errstate(all="ignore"):
        half, single = numpy.float64(value).astype(numpy.float16), numpy.float64(value).astype(numpy.float32)
    assert formats.encode("float16", meant(value)) == int(half.view(numpy.uint16))
    assert formats.encode("float32", meant(value)) == int(single.view(numpy.uint32))
    if math.isfinite(value) and abs(value) <= 3e38:
        assert formats.encode("float32", meant(value)) == struct.unpack("I", struct.pack("f", value))[0]


@pytest.mark.parametrize("name", FLOATING)
@settings(deadline=None)
@given(value=st.floats(allow_nan=False))
def test_the_quick_rounding_is_the_exact_one(name: str, value: float) -> None:
    exact, quick = formats.decode(name, formats.encode(name, meant(value))), formats.rounded(name, value)
    assert (math.isnan(float(exact)) and math.isnan(quick)) or float(exact) == quick


@settings(deadline=None)
@given(st.sampled_from(FLOATING), st.floats(-400, 400), st.floats(0, 1, exclude_max=True))
def test_stochastic_rounding_takes_one_of_the_two_neighbours(name: str, value: float, chance: float) -> None:
    near = formats.rounded(name, value)
    below, above = formats.neighbours(name, formats.encode(name, meant(near)))
    drawn = formats.rounded(name, value, chance)
    assert drawn in (near, below, above)
    assert abs(drawn - value) <= max(abs(float(above or near) - near), abs(near - float(below or near)))
    if near == value:
        assert drawn == value


@pytest.mark.slow
def test_nf4_and_int8_are_those_of_bitsandbytes() -> None:
    import torch
    from bitsandbytes import functional

    table = functional.get_4bit_type("nf4", device="cpu").tolist()
    assert [float(level) for level in formats.nf4_levels()] == table
    values = torch.randn(64, generator=torch.Generator().manual_seed(0))
    packed, state = functional.quantize_4bit(values.reshape(1, 64), blocksize=64, quant_type="nf4")
    codes = [half for byte in packed.flatten().tolist() for half in (byte >> 4, byte & 15)]
    absmax = Fraction(state.absmax.item())
    assert [formats.encode("nf4", Fraction(value), absmax) for value in values.tolist()] == codes
    rows, scales, _ = functional.int8_vectorwise_quant(values.reshape(1, 64).half())
    halves = values.half().double().tolist()
    ours = [formats.encode("int8", Fraction(value), Fraction(scales.item())) for value in halves]
    assert [code - 256 if code > 127 else code for code in ours] == rows.flatten().tolist()


def test_known_numbers_of_the_formats() -> None:
    tenth = {row.name: row for row in registry.call("bits.number", {"number": "0,1"}).rows}
    assert tenth["bfloat16"].bits == "0011110111001101"
    assert tenth["bfloat16"].exact == "0,10009765625"
    assert tenth["float32"].exact == "0,100000001490116119384765625"
    small = {row.name: row for row in registry.call("bits.number", {"number": "1e-8"}).rows}
    assert [name for name, row in small.items() if row.underflow] == [
        "float16",
        "float8_e4m3fn",
        "float8_e5m2",
        "int8",
        "nf4",
    ]
    big = {row.name: row for row in registry.call("bits.number", {"number": "70000"}).rows}
    assert [name for name, row in big.items() if row.overflow] == [
        "float16",
        "float8_e4m3fn",
        "float8_e5m2",
        "int8",
        "nf4",
    ]
    assert (big["float8_e4m3fn"].value, big["float8_e5m2"].value) == (448, math.inf)


@settings(deadline=None)
@given(st.sampled_from(list(FORMATS)), st.data())
def test_bits_decide_and_come_back(name: str, data: st.DataObject) -> None:
    width = FORMATS[name].bits
    bits = f"{data.draw(st.integers(0, 2**width - 1)):0{width}b}"
    row = registry.call("bits.number", {"number": "7", "format": name, "bits": bits}).chosen
    assert row.bits == bits
    assert row.error in (0, None)
    if row.below is not None and row.above is not None:
        assert row.below < row.value < row.above


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0,5", Fraction(1, 2)),
        (f"{MINUS}3", Fraction(-3)),
        ("1/3", Fraction(1, 3)),
        ("2^-24", Fraction(1, 2**24)),
        ("-2**10", Fraction(-1024)),
        ("6.1e-5", Fraction(61, 10**6)),
        ("1 000", Fraction(1000)),
    ],
)
def test_numbers_are_read_exactly(text: str, value: Fraction) -> None:
    assert number.parse(text) == value
    assert number.exact(Fraction(1, 8)) == "0,125"
    assert math.copysign(1, float(number.parse("-0"))) == -1


@settings(deadline=None)
@given(st.text(max_size=200))
@example("1e99999")
@example("9" * 200)
@example("2^9999")
@example("1/0")
@example("٣")
def test_what_is_no_number_is_told_in_one_sentence(text: str) -> None:
    said = "Число: "
    try:
        registry.call("bits.number", {"number": text})
    except ParamsError as problem:
        said = str(problem)
    assert said.startswith("Число: ")


@pytest.mark.parametrize("bits", ["01", "2" * 16, "0" * 17])
def test_wrong_bits_are_told(bits: str) -> None:
    with pytest.raises(ParamsError, match="для BF16 нужно 16"):
        registry.call("bits.number", {"bits": bits})


def test_an_update_below_half_a_step_is_lost() -> None:
    result = registry.call("bits.sums", {})
    naive, wide, kahan, stochastic = result.ways
    assert (naive.last, result.lost, result.stuck_at, result.step) == (1.0, True, 0, 2**-7)
    assert wide.last == kahan.last == 1.1015625  # the number of BF16 that is nearest to 1.1
    assert result.true == pytest.approx(1.1, abs=1e-15)
    assert result.limit == 2**-5
    means = [registry.call("bits.sums", {"seed": seed}).ways[3].last for seed in range(30)]
    assert sum(means) / len(means) == pytest.approx(1.1, abs=0.02)
    assert stochastic.last in means
    assert registry.call("bits.sums", {"start": 0, "count": 10_000}).ways[0].last == result.limit


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOATING)
@pytest.mark.parametrize(("start", "term"), [(1.0, 1e-4), (0.0, 1e-3), (0.3, -0.07), (100.0, 1.0)])
def test_sums_are_those_of_the_same_loop_in_torch(name: str, start: float, term: float) -> None:
    import torch

    given = sums.Params(format=name, start=start, term=term, count=700)
    result = sums.sums(given)
    scope: dict[str, Any] = {}
    exec(snippets.sums(given).replace("print", "(lambda *_: None)"), scope)  # noqa: S102 - our own code
    assert (result.ways[0].last, result.ways[1].last) == pytest.approx(
        (scope["naive"], scope["wide"]), abs=0, nan_ok=True
    )
    if name in ("bfloat16", "float16"):
        kind = getattr(torch, name)
        total, lost, one = torch.tensor(start).to(kind), torch.tensor(0).to(kind), torch.tensor(term).to(kind)
        for _ in range(700):
            wanted = one - lost
            fresh = total + wanted
            lost, total = (fresh - total) - wanted, fresh
        assert result.ways[2].last == total.item()


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("text", ["0,1", "-3e-5", "1000", "inf"])
def test_the_code_to_take_along_says_the_same(name: str, text: str) -> None:
    given = Params(number=text, format=name)
    scope: dict[str, Any] = {}
    exec(snippets.bits(given).replace("print(", "shown = ("), scope)  # noqa: S102 - our own code
    row = number.number(given).chosen
    if FORMATS[name].floating:
        assert scope["bits"] == row.bits
    elif math.isfinite(row.value) and abs(float(text.replace(",", "."))) <= 1:
        assert scope["value"].item() == pytest.approx(row.value, rel=1e-6)
