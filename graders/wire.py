"""Frames between judge and sandbox: plain data and tensors by value, with caps and deadlines. The security boundary.

A frame is two lengths, a JSON header and a blob. Scalars stand for themselves in the header; everything else is an
array that opens with a tag, and no JSON object is ever accepted. Tensors and bytes lie in the blob, one after another.
There is no form for anything else: a subclass, a pickle or code cannot be expressed. Standard library only at import;
torch comes in when the first tensor does. Leaves out what the messages mean (``graders.host.remote``).
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

_LENGTHS = struct.Struct("!IQ")
_SCALARS = (bool, int, float, str)
_DIGITS = 128
_CHUNK = 1 << 16

ITEM_SIZES = {
    **{"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8},
    **{"float8_e4m3fn": 1, "float8_e4m3fnuz": 1, "float8_e5m2": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1},
    **{"complex32": 4, "complex64": 8, "complex128": 16, "bool": 1},
    **{"int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8},
}
"""The dtypes a tensor may have, with bytes per element: all that torch computes in by plain bytes."""


class WireError(Exception):
    """The other side did not keep to the form; the message says how, in Russian."""


class Closed(WireError):
    """The other side is gone."""


class Late(WireError):
    """The deadline passed in the middle of a frame or before it."""


class NotPlain(TypeError):
    """A value that cannot travel; the message names its type and place, in Russian."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on one frame, and on all frames of one channel."""

    header: int = 2 << 20  # bytes
    blob: int = 64 << 20  # bytes
    total: int = 256 << 20  # bytes received over the channel's life
    depth: int = 20
    nodes: int = 100_000
    dimensions: int = 8


@dataclass(frozen=True, slots=True)
class Ref:
    """An object that stays inside the sandbox: its number there and the name of its type (a claim)."""

    number: int
    kind: str


class Channel:
    """Frames over a connected stream socket. ``deadline`` is a value of ``time.monotonic()``."""

    def __init__(self, sock: socket.socket, limits: Limits | None = None) -> None:
        self.sock, self.limits, self._received = sock, limits or Limits(), 0

    def send(self, message: object, deadline: float) -> None:
        """Send one value.

        Raises:
            NotPlain: the value has no form on the wire; nothing was sent.
            Late, Closed: the other side does not read in time, or is gone.
        """
        data = encode(message, self.limits)
        for start in range(0, len(data), _CHUNK * 16):
            self._within(deadline)
            try:
                self.sock.sendall(data[start : start + _CHUNK * 16])
            except TimeoutError:
                raise Late("ответ не прочитан вовремя") from None
            except OSError as error:
                raise Closed("соединение закрыто") from error

    def receive(self, deadline: float) -> Any:
        """The next value. Bytes that drip in slowly do not extend the deadline.

        Raises:
            Late, Closed, WireError: no whole frame came in time, the peer is gone, or the frame is not in order.
        """
        header_size, blob_size = _LENGTHS.unpack(self._exactly(_LENGTHS.size, deadline))
        if header_size > self.limits.header or blob_size > self.limits.blob:
            raise WireError("ответ слишком велик")
        header, blob = bytes(self._exactly(header_size, deadline)), self._exactly(blob_size, deadline)
        return decode(header, blob, self.limits)

    def _exactly(self, size: int, deadline: float) -> bytearray:
        self._received += size
        if self._received > self.limits.total:
            raise WireError("ответов слишком много")
        data = bytearray()
        while len(data) < size:
            self._within(deadline)
            try:
                piece = self.sock.recv(min(size - len(data), _CHUNK * 16))
            except TimeoutError:
                raise Late("ответ не пришёл вовремя") from None
            except OSError as error:
                raise Closed("соединение закрыто") from error
            if not piece:
                raise Closed("соединение закрыто")
            data += piece
        return data

    def _within(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Late("время вышло")
        self.sock.settimeout(left)


def encode(message: object, limits: Limits | None = None) -> bytes:
    """One frame.

    Raises:
        NotPlain: a part of ``message`` is of no plain type, is too deep, too large or has too many parts.
    """
    writer = _Writer(limits or Limits())
    header = json.dumps(writer.tree(message, 0), ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()
    if len(header) > writer.limits.header or len(writer.blob) > writer.limits.blob:
        raise NotPlain("значение слишком велико")
    return _LENGTHS.pack(len(header), len(writer.blob)) + header + writer.blob


def decode(header: bytes, blob: bytes | bytearray, limits: Limits | None = None) -> Any:
    """The value of one frame: exact plain types, ``Ref`` and plain ``torch.Tensor`` only.

    Raises:
        WireError: the frame is not in order.
    """
    try:
        tree = json.loads(
            header.decode(), object_pairs_hook=_refuse, parse_constant=_refuse, parse_int=_integer, parse_float=float
        )
    except (ValueError, RecursionError) as error:
        raise WireError("ответ не разобрать") from error
    reader = _Reader(memoryview(blob), limits or Limits())
    value = reader.value(tree, 0)
    if reader.taken != len(blob):
        raise WireError("в ответе лишние байты")
    return value


def _refuse(_found: object) -> NoReturn:
    raise ValueError("no such form on this wire")


def _integer(text: str) -> int:
    return int(text) if len(text) <= _DIGITS else _refuse(text)


def plain_type_name(value: object) -> str:
    """Name of the exact type, as text that nobody could have prepared; for sentences."""
    name = type.__dict__["__name__"].__get__(type(value))
    return name if type(name) is str and len(name) <= 80 else "?"


@dataclass(slots=True)
class _Writer:
    limits: Limits
    blob: bytearray = field(default_factory=bytearray)
    nodes: int = 0

    def tree(self, value: object, depth: int) -> object:
        self.nodes += 1
        if depth > self.limits.depth or self.nodes > self.limits.nodes:
            raise NotPlain("значение слишком велико или вложено само в себя")
        kind = type(value)
        if value is None or kind in _SCALARS:
            return self._scalar(value)
        if kind is list or kind is tuple:
            return ["l" if kind is list else "t", *[self.tree(item, depth + 1) for item in value]]  # type: ignore[attr-defined]
        if kind is dict:
            return ["d", *[self._pair(key, item, depth) for key, item in value.items()]]  # type: ignore[attr-defined]
        if kind is bytes:
            return ["b", self._put(value)]  # type: ignore[arg-type]
        if kind is Ref:
            return ["r", value.number, value.kind]  # type: ignore[attr-defined]
        return self._tensor(value)

    def _pair(self, key: object, item: object, depth: int) -> list[object]:
        if key is not None and type(key) not in _SCALARS:
            raise NotPlain(f"ключ словаря типа {plain_type_name(key)}")
        return [self.tree(key, depth + 1), self.tree(item, depth + 1)]

    def _scalar(self, value: Any) -> object:
        if type(value) is float and not math.isfinite(value):
            return ["f", str(value)]
        if type(value) is int and value.bit_length() > _DIGITS * 3:
            raise NotPlain("целое число слишком велико")
        return value

    def _put(self, data: bytes) -> int:
        if len(self.blob) + len(data) > self.limits.blob:
            raise NotPlain("значение слишком велико")
        self.blob += data
        return len(data)

    def _tensor(self, value: Any) -> list[object]:
        import torch

        if type(value) not in (torch.Tensor, torch.nn.Parameter):
            raise NotPlain(f"значение типа {plain_type_name(value)}")
        dtype = str(value.dtype).removeprefix("torch.")
        if reason := _obstacle(value, dtype):
            raise NotPlain(reason)
        if value.ndim > self.limits.dimensions or value.numel() * ITEM_SIZES[dtype] > self.limits.blob:
            raise NotPlain("тензор слишком велик")
        flat = value.detach().contiguous().resolve_conj().resolve_neg().reshape(-1)
        self._put(flat.view(torch.uint8).numpy().tobytes())
        return ["x", dtype, *[int(size) for size in value.shape]]


def _obstacle(value: Any, dtype: str) -> str:
    """Why a tensor has no bytes of its own to send, with what to do about it; empty where it has."""
    if value.is_quantized or value.is_nested or str(value.layout) != "torch.strided":
        return f"квантованный, разреженный или вложенный тензор ({value.layout}): верните .dequantize() или .to_dense()"
    if value.device.type != "cpu":
        return f"тензор на устройстве {value.device.type}: здесь нужны сами числа, на cpu"
    return "" if dtype in ITEM_SIZES else f"тензор чисел вида {dtype}: приведите его к обычному типу"


@dataclass(slots=True)
class _Reader:
    blob: memoryview
    limits: Limits
    taken: int = 0
    nodes: int = 0

    def value(self, tree: Any, depth: int) -> Any:
        self.nodes += 1
        if depth > self.limits.depth or self.nodes > self.limits.nodes:
            raise WireError("ответ вложен слишком глубоко или в нём слишком много частей")
        if type(tree) is not list:
            return tree
        tag, rest = (tree[0], tree[1:]) if tree and type(tree[0]) is str else ("", [])
        if tag in ("l", "t"):
            items = [self.value(item, depth + 1) for item in rest]
            return items if tag == "l" else tuple(items)
        if tag == "d":
            return dict(self._pairs(rest, depth))
        return self._leaf(tag, rest)

    def _pairs(self, rest: list[Any], depth: int) -> Iterator[tuple[Any, Any]]:
        seen = set()
        for pair in rest:
            if type(pair) is not list or len(pair) != 2:
                raise WireError("словарь не в порядке")
            key, value = self.value(pair[0], depth + 1), self.value(pair[1], depth + 1)
            if (key is not None and type(key) not in _SCALARS) or key in seen:
                raise WireError("ключ словаря не в порядке")
            seen.add(key)
            yield key, value

    def _leaf(self, tag: str, rest: list[Any]) -> Any:
        if tag == "x" and rest and type(rest[0]) is str and rest[0] in ITEM_SIZES:
            return self._tensor(rest[0], rest[1:])
        if tag == "b" and len(rest) == 1 and type(rest[0]) is int:
            return bytes(self._take(rest[0]))
        if tag == "f" and rest in (["nan"], ["inf"], ["-inf"]):
            return float(rest[0])
        if tag == "r" and len(rest) == 2 and type(rest[0]) is int and type(rest[1]) is str and len(rest[1]) <= 80:
            return Ref(rest[0], rest[1])
        raise WireError("в ответе неизвестная часть")

    def _take(self, size: int) -> memoryview:
        if size < 0 or self.taken + size > len(self.blob):
            raise WireError("байтов меньше, чем объявлено")
        self.taken += size
        return self.blob[self.taken - size : self.taken]

    def _tensor(self, dtype: str, shape: list[Any]) -> Any:
        if len(shape) > self.limits.dimensions or any(type(n) is not int or not 0 <= n < 2**31 for n in shape):
            raise WireError("форма тензора не в порядке")
        data = bytearray(self._take(math.prod(shape) * ITEM_SIZES[dtype]))
        import torch

        if not data:
            return torch.empty(shape, dtype=getattr(torch, dtype))
        if dtype == "bool":  # a byte other than 0 and 1 would make a bool that is neither
            return torch.frombuffer(data, dtype=torch.uint8).ne(0).reshape(shape)
        return torch.frombuffer(data, dtype=getattr(torch, dtype)).reshape(shape)
