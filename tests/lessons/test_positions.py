"""Line numbers of TOML keys: compared with what tomllib parses, on written-out cases and on generated files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lessons.positions import Place, locate

TEXT = '''\
# a comment with [brackets] and = signs
title = "a # b = [c]"   # another
"quoted key" = 'it # stays'
dotted.key.deep = 1
long = """
one
[not.a.table]
two\\"""\\
"""
raw = \'\'\'
x = 1
\'\'\'
when = 2024-01-02 03:04:05

list = [
  "first",  # one
  { a = 1, b = [1,
      2] },
]

[table.inner]
key = true

[[rows]]
id = "r0"
[[rows.cells]]
v = 1
[[rows.cells]]
v = 2
[rows.extra]
z = 1

[[rows]]
id = "r1"
[[rows.cells]]
v = 3
'''

LINES: dict[Place, int] = {
    ("title",): 2,
    ("quoted key",): 3,
    ("dotted", "key", "deep"): 4,
    ("long",): 5,
    ("raw",): 10,
    ("when",): 13,
    ("list", 0): 16,
    ("list", 1): 17,
    ("list", 1, "b", 1): 18,
    ("table", "inner", "key"): 22,
    ("rows", 0): 24,
    ("rows", 0, "cells", 1, "v"): 29,
    ("rows", 0, "extra", "z"): 31,
    ("rows", 1, "id"): 34,
    ("rows", 1, "cells", 0, "v"): 36,
}


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*place, key))


def test_every_kind_of_key_is_found_on_its_line() -> None:
    found = locate(TEXT)
    assert {place: found[place] for place in LINES} == LINES


def test_the_walk_sees_exactly_the_keys_that_tomllib_sees() -> None:
    assert set(locate(TEXT)) == set(places(tomllib.loads(TEXT)))


def test_quotes_at_the_end_of_a_long_string() -> None:
    text = 'a = """x""""\nb = """"""\nc = \'\'\'y\'\'\'\'\'\nd = 1\n'
    assert tomllib.loads(text)["a"] == 'x"'
    assert locate(text)[("d",)] == 4


KEYS = st.sampled_from(["a", "b-1", "c_2", '"d e"', "'f.g'"])
SCALARS = st.one_of(
    st.integers().map(str),
    st.sampled_from(["true", "1.5", "1979-05-27", '""', "''", '"a # ] } b"', "'\"'", '"""\n]\n"""', "'''\n[x]\n#'''"]),
)


def inline(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.dictionaries(KEYS, children.filter(lambda text: "\n" not in text), max_size=3)
    return st.one_of(
        st.lists(children, max_size=3).map(lambda items: "[\n" + ",\n# c ]\n".join(items) + "\n]"),
        pairs.map(lambda items: "{" + ", ".join(f"{key} = {value}" for key, value in items.items()) + "}"),
    )


TABLES = st.dictionaries(KEYS, st.recursive(SCALARS, inline, max_leaves=6), max_size=4)


@settings(max_examples=60, deadline=None)
@given(TABLES, st.lists(TABLES, max_size=3), st.booleans())
def test_any_file_is_walked_as_tomllib_parses_it(top: dict[str, str], rows: list[dict[str, str]], blank: bool) -> None:
    text = "".join(f"{key} = {value} # end\n" for key, value in top.items())
    for row in rows:
        text += ("\n" if blank else "") + "[[rows]]\n" + "".join(f"{key}={value}\n" for key, value in row.items())
    found = locate(text)
    assert set(found) == set(places(tomllib.loads(text)))
    lines = text.split("\n")
    for place, line in found.items():
        if len(place) == 1 and isinstance(place[0], str) and place[0] != "rows":
            assert place[0] in lines[line - 1]
