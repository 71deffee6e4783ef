"""The decoder under fire for a few seconds: mutated frames, kept where they reach lines that none reached before.

Whatever comes, it answers with a value or a ``WireError``, soon, and without swelling.
"""

from __future__ import annotations

import json
import random
import secrets
import struct
import sys
import time
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from graders import wire
from graders.wire import Limits, Ref, WireError

pytestmark = pytest.mark.slow
SECONDS = 8.0
LIMITS = Limits(header=1 << 16, blob=1 << 16, nodes=5_000)
SWOLLEN = 24 << 20  # bytes: a header's largest JSON, 64 KiB of ``[[],[],…``, takes 2 MB in Python's lists
SLOW = 5.0  # seconds: a frame takes milliseconds, but a busy machine may pause for a second
Frame = tuple[bytes, bytes]
WORDS = b'["l" ["t" ["d" ["x" ["b" ["r" ["f" "nan" "inf" null true -1 0 4294967296 1e999 1.5 {} [] ] , "float32" "bool"'


def seeds() -> list[Frame]:
    import torch

    values: list[object] = [None, True, 2**300, -0.0, "я\ud800", b"bytes", [1, (2, {"a": [3]})], Ref(3, "LoRA")]
    values += [float("nan"), {1: 2, "b": None}, [[[[[]]]]], {"x": torch.ones(2, 3), "y": [torch.zeros(0, 4)]}]
    values += [torch.ones(2).to(getattr(torch, name)) for name in ("bool", "bfloat16", "complex64", "float8_e5m2")]
    return [parts(wire.encode(value)) for value in values]


def parts(frame: bytes) -> Frame:
    size, _ = struct.unpack("!IQ", frame[:12])
    return frame[12 : 12 + size], frame[12 + size :]


def flip(chance: random.Random, frame: Frame) -> Frame:
    header, blob = bytearray(frame[0]), bytearray(frame[1])
    for part in (header, blob):
        for _ in range(chance.randint(0, 3)):
            if part:
                part[chance.randrange(len(part))] = chance.randrange(256)
    return bytes(header), bytes(blob)


def splice(chance: random.Random, frame: Frame) -> Frame:
    header, place = frame[0], chance.randint(0, len(frame[0]))
    word = chance.choice(WORDS.split(b" "))
    return header[:place] + word * chance.choice((1, 1, 1, 30, 9_000)) + header[place + chance.randint(0, 9) :], frame[
        1
    ]


def cut(chance: random.Random, frame: Frame) -> Frame:
    return frame[0][: chance.randint(0, len(frame[0]))], frame[1][chance.randint(0, len(frame[1])) :]


def nest(chance: random.Random, frame: Frame) -> Frame:
    depth = chance.choice((1, LIMITS.depth, 3_000))
    opening, closing = chance.choice(((b"[", b"]"), (b'["l",', b"]"), (b'{"a":', b"}"), (b"[", b"")))
    return opening * depth + frame[0] + closing * depth, frame[1]


def regrow(chance: random.Random, frame: Frame) -> Frame:
    """Change the tree where it is one: numbers, tags, repetitions, nesting."""
    try:
        tree = json.loads(frame[0])
    except (ValueError, RecursionError):
        return flip(chance, frame)
    for _ in range(chance.randint(1, 3)):
        tree = changed(chance, tree)
    return json.dumps(tree).encode(), frame[1] * chance.choice((0, 1, 1, 1, 2))


def changed(chance: random.Random, tree: Any) -> Any:
    if isinstance(tree, list) and tree and chance.random() < 0.8:
        place = chance.randrange(len(tree))
        return [*tree[:place], changed(chance, tree[place]), *tree[place + 1 :]]
    numbers = [-1, 0, 1, 3, 127, 2**31, 2**63, 10**40, True, None, 0.5, float("nan"), "l", "x", "d", "float64", "int8"]
    wraps: list[Callable[[], Any]] = [
        lambda: chance.choice(numbers),
        lambda: ["l", tree, tree],
        lambda: [tree],
        lambda: ["d", [tree, tree]],
        lambda: ["x", chance.choice(sorted(wire.ITEM_SIZES)), chance.choice(numbers), chance.choice(numbers)],
        lambda: [*tree, *tree] if isinstance(tree, list) else tree,
        lambda: {"l": tree},
    ]
    return chance.choice(wraps)()


def reached(frame: Frame) -> set[int]:
    """Which lines of the decoder a frame reaches.

    Raises:
        Exception: anything but a refusal in the wire's own words.
    """
    lines: set[int] = set()

    def trace(at: FrameType, event: str, _: Any) -> Any:
        if at.f_code.co_filename != wire.__file__:
            return None
        if event == "line":
            lines.add(at.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        wire.decode(*frame, LIMITS)
    except WireError:
        pass
    finally:
        sys.settrace(before)
    return lines


def test_no_frame_breaks_swells_or_holds_the_decoder() -> None:
    seed = secrets.randbits(32)
    chance, corpus = random.Random(seed), seeds()
    known: set[int] = set().union(*(reached(frame) for frame in corpus))
    first, tried, end = len(known), 0, time.monotonic() + SECONDS
    tracemalloc.start()
    try:
        while time.monotonic() < end:
            frame = chance.choice(corpus)
            for _ in range(chance.randint(1, 3)):
                frame = chance.choice((flip, splice, cut, nest, regrow, regrow))(chance, frame)
            frame = frame[0][: LIMITS.header], frame[1][: LIMITS.blob]
            new, tried = measured(frame, seed), tried + 1
            if new - known and len(frame[0]) < 4_000:
                corpus.append(frame)
            known |= new
    finally:
        tracemalloc.stop()
    assert tried > 500, "too slow to mean anything"
    assert len(known) > first, "it found its way into refusals that no valid frame reaches"


def measured(frame: Frame, seed: int) -> set[int]:
    tracemalloc.reset_peak()
    before, began = tracemalloc.get_traced_memory()[0], time.monotonic()
    try:
        lines = reached(frame)
    except Exception as error:
        raise AssertionError(
            f"seed {seed}: {type(error).__name__} for {frame[0][:300]!r}, {frame[1][:50]!r}"
        ) from error
    swell, took = tracemalloc.get_traced_memory()[1] - before, time.monotonic() - began
    assert swell < SWOLLEN, f"seed {seed}: {swell >> 20} MiB for {frame[0][:300]!r}"
    assert took < SLOW, f"seed {seed}: {took:.1f} s for {frame[0][:300]!r}"
    return lines
