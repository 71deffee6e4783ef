"""Results cross between processes as JSON and come back as what they were."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import plain


class Kind(StrEnum):
    ATTENTION = "attention"
    MLP = "mlp"


@dataclass(frozen=True)
class Row:
    name: str
    kind: Kind
    share: float
    shape: tuple[int, int]


@dataclass(frozen=True)
class Result:
    total: int
    rows: tuple[Row, ...]
    by_rank: Mapping[int, float]
    note: str | None
    level: Literal["low", "high"]
    tags: frozenset[str]
    sizes: list[int | str]
    where: Path


rows = st.builds(
    Row,
    st.text(),
    st.sampled_from(Kind),
    st.floats(allow_nan=False),
    st.tuples(st.integers(), st.integers()),
)
results = st.builds(
    Result,
    st.integers(),
    st.lists(rows, max_size=3).map(tuple),
    st.dictionaries(st.integers(), st.floats(allow_nan=False), max_size=3),
    st.none() | st.text(),
    st.sampled_from(["low", "high"]),
    st.frozensets(st.text(), max_size=3),
    st.lists(st.integers() | st.text(), max_size=3),
    st.just(Path("/data")),
)


@given(results)
def test_a_result_comes_back_as_it_went(result: Result) -> None:
    assert plain.decode(Result, json.loads(json.dumps(plain.encode(result)))) == result


def test_whole_numbers_stay_floats_where_a_float_is_declared() -> None:
    row = plain.decode(Row, {"name": "q", "kind": "mlp", "share": 1, "shape": [1, 2]})
    assert type(row.share) is float
    assert row.kind is Kind.MLP


def test_not_a_number_survives() -> None:
    assert math.isnan(plain.decode(float, json.loads(json.dumps(plain.encode(math.nan)))))


@pytest.mark.parametrize("value", [object(), b"bytes", {1.5: 2}, {"a": complex(1)}, Row])
def test_what_is_not_plain_is_refused_at_the_sender(value: object) -> None:
    with pytest.raises(TypeError):
        plain.encode(value)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (int, "3"),
        (int, True),
        (float, "3"),
        (str, 3),
        (tuple[int, int], [1]),
        (tuple[int, ...], {"a": 1}),
        (Mapping[str, int], [1]),
        (int | None, "x"),
        (Literal["low"], "high"),
        (Row, {"name": "q", "unknown": 1}),
        (Row, []),
    ],
)
def test_what_does_not_fit_the_type_is_refused(kind: Any, data: object) -> None:
    with pytest.raises(TypeError):
        plain.decode(kind, data)
