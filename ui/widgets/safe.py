"""Text that somebody else wrote, made harmless for ``st.markdown``: shown as it is, only code spans kept."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\*_{}\[\]()#+\-.!|~^<>$:&])")
_LINK = re.compile(r"((?:https?://|www\.)[^\s`]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)", re.IGNORECASE)
"""What Markdown would turn into a link by itself, however it is escaped: addresses, and ``x@A.T`` taken for one."""


def plain(text: str) -> str:
    """``text`` as Markdown that renders as itself; ```spans``` between backticks stay code, addresses become code.

    >>> plain("a*b* `x*y`")
    'a\\\\*b\\\\* `x*y`'
    >>> plain("x@A.T")
    '`x@A.T`'
    """
    pieces = text.split("`")
    if len(pieces) % 2 == 0:  # an unpaired backtick is a character like any other
        shown = "\\`".join(_escape(piece) for piece in pieces)
    else:
        shown = "".join(f"`{piece}`" if odd % 2 else _escape(piece) for odd, piece in enumerate(pieces))
    return shown.replace("\n", "  \n")


def cell(text: str) -> str:
    """``text`` on one line, as it is: for a cell of a Markdown table. Nothing in it becomes code but addresses.

    >>> cell("a|b\\nc `d`")
    'a\\\\|b ⏎ c \\\\`d\\\\`'
    """
    return " ⏎ ".join("\\`".join(map(_cell, line.split("`"))) for line in text.splitlines())


def _cell(text: str) -> str:
    parts = _LINK.split(text)
    return "".join(
        "`" + part.replace("|", "\\|") + "`" if odd % 2 else _SPECIAL.sub(r"\\\1", part)
        for odd, part in enumerate(parts)
    )


def _escape(text: str) -> str:
    parts = _LINK.split(text)
    return "".join(f"`{part}`" if odd % 2 else _SPECIAL.sub(r"\\\1", part) for odd, part in enumerate(parts))
