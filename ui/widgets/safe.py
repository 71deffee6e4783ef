"""Text that somebody else wrote, made harmless for ``st.markdown``: shown as it is, only code spans kept."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\*_{}\[\]()#+\-.!|~^<>$:&])")


def plain(text: str) -> str:
    """``text`` as Markdown that renders as itself; ```spans``` between backticks stay code.

    >>> plain("a*b* `x*y`")
    'a\\\\*b\\\\* `x*y`'
    """
    pieces = text.split("`")
    if len(pieces) % 2 == 0:  # an unpaired backtick is a character like any other
        return _SPECIAL.sub(r"\\\1", text).replace("`", "\\`")
    shown = [f"`{piece}`" if odd % 2 else _SPECIAL.sub(r"\\\1", piece) for odd, piece in enumerate(pieces)]
    return "".join(shown).replace("\n", "  \n")
