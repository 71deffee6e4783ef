"""How trl makes rows of at most ``window`` tokens from examples of any length: pieces of examples, in order.

The same windows as trl's ``pack_dataset`` gives, in plain Python. Source: trl, data_utils.py; best fit decreasing as in
Ding et al., «Fewer Truncations Improve Language Modeling», 2024 (arXiv 2404.10830). Leaves out tokens and labels.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Piece:
    """``length`` tokens of the example number ``example`` (from 0), from its token ``start`` on."""

    example: int
    start: int
    length: int


Row = tuple[Piece, ...]


def alone(lengths: Sequence[int], window: int) -> tuple[Row, ...]:
    """One example a row, its tail cut off: trl without packing."""
    return tuple((Piece(place, 0, min(length, window)),) for place, length in enumerate(lengths) if length)


def wrapped(lengths: Sequence[int], window: int) -> tuple[Row, ...]:
    """All examples in one ribbon, cut every ``window`` tokens."""
    rows: list[list[Piece]] = []
    room = 0
    for place, length in enumerate(lengths):
        start = 0
        while start < length:
            if not room:
                rows.append([])
                room = window
            taken = min(room, length - start)
            rows[-1].append(Piece(place, start, taken))
            start, room = start + taken, room - taken
    return tuple(map(tuple, rows))


def bfd(lengths: Sequence[int], window: int) -> tuple[Row, ...]:
    """Best fit decreasing; what is longer than the window loses its tail."""
    return _fit([row[0] for row in alone(lengths, window)], window)


def bfd_split(lengths: Sequence[int], window: int) -> tuple[Row, ...]:
    """Best fit decreasing; what is longer than the window is cut into pieces, and every piece is packed."""
    return _fit([piece for place, length in enumerate(lengths) for piece in _cut(place, length, window)], window)


def _cut(place: int, length: int, window: int) -> Iterator[Piece]:
    for start in range(0, length, window):
        yield Piece(place, start, min(window, length - start))


def _fit(pieces: Sequence[Piece], window: int) -> tuple[Row, ...]:
    """Longest first, each into the row with the least room that suffices; of equal rows the one that waited longest."""
    rows: list[list[Piece]] = []
    by_room: dict[int, deque[list[Piece]]] = defaultdict(deque)
    for piece in sorted(pieces, key=lambda piece: -piece.length):
        room = min((room for room, waiting in by_room.items() if waiting and room >= piece.length), default=window)
        if room < window:
            row = by_room[room].popleft()
        else:
            row = []
            rows.append(row)
        row.append(piece)
        by_room[room - piece.length].append(row)
    return tuple(map(tuple, rows))


STRATEGIES: Mapping[str, Callable[[Sequence[int], int], tuple[Row, ...]]] = MappingProxyType(
    {"longest": alone, "window": alone, "wrapped": wrapped, "bfd": bfd, "bfd_split": bfd_split}
)
"""By name; the first two differ only in how far their rows are padded."""
