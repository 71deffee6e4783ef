"""Bars beside their words: a picture of two to five numbers. Plain text to a screen reader, and it wraps on a phone.

Leaves out axes: every bar carries its value, and all are drawn to one scale that begins at nought.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True, slots=True)
class Length:
    """One bar: what it is, its number and how that is written; ``mark`` sets it off."""

    label: str
    value: float
    text: str
    mark: bool = False


def bars(lengths: Sequence[Length]) -> None:
    """Draw them one under another; the longest takes the whole width."""
    longest = max((one.value for one in lengths), default=0.0)
    st.html(f'<div class="bars">{"".join(_row(one, longest) for one in lengths)}</div>')


def _row(one: Length, longest: float) -> str:
    share = 100 * one.value / longest if longest else 0.0
    name = "bar bar-mark" if one.mark else "bar"
    return (
        f'<div class="{name}"><span>{_words(one.label)}</span> <b>{html.escape(one.text)}</b>'
        f'<i aria-hidden="true" style="width:max({share:.2f}%, 2px)"></i></div>'
    )


def _words(label: str) -> str:
    """The label with `names` set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(label))
