"""Examples in rows: what is padded, cut, learned from, who attends to whom, as trl's collator hands it to the model.

Labels are trl's: those of questions and padding are −100, and with packing by best fit the first token of every piece
too, because nothing before it belongs to it. A label counts as learned when a token before it predicts it. Leaves out
attention inside the model: a row's segments say what may be seen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from demos.packing import sources, strategies
from demos.packing.sources import Example
from demos.packing.strategies import Row
from demos.params import Checked, parameter

NAMES = {
    "longest": "дополнение до длиннейшего в пачке",
    "window": "дополнение до окна",
    "wrapped": "packing лентой (wrapped)",
    "bfd": "packing без разрезов (bfd)",
    "bfd_split": "packing с разрезами (bfd_split)",
}
PACKED = frozenset(("wrapped", "bfd", "bfd_split"))
FREE = frozenset(("bfd", "bfd_split"))
"""Strategies with which trl flattens a batch into one row without padding."""
SOURCES = {
    sources.OWN: "свои длины",
    "json": "задача: ответы в JSON",
    "intents": "задача: что хочет клиент",
    "tools": "задача: вызов инструментов",
}
LOSSES = {"answer": "только ответ", "all": "весь текст"}


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Examples and how to lay them into rows."""

    source: str = parameter(sources.OWN, "Примеры", words=SOURCES)
    strategy: str = parameter("bfd", "Укладка", words=NAMES)
    window: int = parameter(24, "Окно (max_length), токенов", low=4, high=512)
    row: int = parameter(2, "Показать окно номер", low=1, high=1000)
    lengths: str = parameter("9+5, 6+4, 14+8, 3+2, 10+3, 4+6", "Длины: вопрос + ответ", note="через запятую")
    examples: int = parameter(12, "Сколько примеров задачи", low=1, high=sources.MOST)
    batch: int = parameter(2, "Окон в пачке", low=1, high=16)
    loss: str = parameter("answer", "В потери входит", words=LOSSES)
    end_is_pad: bool = parameter(
        False, "Ловушка: PAD = EOS, а PAD исключён из потерь", note="так метит DataCollatorForLanguageModeling"
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the shown row. ``example`` counts from 1 and is 0 for padding."""

    text: str
    example: int
    position: int
    labelled: bool  # its label is its own token, not −100
    learned: bool  # and a token before it predicts it
    end: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One row in short. ``pieces``: example (from 1) and tokens of it."""

    pieces: tuple[tuple[int, int], ...]
    used: int
    padding: int  # computed and thrown away
    room: int  # up to the window, not computed
    learned: int


@dataclass(frozen=True, slots=True)
class Result:
    """Sums are over all rows. ``foreign``: pairs in which a token sees one of another example."""

    strategy: str
    window: int
    source: str
    examples: int
    tokens: int  # of the examples
    lines: tuple[Line, ...]
    computed: int  # places that the model computes, padding included
    padding: int
    lost: int  # tokens that were cut off
    torn: int  # examples that lie in more than one piece
    dropped: int  # examples left without a single label and thrown out
    silent: int  # examples of which nothing is learned
    learned: int
    ends: int  # end tokens that are learned
    foreign: int
    row: int
    cells: tuple[Cell, ...]
    segments: tuple[tuple[int, int], ...]  # from and to which place of the shown row tokens see one another
    flat: bool  # trl joins the rows of a batch into one, without padding

    @property
    def waste(self) -> float:
        """Padding in all that is computed."""
        return self.padding / self.computed if self.computed else 0.0


def windows(params: Params) -> Result:
    """The rows and everything counted over them.

    Raises:
        ParamsError: lengths that are none.
    """
    given, honest = _given(params), dataclasses.replace(params, end_is_pad=False)
    laid = strategies.STRATEGIES[params.strategy]([len(example.tokens) for example in given], params.window)
    rows = [row for row in laid if params.strategy in PACKED or any(_labels(row, given, honest))]
    labels = [_labels(row, given, params) for row in rows]
    padding = _padding([sum(piece.length for piece in row) for row in rows], params)
    lines = tuple(_line(*parts, params.window) for parts in zip(rows, labels, padding, strict=True))
    shown = min(params.row, max(1, len(rows))) - 1
    taught = _taught(rows, labels)
    pieces = [piece for row in laid for piece in row]
    total = sum(len(example.tokens) for example in given)
    return Result(
        strategy=params.strategy,
        window=params.window,
        source=params.source,
        examples=len(given),
        tokens=total,
        lines=lines,
        computed=sum(line.used + line.padding for line in lines),
        padding=sum(padding),
        lost=total - sum(piece.length for piece in pieces),
        torn=_torn(rows),
        dropped=len(laid) - len(rows),
        silent=len(given) - len({example for example, _ in taught}),
        learned=len(taught),
        ends=sum(place == len(given[example].tokens) - 1 for example, place in taught),
        foreign=sum(map(_foreign, rows)) if params.strategy == "wrapped" else 0,
        row=shown + 1,
        cells=_cells(rows[shown], labels[shown], padding[shown], given, reset=params.strategy in FREE) if rows else (),
        segments=_segments(rows[shown], params.strategy) if rows else (),
        flat=params.strategy in FREE,
    )


def _given(params: Params) -> Sequence[Example]:
    if params.source == sources.OWN:
        return sources.typed(params.lengths)
    return sources.task(params.source, params.examples)


def _labels(row: Row, given: Sequence[Example], params: Params) -> list[bool]:
    """Token of the row → whether its label is the token itself."""
    on: list[bool] = []
    for piece in row:
        example, stop = given[piece.example], piece.start + piece.length
        part = list(example.answer[piece.start : stop]) if params.loss == "answer" else [True] * piece.length
        if params.end_is_pad and stop == len(example.tokens):
            part[-1] = False
        if params.strategy in FREE:
            part[0] = False  # position 0: trl's collator
        on += part
    return on


def _padding(used: Sequence[int], params: Params) -> list[int]:
    """Row → places filled up behind its tokens."""
    if params.strategy in FREE:
        return [0] * len(used)
    if params.strategy == "window":
        return [params.window - length for length in used]
    batches = [used[start : start + params.batch] for start in range(0, len(used), params.batch)]
    return [max(batch) - length for batch in batches for length in batch]


def _line(row: Row, labels: Sequence[bool], padding: int, window: int) -> Line:
    used = sum(piece.length for piece in row)
    pieces = tuple((piece.example + 1, piece.length) for piece in row)
    return Line(pieces, used, padding, window - used - padding, sum(labels[1:]))


def _taught(rows: Sequence[Row], labels: Sequence[Sequence[bool]]) -> set[tuple[int, int]]:
    """Example and place of every token that is learned: the first of a row has nothing before it."""
    found = set()
    for row, on in zip(rows, labels, strict=True):
        places = [(piece.example, piece.start + step) for piece in row for step in range(piece.length)]
        found |= {where for where, labelled in zip(places[1:], on[1:], strict=True) if labelled}
    return found


def _torn(rows: Sequence[Row]) -> int:
    seen = [piece.example for row in rows for piece in row]
    return sum(seen.count(example) > 1 for example in set(seen))


def _foreign(row: Row) -> int:
    """Pairs of a token and an earlier one of another example in a row without borders."""
    total = sum(piece.length for piece in row)
    return (total * total - sum(piece.length**2 for piece in row)) // 2


def _cells(
    row: Row, labels: Sequence[bool], padding: int, given: Sequence[Example], *, reset: bool
) -> tuple[Cell, ...]:
    """The places of a row. ``reset``: positions begin anew with every piece."""
    cells: list[Cell] = []
    for piece in row:
        whole = given[piece.example]
        for step in range(piece.length):
            place, index = piece.start + step, len(cells)
            position = step if reset else index
            end, on = place == len(whole.tokens) - 1, labels[index]
            cells.append(Cell(whole.tokens[place], piece.example + 1, position, on, on and index > 0, end))
    return (*cells, *(Cell("PAD", 0, 0, labelled=False, learned=False, end=False) for _ in range(padding)))


def _segments(row: Row, strategy: str) -> tuple[tuple[int, int], ...]:
    ends, start = [], 0
    for piece in row:
        ends.append((start, start + piece.length))
        start += piece.length
    return tuple(ends) if strategy in FREE else ((0, start),)
