"""The security boundary: plain values survive unchanged, nothing else can be said, nobody can make us wait or swell."""

from __future__ import annotations

import json
import math
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.wire import ITEM_SIZES, Channel, Closed, Late, Limits, NotPlain, Ref, WireError, decode, encode

scalars = st.none() | st.booleans() | st.integers(-(2**300), 2**300) | st.floats() | st.text(max_size=20) | st.binary()
keys = st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.floats(allow_nan=False)
refs = st.builds(Ref, st.integers(0, 99), st.text(max_size=20))
values = st.recursive(
    scalars | refs,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=20,
)


def split(frame: bytes) -> tuple[bytes, bytes]:
    header, blob = struct.unpack("!IQ", frame[:12])
    assert len(frame) == 12 + header + blob
    return frame[12 : 12 + header], frame[12 + header :]


def same(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if type(left) is float:
        return struct.pack("d", left) == struct.pack("d", right) or (math.isnan(left) and math.isnan(right))
    if type(left) in (list, tuple):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    if type(left) is dict:
        return same(list(left.items()), list(right.items()))
    return bool(left == right)


@given(values)
def test_what_is_sent_arrives_with_its_exact_types(value: object) -> None:
    assert same(decode(*split(encode(value))), value)


@given(st.binary(max_size=300), st.binary(max_size=40))
def test_no_bytes_do_more_than_break_the_form(header: bytes, blob: bytes) -> None:
    try:
        decode(header, blob)
    except WireError:
        return
    assert not blob, "bytes nobody asked for were accepted"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 300)
    | st.floats()
    | st.sampled_from(["l", "t", "d", "b", "f", "r", "x", "float32"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=15,
)


@given(json_values, st.binary(max_size=32))
@settings(max_examples=300)
def test_no_header_makes_anything_but_plain_values(tree: object, blob: bytes) -> None:
    try:
        value = decode(json.dumps(tree).encode(), blob)
    except WireError:
        return
    assert all(kind.__module__ in {"builtins", "graders.wire", "torch"} for kind in kinds(value))


def kinds(value: Any) -> Iterator[type]:
    yield type(value)
    if type(value) in (list, tuple):
        for item in value:
            yield from kinds(item)
    if type(value) is dict:
        for pair in value.items():
            yield from kinds(pair)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{}",
        b'{"a": 1}',
        b"NaN",
        b"[Infinity]",
        b"[[[",
        b"[" * 100_000 + b"]" * 100_000,
        b"[" * 30 + b"]" * 30,
        b'["l",' + b"9" * 5_000 + b"]",
        b'["l"' + b",1" * 200_000 + b"]",
        b'["x"]',
        b'["x","float32"]',
        b'["x","float32",-1,-4]',
        b'["x","float32",4294967296,4294967296]',
        b'["x","float32",true]',
        b'["x","float32",2.0]',
        b'["x","object",2]',
        b'["x","__class__",2]',
        b'["x",["float32"],2]',
        b'["x","float32"' + b",1" * 10_000 + b"]",
        b'["b",-1]',
        b'["b",10]',
        b'["d",[["l"],1]]',
        b'["d",["a",1],["a",2]]',
        b'["d",["a"]]',
        b'["r",true,"x"]',
        b'["r",1,"' + b"x" * 100 + b'"]',
        b'["f","1"]',
        b'["pickle","gASVBQAAAAAAAABLAS4="]',
        b"[[]]",
        b"\xff\xfe",
    ],
    ids=lambda header: header[:24].decode("latin1"),
)
def test_a_forged_frame_is_refused(header: bytes) -> None:
    with pytest.raises(WireError):
        decode(header, b"")


@pytest.mark.parametrize("base", [int, float, str, bytes, list, tuple, dict])
def test_a_subclass_of_a_plain_type_cannot_be_expressed(base: type) -> None:
    liar = type("Liar", (base,), {"__eq__": lambda *_: True, "__hash__": lambda _: 0})
    with pytest.raises(NotPlain, match="Liar"):
        encode([liar()])
    with pytest.raises(NotPlain):
        encode({"a": {"b": (liar(),)}})


def test_cycles_depth_and_numbers_without_end_are_refused() -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    for value in (cycle, list(range(200_000)), 10**10_000, object(), {(1, 2): 3}, b"x" * (65 << 20)):
        with pytest.raises(NotPlain):
            encode(value)


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours), theirs


def test_a_huge_announcement_is_refused_before_anything_is_read(pair: tuple[Channel, socket.socket]) -> None:
    channel, theirs = pair
    theirs.sendall(struct.pack("!IQ", 2**32 - 1, 2**63))
    with pytest.raises(WireError, match="велик"):
        channel.receive(time.monotonic() + 5)


def test_dripping_bytes_do_not_extend_the_deadline(pair: tuple[Channel, socket.socket]) -> None:
    channel, theirs = pair
    stop = threading.Event()

    def drip() -> None:
        for byte in struct.pack("!IQ", 1000, 0) + b" " * 1000:
            if stop.wait(0.02):
                return
            theirs.send(bytes([byte]))

    thread = threading.Thread(target=drip)
    thread.start()
    began = time.monotonic()
    with pytest.raises(Late):
        channel.receive(began + 0.3)
    stop.set()
    thread.join()
    assert time.monotonic() - began < 2


def test_a_peer_that_never_reads_does_not_hold_us(pair: tuple[Channel, socket.socket]) -> None:
    channel, _ = pair
    with pytest.raises(Late):
        channel.send(b"x" * (32 << 20), time.monotonic() + 0.2)


def test_a_peer_that_left_is_told_apart(pair: tuple[Channel, socket.socket]) -> None:
    channel, theirs = pair
    theirs.sendall(struct.pack("!IQ", 50, 0) + b"[")
    theirs.close()
    with pytest.raises(Closed):
        channel.receive(time.monotonic() + 5)


def test_all_answers_together_are_capped() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = Channel(ours, Limits(total=200))
        theirs.sendall(encode("x" * 50) * 4)
        for _ in range(3):
            channel.receive(time.monotonic() + 5)
        with pytest.raises(WireError, match="слишком много"):
            channel.receive(time.monotonic() + 5)


@pytest.mark.slow
class TestTensors:
    @pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental")
    @pytest.mark.parametrize("dtype", sorted(ITEM_SIZES))
    @pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
    def test_values_shape_and_dtype_arrive(self, dtype: str, shape: tuple[int, ...]) -> None:
        import torch

        drawn = torch.rand(shape) * 9 if dtype.startswith("uint") else torch.rand(shape) * 9 - 4
        sent = drawn.to(getattr(torch, dtype))
        got = decode(*split(encode(sent)))
        assert type(got) is torch.Tensor
        assert got.dtype is sent.dtype
        assert got.shape == sent.shape
        assert torch.equal(*(each.contiguous().reshape(-1).view(torch.uint8) for each in (got, sent)))

    def test_every_dtype_that_torch_computes_in_is_known(self) -> None:
        import torch

        kinds = {str(kind).removeprefix("torch.") for kind in vars(torch).values() if isinstance(kind, torch.dtype)}
        without_numbers = re.compile(r"q?u?int[1-7]|qint\d+|quint.*|bits.*|bit|float4.*")
        assert {kind for kind in kinds if not without_numbers.fullmatch(kind)} == set(ITEM_SIZES)

    def test_odd_tensors_arrive_as_plain_values_or_are_refused(self) -> None:
        import torch

        x = torch.randn(4, 3)
        for odd in (x.T, x[::2], x.expand(2, 4, 3), x.clone().requires_grad_(), torch.nn.Parameter(x)):
            got = decode(*split(encode(odd)))
            assert type(got) is torch.Tensor
            assert torch.equal(got, odd)
            assert not got.requires_grad
        assert torch.equal(decode(*split(encode(x.to(torch.complex64).conj()))), x.to(torch.complex64))

    @pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor", "ignore:The PyTorch API of nested tensors")
    def test_a_tensor_without_bytes_of_its_own_is_refused_in_words(self) -> None:
        import torch

        x = torch.randn(4, 3)
        refused = {
            "разреженный": x.to_sparse(),
            "устройстве meta": x.to("meta"),
            "dequantize": torch.quantize_per_tensor(x, 0.1, 0, torch.qint8),
            "вложенный": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
            "вида float4_e2m1fn_x2": torch.zeros(2, dtype=torch.uint8).view(torch.float4_e2m1fn_x2),
            "велик": torch.zeros((1,) * 9),
        }
        for word, tensor in refused.items():
            with pytest.raises(NotPlain, match=word):
                encode(tensor)

    def test_a_tensor_subclass_cannot_be_expressed(self) -> None:
        import torch

        class Liar(torch.Tensor):
            pass

        with pytest.raises(NotPlain, match="Liar"):
            encode([torch.zeros(2).as_subclass(Liar)])

    def test_a_bool_of_two_is_still_a_bool(self) -> None:
        import torch

        got = decode(b'["x","bool",3]', b"\x00\x02\xff")
        assert torch.equal(got, torch.tensor([False, True, True]))

    def test_blob_and_shape_have_to_agree(self) -> None:
        for header, blob in ((b'["x","float32",2]', b"1234567"), (b'["x","float32",1]', b"12345678")):
            with pytest.raises(WireError):
                decode(header, blob)
