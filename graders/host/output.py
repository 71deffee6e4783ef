"""What a submission prints: read without end, kept at both ends, counted, in parts. Leaves out who looks at it."""

from __future__ import annotations

import codecs
import os
import unicodedata

from common import numbers

KEPT = 32 << 10
"""Bytes of one part kept at the beginning, and as many at the end."""
MOST = 8 << 20
"""Bytes after which a submission is ended."""

_PLAIN = frozenset("\n\t")


class Output:
    """The reading end of a pipe that is a submission's stdout and stderr. Use ``writing`` once, then close it."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        self.size = 0  # of everything
        self._head, self._tail, self._part = bytearray(), bytearray(), 0

    @property
    def flooded(self) -> bool:
        """Whether it was more than anyone may print."""
        return self.size > MOST

    def read(self) -> bool:
        """Take what is there; False when nothing more can come."""
        try:
            data = os.read(self.reading, 1 << 16)
        except BlockingIOError:
            return True
        self.size += len(data)
        self._part += len(data)
        room = KEPT - len(self._head)
        self._head += data[: max(room, 0)]
        self._tail = (self._tail + data[max(room, 0) :])[-KEPT:]
        return bool(data)

    def drain(self) -> None:
        """Take what is left in the pipe, but never wait."""
        before = -1
        while self.size != before and not self.flooded:
            before = self.size
            self.read()

    def take(self) -> str:
        """What was printed since the last time, without control characters; the middle of a long text is left out."""
        lost = self._part - len(self._head) - len(self._tail)
        head, tail = bytes(self._head), bytes(self._tail)
        self._head, self._tail, self._part = bytearray(), bytearray(), 0
        if not lost:
            return clean((head + tail).decode("utf-8", "replace"))
        left_out = f"\n… пропущено {numbers.size(lost, 1, binary=True)} …\n"
        return clean(_whole(head)) + left_out + clean(_whole(tail))

    def close(self) -> None:
        """Let go of the pipe."""
        for descriptor in (self.reading, self.writing):
            if descriptor >= 0:
                os.close(descriptor)
        self.reading = self.writing = -1

    def hand_over(self) -> None:
        """Close our copy of the writing end, after a child has got it."""
        os.close(self.writing)
        self.writing = -1


def _whole(part: bytes) -> str:
    """The text of a part that may begin and end in the middle of a letter."""
    start = next((i for i in range(min(3, len(part))) if part[i] & 0xC0 != 0x80), 0)
    return codecs.getincrementaldecoder("utf-8")("replace").decode(part[start:])


def clean(text: str) -> str:
    """``text`` without control and direction characters: escape sequences and bidi tricks become visible marks."""
    return "".join(c if c in _PLAIN or unicodedata.category(c) not in {"Cc", "Cf", "Cs"} else "�" for c in text)
