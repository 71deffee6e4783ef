"""Tokens in a row, told apart by more than colour: frames for marks, underlines for what is learned, hatching for PAD.

Everything in a token is escaped; a screen reader hears one sentence with ‹learned› parts. Leaves out where tokens come
from.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import streamlit as st

MOST = 600
"""Tokens shown; more than a screen holds."""
GROUPS = 6
"""Tints of examples, in turn (course.css)."""
_LEGEND = {
    "mark": "служебная метка",
    "learned": "входит в потери",
    "pad": "PAD, дополнение",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One token. ``group`` numbers an example from 1, 0 for none; ``tip`` is what the pointer reads."""

    text: str
    mark: bool = False
    learned: bool = False
    pad: bool = False
    group: int = 0
    tip: str = ""


def tokens(row: Sequence[Shown], label: str) -> None:
    """The tokens with a legend; ``label`` says what they are."""
    shown = row[:MOST]
    body = "".join(map(_token, shown))
    spoken = html.escape(f"{label}: {spell(shown)}", quote=True)
    st.html(f'<div class="tokens" role="img" aria-label="{spoken}">{body}</div>{_legend(shown)}')
    if len(row) > MOST:
        st.caption(f"Показаны первые {MOST} токенов.")


def spell(row: Sequence[Shown]) -> str:
    """The row in words: what is learned stands between ‹ and ›."""
    text = ""
    for learned, group in groupby(row, key=lambda token: token.learned):
        words = "".join(token.text for token in group)
        text += f"‹{words}›" if learned else words
    return text


def visible(text: str) -> str:
    """Spaces, line ends and what cannot be printed as signs, the rest escaped for HTML."""
    return "".join(map(_sign, text))


def _sign(letter: str) -> str:
    if letter == " ":
        return "<i>·</i>"
    if letter == "\n":
        return "<i>↵</i>"
    return html.escape(letter) if letter.isprintable() else f"<i>U+{ord(letter):04X}</i>"


def _token(token: Shown) -> str:
    kinds = {"mark": token.mark, "learned": token.learned, "pad": token.pad}
    names = ["tok", *(f"tok-{name}" for name, on in kinds.items() if on)]
    if token.group:
        names.append(f"tok-g{(token.group - 1) % GROUPS}")
    tip = f' title="{html.escape(token.tip, quote=True)}"' if token.tip else ""
    return f'<span class="{" ".join(names)}"{tip}>{visible(token.text)}</span>{"<br>" * token.text.count(chr(10))}'


def _legend(row: Sequence[Shown]) -> str:
    present = {"mark": any(t.mark for t in row), "learned": any(t.learned for t in row), "pad": any(t.pad for t in row)}
    items = [f'<span class="tok tok-{name}">{_LEGEND[name]}</span>' for name, on in present.items() if on]
    return f'<div class="tokens tokens-legend" aria-hidden="true">{"".join(items)}</div>' if items else ""
