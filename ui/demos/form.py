"""Widgets for the fields that a demo declares, and plain arguments back from them.

Leaves out lists of names and checking: the demo refuses what it cannot use, in words (``demos.params``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from common import numbers
from demos import registry
from demos.params import Field
from ui import session


def start(demo: str, preset: Mapping[str, str], key: str) -> dict[str, Any]:
    """Give the widgets of ``key`` their first values and return these; what the learner has changed stays.

    Raises:
        demos.params.ParamsError: the preset has a value that the demo cannot use.
    """
    first = registry.params(demo, preset)
    values = {item.name: getattr(first, item.name) for item in registry.describe_fields(demo)}
    for name, value in values.items():
        if session.recall(widget(key, name), None) is None:
            session.remember(widget(key, name), list(value) if isinstance(value, tuple) else value)
    return values


def widget(key: str, name: str) -> str:
    """The state key of a field's widget."""
    return f"{key}-field-{name}"


def field(item: Field, key: str, *, locked: bool = False) -> Any:
    """The widget of one field; what it holds."""
    name, note = widget(key, item.name), item.note or None
    if item.type is bool:
        return st.checkbox(item.title, key=name, help=note, disabled=locked)
    if item.choices:
        return st.selectbox(
            item.title,
            item.choices,
            key=name,
            help=note,
            disabled=locked,
            format_func=partial(words, item),
        )
    if item.type in (int, float):
        return _number(item, name, locked=locked)
    if isinstance(session.recall(name, ""), list):
        session.remember(name, ", ".join(session.recall(name, [])))
    return st.text_input(item.title, key=name, help=note, disabled=locked)


def choice(item: Field, key: str, *, locked: bool = False) -> Any:
    """The few values of a field as buttons in a row; what is chosen."""
    return st.segmented_control(
        item.title,
        item.choices,
        key=widget(key, item.name),
        help=item.note or None,
        format_func=partial(words, item),
        required=True,
        disabled=locked,
    )


def slider(item: Field, key: str, values: Sequence[float] = (), *, locked: bool = False) -> Any:
    """A field to be dragged: over ``values`` (a stored one in between is kept), or over its whole numbers.

    Raises:
        ValueError: neither values nor both limits.
    """
    name, note = widget(key, item.name), item.note or None
    if not values:
        if item.low is None or item.high is None:
            raise ValueError(f"{item.name}: a slider needs limits")
        low, high = int(item.low), int(item.high)
        return st.slider(item.title, low, high, key=name, help=note, disabled=locked)
    stored = session.recall(name, item.default)
    offered = sorted({*values, stored})
    return st.select_slider(
        item.title,
        offered,
        key=name,
        help=note,
        disabled=locked,
        format_func=numbers.significant,
    )


def words(item: Field, value: str) -> str:
    """A value of the field as people say it."""
    return item.words.get(value, value)


def _number(item: Field, name: str, *, locked: bool) -> Any:
    kind = int if item.type is int else float
    low = None if item.low is None else kind(item.low)
    high = None if item.high is None else kind(item.high)
    if kind is float and not float(item.default).is_integer():
        return _fraction(item, name, locked=locked)
    return st.number_input(
        item.title,
        low,
        high,
        key=name,
        step=kind(1),
        help=item.note or None,
        disabled=locked,
        format="%d" if kind is int else "%g",
    )


def _fraction(item: Field, name: str, *, locked: bool) -> str:
    """A field for fractions, typed with a comma as people do: the browser's number field would insist on a point."""
    value = session.recall(name, item.default)
    if not isinstance(value, str):
        session.remember(name, f"{value:g}".replace(".", ","))
    return st.text_input(item.title, key=name, help=item.note or None, disabled=locked)
